"""Tests share connections, and nothing else: what one of them does is not met by the next."""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import text

from app.db.session import Database, transaction_time
from tests.kept import Kept

TRIED = "INSERT INTO throttles (key, count, ends_at) VALUES ('somebody', 1, now())"


@pytest.fixture
async def kept(database: Database, database_url: str) -> AsyncIterator[Kept]:
    """Beside those that this very test is given."""
    made = Kept(database_url)
    yield made
    await made.close()


async def answers(database: Database) -> bool:
    async with database.reading() as session:
        return (await session.scalars(text("SELECT 1"))).one() == 1


async def test_a_test_that_leaves_nothing_open_leaves_its_connections(kept: Kept) -> None:
    first = await kept.empty()
    assert await answers(first)
    await kept.take_back()
    assert (await kept.empty()).engine is first.engine


async def test_the_tables_are_empty_and_their_rules_in_force(kept: Kept) -> None:
    first = await kept.empty()
    async with first.writing() as session:
        await session.execute(text(TRIED))
    await kept.take_back()
    async with (await kept.empty()).reading() as session:
        assert (await session.scalars(text("SELECT count(*) FROM throttles"))).one() == 0
        role = await session.scalars(text("SHOW session_replication_role"))
        assert role.one() == "origin"


async def test_clocks_and_bells_are_a_tests_own(kept: Kept) -> None:
    first = await kept.empty()
    rung: list[str] = []
    first.clock_shift, first.wake = timedelta(days=1), rung.extend
    await kept.take_back()
    second = await kept.empty()
    async with first.reading() as one, second.reading() as other:
        assert await transaction_time(one) - await transaction_time(other) > timedelta(hours=23)
    second.wake(["escalation"])
    assert rung == []


async def test_a_pool_that_was_hung_up_is_not_handed_on(kept: Kept) -> None:
    (await kept.empty()).hang_up()
    await kept.take_back()
    assert await answers(await kept.empty())


async def test_neither_is_one_of_which_a_connection_is_still_used(kept: Kept) -> None:
    first = await kept.empty()
    async with first.reading() as session:
        await kept.take_back()
        second = await kept.empty()
        assert second.engine is not first.engine
        await session.invalidate()  # no pool takes it back any more


async def test_what_was_ended_behind_our_back_is_noticed(kept: Kept, database_url: str) -> None:
    first = await kept.empty()
    async with first.reading() as one, first.reading() as other:
        pids = [
            (await each.scalars(text("SELECT pg_backend_pid()"))).one() for each in (one, other)
        ]
    await kept.take_back()
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    try:
        for pid in pids:
            assert await connection.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)
    finally:
        await connection.close()
    assert await answers(await kept.empty())
