"""The monitors' loop side by side with others, with pings, and with what goes wrong."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.crud import crud_heartbeat_ping
from app.db.session import WriteSession
from app.domain.storm import ServiceLimit
from app.services import heartbeat_ping as heartbeat_ping_service
from app.worker.monitors import Monitors
from tests.conftest import Clock
from tests.heartbeats import incidents, listening, look, monitor, ping, seen
from tests.world import Person, World

MANY = 40


class KilledError(Exception):
    """The process is gone."""


@pytest.fixture
async def admin(world: World) -> Person:
    await listening(world)
    return await world.admin()


async def overdue(world: World, admin: Person, count: int = 1) -> list[dict[str, Any]]:
    """Monitors whose pings are overdue, and that nobody has looked at."""
    made = [await monitor(world, admin, name=f"Job {n}") for n in range(count)]
    for one in made:
        await ping(world, one)
    world.clock.forward(minutes=71)
    await listening(world)
    return made


def loop(world: World, **kw: Any) -> Monitors:
    return Monitors(world.database, limit=ServiceLimit(0), **kw)


@pytest.mark.parametrize("batch", [1, 7, 200])
async def test_loops_side_by_side_open_one_incident_each(
    world: World, admin: Person, batch: int
) -> None:
    await overdue(world, admin, MANY)
    await asyncio.gather(*(loop(world, batch=batch).round() for _ in range(4)))
    titles = [one["title"] for one in await incidents(world, admin)]
    assert len(titles) == len(set(titles)) == MANY
    assert len(await world.sql("SELECT id FROM heartbeat_outages")) == MANY


async def test_a_ping_that_comes_during_the_claim_waits_and_ends_the_outage(
    world: World, admin: Person
) -> None:
    """The incident is there, and the ping resolves it: neither goes missing."""
    [made] = await overdue(world, admin)
    async with world.database.writing() as session:
        now = await world.clock.now()
        await heartbeat_ping_service.look(session, now=now, batch=9)
        pinging = asyncio.create_task(ping(world, made))
        await asyncio.wait([pinging], timeout=0.2)
        assert not pinging.done()
    await pinging
    assert [one["status"] for one in await incidents(world, admin)] == ["resolved"]
    assert (await seen(world, admin, made))["state"] == "up"


async def test_a_ping_under_way_is_not_taken_for_missing(world: World, admin: Person) -> None:
    [made] = await overdue(world, admin)
    async with world.database.writing() as session:
        await session.execute(text("SELECT 1 FROM heartbeat_monitors FOR NO KEY UPDATE"))
        await asyncio.wait_for(look(world), 5)
        assert await incidents(world, admin) == []
    await ping(world, made)
    await look(world)
    assert await incidents(world, admin) == []


async def test_a_loop_that_dies_before_its_commit_leaves_nothing(
    world: World, admin: Person
) -> None:
    """Incident, outage and the row come together, or none of them does."""
    [made] = await overdue(world, admin)

    async def look_and_die() -> None:
        async with world.database.writing() as session:
            now = await world.clock.now()
            assert (await heartbeat_ping_service.look(session, now=now, batch=9)).missed == 1
            raise KilledError

    with pytest.raises(KilledError):
        await look_and_die()
    assert await incidents(world, admin) == []
    assert (await seen(world, admin, made))["state"] == "late"
    await look(world)
    assert len(await incidents(world, admin)) == 1


async def test_a_connection_killed_in_mid_claim_loses_and_doubles_nothing(
    world: World, admin: Person
) -> None:
    await overdue(world, admin, 3)

    async def look_and_be_cut_off() -> None:
        async with world.database.writing() as session:
            await heartbeat_ping_service.look(session, now=await world.clock.now(), batch=9)
            [own] = await session.execute(text("SELECT pg_backend_pid()"))
            await world.sql("SELECT pg_terminate_backend(:pid)", pid=own[0])

    with pytest.raises(DBAPIError):
        await look_and_be_cut_off()
    await look(world)
    assert len(await incidents(world, admin)) == 3


async def test_a_bad_one_holds_up_none_of_the_rest(
    world: World, admin: Person, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await overdue(world, admin, 5)
    settle = crud_heartbeat_ping.settle
    [bad] = await world.sql("SELECT id FROM heartbeat_monitors WHERE name = 'Job 2'")

    async def failing(session: WriteSession, rows: list[Any]) -> None:
        if any(row.monitor_id == bad.id for row in rows):
            raise ValueError("this one cannot be written")
        await settle(session, rows)

    with monkeypatch.context() as patched:
        patched.setattr(crud_heartbeat_ping, "settle", failing)
        await look(world)
    assert len(await incidents(world, admin)) == 4
    clock.forward(minutes=1)
    await listening(world)
    await look(world)
    assert len(await incidents(world, admin)) == 5


async def test_a_storm_of_missed_pings_is_held_back_like_any_other(
    world: World, admin: Person
) -> None:
    await world.policy(admin, [(0, "admins")])
    for number in range(6):
        await ping(world, await monitor(world, admin, name=f"Job {number}", service="jobs"))
    world.clock.forward(minutes=71)
    await listening(world)
    await Monitors(world.database, limit=ServiceLimit(2)).round()
    found = [await world.timeline(admin, one["id"]) for one in await incidents(world, admin)]
    assert sorted("held_back" in types for types in found) == [False] * 2 + [True] * 4


async def test_pings_of_one_monitor_at_once_are_all_counted(world: World, admin: Person) -> None:
    made = await monitor(world, admin)
    await asyncio.gather(*(ping(world, made) for _ in range(30)))
    shown = await seen(world, admin, made)
    assert shown["ping_count"] == 30
    kept = (await world.call("GET", f"/v1/heartbeats/{made['id']}/pings", admin))["items"]
    assert [one["number"] for one in kept] == list(range(30, 5, -1))


async def test_failures_and_recoveries_at_once_leave_at_most_one_open(
    world: World, admin: Person
) -> None:
    made = await monitor(world, admin)
    words = ["fail", "", "fail", "fail", "", "0", "1", "start"] * 4
    await asyncio.gather(*(ping(world, made, word) for word in words))
    await ping(world, made, "fail")
    statuses = [one["status"] for one in await incidents(world, admin)]
    assert statuses.count("open") == 1
    [under_way] = await world.sql("SELECT count(*) FROM heartbeat_outages WHERE ended_at IS NULL")
    assert under_way[0] == 1
    await ping(world, made)
    assert {one["status"] for one in await incidents(world, admin)} == {"resolved"}
