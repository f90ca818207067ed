"""A server that stands still, or takes no writes any more, is let go of, and found again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db import listen
from app.db.listen import IS_READ_ONLY, Bell
from app.db.session import Database, ReadSession, is_outage
from tests.db.line import line_to, opened

SOON = 10.0
CLOSED = "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"


async def pid(session: ReadSession) -> int:
    found: int = (await session.scalars(text("SELECT pg_backend_pid()"))).one()
    return found


async def in_writing(database: Database, sql: str) -> int:
    async with database.writing() as session:
        await session.execute(text(sql))
        return await pid(session)


async def eventually(act: Callable[[], Awaitable[object]]) -> None:
    """Try again for as long as the database is out."""
    async with asyncio.timeout(SOON):
        while True:
            try:
                await act()
            except Exception as error:
                if not is_outage(error):
                    raise
                await asyncio.sleep(0.02)
            else:
                return


async def is_seen(database: Database, statement: str) -> None:
    """That another session of this database is at this statement, or was last."""
    sql = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE :s"
    async with database.reading() as session:
        found = await session.execute(text(f"{sql} AND pid <> pg_backend_pid()"), {"s": statement})
        if found.first() is None:
            raise ConnectionError("not yet")


@asynccontextmanager
async def watched(database: Database) -> AsyncIterator[list[str]]:
    """With a bell that is on watch; what it rang here."""
    rung: list[str] = []
    bell = Bell(database, rung.append)
    bell.start()
    try:
        await eventually(lambda: is_seen(database, IS_READ_ONLY))
        yield rung
    finally:
        await bell.stop()


async def test_whoever_waits_is_told_that_the_line_is_dead(database_url: str) -> None:
    async with opened(database_url) as database:
        waiting = asyncio.create_task(in_writing(database, "SELECT pg_sleep(3600)"))
        await eventually(lambda: is_seen(database, "%pg_sleep(3600)%"))
        database.hang_up()
        with pytest.raises(DBAPIError) as caught:
            await asyncio.wait_for(waiting, SOON)
        assert is_outage(caught.value)


@pytest.mark.parametrize("moment", ["_get_statement", "_introspect_types"])
async def test_whoever_is_between_two_messages_is_told_the_same(
    database_url: str, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Preparing a statement is several messages, more of them if a type is new."""

    async def ask(database: Database) -> None:
        async with database.writing() as session:
            raw = await (await session.connection()).get_raw_connection()
            ours = raw.driver_connection
            goes_on = getattr(ours, moment)

            async def hang_up_first(*call: Any, **options: Any) -> object:
                database.hang_up()
                return await goes_on(*call, **options)

            monkeypatch.setattr(ours, moment, hang_up_first)
            await session.execute(text("SELECT t FROM pg_type t LIMIT 1"))

    async with opened(database_url) as database:
        with pytest.raises(DBAPIError) as caught:
            await ask(database)
        assert is_outage(caught.value)


async def test_nobody_gets_in_until_the_one_who_keeps_watch_has(database_url: str) -> None:
    async with opened(database_url) as database:
        await in_writing(database, "SELECT 1")
        database.hang_up()
        with pytest.raises(ConnectionError) as caught:
            await in_writing(database, "SELECT 1")
        assert is_outage(caught.value)
        (await database.connect_aside()).terminate()
        await in_writing(database, "SELECT 1")


async def test_a_server_that_refuses_the_watch_for_another_reason_is_tried_by_all(
    database_url: str,
) -> None:
    async with opened(database_url) as database:
        database.hang_up()
        settings = database._options["server_settings"]
        database._options["server_settings"] = {"no_such_setting": "1"}
        with pytest.raises(asyncpg.PostgresError, match="no_such_setting"):
            await database.connect_aside()
        database._options["server_settings"] = settings
        await in_writing(database, "SELECT 1")


async def test_a_server_that_stands_still_is_noticed_and_left(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "PATIENCE", 1)
    monkeypatch.setattr(listen, "WATCH_EVERY", 0.05)
    monkeypatch.setattr(listen, "RECONNECT_AFTER", 0.05)
    async with line_to(database_url) as line, opened(line.url) as database, watched(database):
        before = await in_writing(database, "SELECT 1")
        line.freeze()
        with pytest.raises((ConnectionError, DBAPIError)) as caught:
            await asyncio.wait_for(in_writing(database, "SELECT 1"), SOON)
        assert is_outage(caught.value)
        line.thaw()
        await eventually(lambda: in_writing(database, "SELECT 1"))
        assert await in_writing(database, "SELECT 1") != before


async def test_a_ring_that_nobody_answers_is_noticed_too(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "PATIENCE", 1)
    async with line_to(database_url) as line, opened(line.url) as database, watched(database):
        await in_writing(database, "SELECT 1")
        line.freeze()
        database.wake(["escalation"])
        with pytest.raises((ConnectionError, DBAPIError)):
            await asyncio.wait_for(in_writing(database, "SELECT 1"), SOON)


async def test_a_bell_whose_line_was_cut_hears_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "RECONNECT_AFTER", 0.05)
    cut = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
    """
    async with (
        opened(database_url) as near,
        opened(database_url) as far,
        watched(near) as rung,
        watched(far),
    ):

        async def ring() -> None:
            far.wake(["delivery"])
            await asyncio.sleep(0.02)
            if not rung:
                raise ConnectionError("not yet")

        await eventually(ring)
        await in_writing(near, cut)
        rung.clear()
        await eventually(ring)


async def test_a_write_that_is_refused_for_good_drops_the_whole_pool(database_url: str) -> None:
    async with opened(database_url) as database:
        async with database.writing() as one, database.writing() as two:
            before = {await pid(one), await pid(two)}
            await one.execute(text(CLOSED))
            await two.execute(text(CLOSED))
        with pytest.raises(DBAPIError) as caught:
            await in_writing(database, "CREATE TABLE never (made int)")
        assert is_outage(caught.value)
        async with database.writing() as one, database.writing() as two:
            assert before.isdisjoint({await pid(one), await pid(two)})


async def test_a_write_in_a_reading_transaction_is_our_own_mistake(database: Database) -> None:
    async with database.reading() as session:
        before = await pid(session)
        with pytest.raises(DBAPIError, match="read-only") as caught:
            await session.execute(text("CREATE TABLE never (made int)"))
    assert not is_outage(caught.value)
    async with database.reading() as session:
        assert await pid(session) == before
