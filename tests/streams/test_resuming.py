"""Coming back to a stream: nothing is missed, nothing comes twice, and what is lost is said."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import httpx
import pytest

from app.api import event_stream, feed
from app.db import backup
from app.worker.housekeeping import Housekeeping
from tests.streams.listening import Stage, listening
from tests.world import Person


async def happen(stage: Stage, admin: Person, times: int) -> None:
    for _ in range(times):
        await stage.world.declare(admin)
    await stage.relay()


@pytest.mark.parametrize("how", ["header", "query", "both"])
async def test_who_comes_back_with_an_id_gets_what_followed_it(stage: Stage, how: str) -> None:
    admin = await stage.world.admin()
    await happen(stage, admin, 4)
    headers = admin.headers | ({} if how == "query" else {"Last-Event-ID": "2"})
    # A browser that comes back sends the header to the URL that it began with.
    query = {"header": "", "query": "?last_event_id=2", "both": "?last_event_id=1"}[how]
    async with listening(stage.http, f"/v1/stream{query}", headers=headers) as stream:
        assert [(await stream.event()).id for _ in range(2)] == [3, 4]
        await stage.joined(1)
        await happen(stage, admin, 1)
        assert (await stream.event()).id == 5


async def test_what_happens_while_one_reads_back_comes_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many come back in pages of one, while more and more happens."""
    monkeypatch.setattr(feed, "PAGE", 1)
    admin = await stage.world.admin()
    await happen(stage, admin, 5)
    total = 25

    async def read(after: int) -> list[int | None]:
        path = f"/v1/stream?last_event_id={after}"
        async with listening(stage.http, path, headers=admin.headers) as stream:
            return [(await stream.event()).id for _ in range(total - after)]

    reading = [asyncio.create_task(read(after % 5)) for after in range(10)]
    for _ in range(total - 5):
        await happen(stage, admin, 1)
    for after, told in enumerate(await asyncio.gather(*reading)):
        assert told == list(range(after % 5 + 1, total + 1))


async def test_who_was_away_for_too_long_is_told_so(stage: Stage) -> None:
    admin = await stage.world.admin()
    await happen(stage, admin, 2)
    stage.world.clock.forward(days=8)
    await happen(stage, admin, 1)
    await Housekeeping(stage.database, events_kept=timedelta(days=7)).sweep()
    headers = admin.headers | {"Last-Event-ID": "1"}
    async with listening(stage.http, headers=headers) as stream:
        reset = await stream.event()
        assert (reset.event, reset.id) == ("reset", 3)
        assert "Read everything anew" in reset.data["reason"]
        await stage.joined(1)
        await happen(stage, admin, 1)
        assert (await stream.event()).id == 4
    # Whoever had read all that is gone has missed nothing.
    headers["Last-Event-ID"] = "2"
    async with listening(stage.http, "/v1/stream?follow=false", headers=headers) as stream:
        assert [(event.id, event.event) for event in await stream.rest()] == [
            (3, "incident.created"),
            (4, "incident.created"),
        ]


async def test_a_bookmark_of_another_database_is_told_so(stage: Stage) -> None:
    admin = await stage.world.admin()
    await happen(stage, admin, 1)
    headers = admin.headers | {"Last-Event-ID": "1000"}
    async with listening(stage.http, headers=headers) as stream:
        assert ((await stream.event()).event, 1) == ("reset", 1)


async def test_after_a_restore_readers_go_on_without_a_gap(stage: Stage) -> None:
    """A reader had come to place 3; the backup knew of 2."""
    admin = await stage.world.admin()
    await happen(stage, admin, 2)
    await stage.world.sql(backup.LEAP)
    await happen(stage, admin, 1)
    headers = admin.headers | {"Last-Event-ID": "3"}
    async with listening(stage.http, "/v1/stream?follow=false", headers=headers) as stream:
        [told] = await stream.rest()
    assert (told.event, told.id) == ("incident.created", 1_000_003)


async def test_a_reader_that_does_not_keep_up_is_let_go_and_can_resume(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads nothing, and all that is kept for it is bounded."""
    monkeypatch.setattr(event_stream, "SEND_PATIENCE", 0.2)
    monkeypatch.setattr(feed, "QUEUE", 50)
    admin = await stage.world.admin()
    many = 6_000
    async with listening(stage.http, headers=admin.headers) as stream:
        await stage.joined(1)
        [reader] = stage.world.service.feed._readers
        for _ in range(many // 1_000):
            await stage.world.sql(
                "INSERT INTO events (type, data) SELECT 'incident.updated',"
                " jsonb_build_object('description', repeat('x', 2000))"
                " FROM generate_series(1, 1000)"
            )
            await stage.relay()
            assert len(reader._waiting) <= 50
        await stage.joined(0)
        assert reader.end is feed.End.SLOW
        told = []
        with suppress(httpx.RemoteProtocolError):  # it is cut off
            while (block := await stream.block()) is not None:
                told += [block.id] if block.data is not None else []
    assert 0 < len(told) < many
    path = f"/v1/stream?follow=false&last_event_id={told[-1]}"
    async with listening(stage.http, path, headers=admin.headers) as stream:
        rest = [event.id for event in await stream.rest()]
    assert told + rest == list(range(1, many + 1))


async def test_when_the_process_stops_streams_end_and_nobody_else_gets_in(stage: Stage) -> None:
    admin = await stage.world.admin()
    async with listening(stage.http, headers=admin.headers) as stream:
        await stage.joined(1)
        stage.world.service.feed.close()
        assert await stream.block() is None, "it ends properly, with nothing cut off"
    answer = await stage.http.get("/v1/stream", headers=admin.headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
