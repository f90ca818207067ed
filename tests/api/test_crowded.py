"""More requests than connections: told so soon, and well again as soon as one is free."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest
from fastapi import FastAPI

from app.db import session as db
from app.db.session import Database, WriteSession
from tests.api.answers import refusal
from tests.world import World


@pytest.fixture
async def small(database: Database, app: FastAPI) -> AsyncIterator[Database]:
    """A pool of two that says soon that both are at work."""
    made = Database(database.engine.url, pool_size=2, pool_timeout=0.05)
    app.state.service = replace(app.state.service, database=made)
    yield made
    await made.close()


@asynccontextmanager
async def held(database: Database) -> AsyncIterator[AsyncExitStack]:
    """Every connection is somebody's."""
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(database.reading())
        yield stack


async def test_who_asks_is_told_soon_and_served_as_soon_as_that_can_be(
    world: World, small: Database
) -> None:
    ana = await world.person()
    async with held(small):
        answers = await asyncio.gather(
            *(world.client.get("/v1/incidents", headers=ana.headers) for _ in range(5))
        )
        for answer in answers:
            assert refusal(answer, 503, "OVERLOADED") == {}
            assert answer.headers["retry-after"] == "1"
    assert (await world.client.get("/v1/incidents", headers=ana.headers)).status_code == 200


async def test_pages_have_connections_that_no_request_can_take(small: Database) -> None:
    loops = small.beside(pool_size=1)
    async with held(small), loops.reading() as session:
        assert await db.transaction_time(session)
    await loops.close()


async def test_an_alert_waits_in_line_more_than_once(
    world: World, small: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await world.integration_key(await world.admin())
    await world.alert(key)  # the key is known from here on
    writing, turns = small.writing, 0
    async with held(small) as stack:

        @asynccontextmanager
        async def counted() -> AsyncIterator[WriteSession]:
            nonlocal turns
            turns += 1
            if turns == 3:
                await stack.aclose()
            async with writing() as session:
                yield session

        monkeypatch.setattr(small, "writing", counted)
        await world.alert(key, dedup_key="another")
    assert turns == 3


async def test_an_alert_that_waited_long_enough_is_refused_with_a_time_to_come_again(
    world: World, small: Database
) -> None:
    key = await world.integration_key(await world.admin())
    await world.alert(key)
    async with held(small):
        answer = await world.client.post(
            "/v1/webhooks/alerts", headers={"X-API-Key": key}, json={"title": "Disk full"}
        )
    refusal(answer, 503, "OVERLOADED")
    assert answer.headers["retry-after"] == "1"


def test_nobody_who_asks_waits_longer_than_two_seconds_for_a_connection() -> None:
    assert db.POOL_TIMEOUT <= 2 < db.LOOPS_TIMEOUT
