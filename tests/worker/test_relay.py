"""The relay: places in the order that readers may rely on, whatever commits when and who dies."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from app.crud import crud_event
from app.db import backup
from app.db.session import Database
from app.domain.event import EventType
from app.models import Event
from app.worker import relay
from app.worker.relay import Relay
from tests.world import World


async def put(database: Database, *titles: str) -> None:
    async with database.writing() as session:
        for title in titles:
            await crud_event.add(session, event(title))


def event(title: str) -> Event:
    return Event(type=EventType.INCIDENT_UPDATED, data={"title": title})


async def feed(database: Database, after: int = 0) -> list[tuple[int, str]]:
    async with database.reading() as session:
        found = await crud_event.read_after(session, after, 10_000)
    return [(one.position or 0, one.data["title"]) for one in found]


async def test_events_get_consecutive_places_once(database: Database) -> None:
    await put(database, "a", "b")
    turning = Relay(database)
    await turning.round()
    await put(database, "c")
    await turning.round()
    await turning.round()
    assert await feed(database) == [(1, "a"), (2, "b"), (3, "c")]
    async with database.reading() as session:
        assert await crud_event.last_position(session) == 3


async def test_what_commits_late_comes_after_what_was_read_before(database: Database) -> None:
    turning = Relay(database)
    async with AsyncExitStack() as slow:
        session = await slow.enter_async_context(database.writing())
        await crud_event.add(session, event("slow"))  # the lower id
        await put(database, "quick")
        await turning.round()
        seen = await feed(database)
        assert seen == [(1, "quick")]
    await turning.round()
    assert await feed(database, after=seen[-1][0]) == [(2, "slow")], "a reader would miss it"


async def test_one_that_was_open_for_ages_is_found_all_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "OVERLAP", 0)
    turning = Relay(database)
    async with AsyncExitStack() as slow:
        session = await slow.enter_async_context(database.writing())
        await crud_event.add(session, event("slow"))
        await turning.round()  # a look from the start: the next comes later
        await put(database, "quick")
        await turning.round()
    lead = await turning.round()
    assert await feed(database) == [(1, "quick")], "it looked where little is to be found"
    assert lead is not None
    assert lead.total_seconds() <= relay.LOOK_EVERY
    monkeypatch.setattr(turning, "_next_look", 0.0)
    await turning.round()
    assert await feed(database) == [(1, "quick"), (2, "slow")]


async def test_many_relays_and_many_writers_make_one_order(database: Database) -> None:
    """What each reader has seen at any time is the whole beginning of what there is in the end."""
    writing = asyncio.Event()
    views: list[list[tuple[int, str]]] = []

    async def write(name: str) -> None:
        for turn in range(15):
            async with database.writing() as session:
                await crud_event.add(session, event(f"{name}{turn}"))
                await asyncio.sleep(0)

    async def turn(one: Relay) -> None:
        while not writing.is_set():
            await one.round()

    async def read() -> None:
        view: list[tuple[int, str]] = []
        while not writing.is_set():
            view += await feed(database, after=view[-1][0] if view else 0)
        views.append(view)

    relays = [asyncio.create_task(turn(Relay(database))) for _ in range(3)]
    readers = [asyncio.create_task(read()) for _ in range(2)]
    await asyncio.gather(*(write(name) for name in "abcd"))
    writing.set()
    await asyncio.gather(*relays, *readers)
    last = Relay(database)
    await last.round()
    told = await feed(database)
    assert [position for position, _ in told] == list(range(1, 61))
    assert all(view == told[: len(view)] for view in views)
    for name in "abcd":  # who writes one after the other is told in that order
        assert [t for _, t in told if t[0] == name] == [f"{name}{turn}" for turn in range(15)]


async def test_a_relay_that_dies_in_the_middle_leaves_nothing_half_done(
    world: World, database: Database
) -> None:
    await put(database, "first")
    await Relay(database).round()
    await put(database, "a", "b")
    dying, other = Database(database.engine.url, pool_size=1), Relay(database)

    async def die() -> None:
        async with dying.writing() as session:
            assert await crud_event.hold_feed(session)
            await crud_event.place(session, after=0)
            assert await other.round() == relay.BUSY, "only one at a time"
            await world.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_locks l"
                " WHERE l.relation = 'event_feed'::regclass AND pid <> pg_backend_pid()"
                # Copies of one template number their tables alike.
                " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )

    with pytest.raises(DBAPIError):
        await die()
    await dying.close()
    while await other.round() == relay.BUSY:  # until the server has buried it
        pass
    assert await feed(database) == [(1, "first"), (2, "a"), (3, "b")]


async def test_places_go_on_when_everything_was_pruned(database: Database, world: World) -> None:
    await put(database, "a", "b")
    turning = Relay(database)
    await turning.round()
    await world.sql("DELETE FROM events")
    await put(database, "c")
    await turning.round()
    assert await feed(database) == [(3, "c")]


async def test_after_a_restore_no_bookmark_is_given_out_again(
    database: Database, world: World
) -> None:
    """Readers saw place 3; the backup ended at 2."""
    await put(database, "a", "b")
    turning = Relay(database)
    await turning.round()
    await world.sql(backup.LEAP)
    await put(database, "another")
    await turning.round()
    assert await feed(database, after=3) == [(1_000_003, "another")]


async def test_more_than_one_batch_is_placed_in_one_round(world: World, database: Database) -> None:
    await world.sql(
        "INSERT INTO events (type, data) SELECT 'incident.updated', jsonb_build_object('title', n)"
        f" FROM generate_series(1, {crud_event.MOST * 2 + 1}) n"
    )
    await Relay(database).round()
    found = await feed(database)
    assert [position for position, _ in found] == list(range(1, crud_event.MOST * 2 + 2))


async def test_who_reads_the_feed_is_rung_only_when_there_is_something(database: Database) -> None:
    rung: list[Any] = []
    database.wake = rung.extend
    turning = Relay(database)
    await turning.round()
    assert rung == []
    await put(database, "a")
    await turning.round()
    assert rung == ["feed"]
