"""Waits and what ends them, at the same time: whatever comes first, nobody is forgotten and
nobody is paged twice."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import text

from app.crud import crud_incident
from app.db.session import Database
from app.worker.escalation import climb_due
from app.worker.quiet import Quiet
from tests.stories.maintained import (
    BERLIN_HOURS,
    LOW,
    alter,
    change,
    end,
    put_clock,
    service,
    window,
)
from tests.world import Person, World

MANY = 120
_END = text("UPDATE maintenance_windows SET ended_at = starts_at WHERE id = :id")
# By activity, which says of whom: a wait for a transaction belongs to no database.
_IS_WAITING = """
    SELECT count(*) AS n FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE NOT granted AND datname = current_database()
"""


async def _until_somebody_waits(database: Database) -> None:
    """Until a transaction waits for another one."""
    async with asyncio.timeout(20):
        while True:
            [row] = await database.ask(_IS_WAITING)
            if row["n"]:
                return
            await asyncio.sleep(0.01)


@pytest.fixture
async def admin(world: World) -> Person:
    made = await world.admin()
    await world.policy(made, [(0, "admins")], final_delay_minutes=600)
    return made


@pytest.fixture
async def key(world: World, admin: Person) -> str:
    return await world.integration_key(admin)


async def send(world: World, key: str, numbers: range) -> list[int]:
    alerts = [{"title": "Disk", "service": "database", "dedup_key": str(n)} for n in numbers]
    answer = await world.call(
        "POST", "/v1/webhooks/alerts", headers={"X-API-Key": key}, json={"alerts": alerts}
    )
    return [one["incident_id"] for one in answer["alerts"]]


async def paged(world: World) -> Counter[int]:
    """How often each incident was paged for."""
    rows = await world.sql("SELECT incident_id FROM notifications WHERE kind = 'page'")
    return Counter(number for [number] in rows)


async def settle(world: World) -> None:
    """Turn the loops until nothing is to be done."""
    for _ in range(3):
        await Quiet(world.database).round()
        await world.climb()


async def test_whatever_opens_while_maintenance_is_ended_pages(
    world: World, admin: Person, key: str
) -> None:
    """The clock stands still: whoever is forgotten is not paged when the window would end."""
    made = await service(world)
    opened: list[int] = []
    for turn in range(12):
        on = await window(world, made, hours=10)
        first = range(turn * 100, turn * 100 + 5)
        then = range(turn * 100 + 50, turn * 100 + 55)
        opened += await send(world, key, first)
        found, _ = await asyncio.gather(send(world, key, then), end(world, on))
        opened += found
        await settle(world)
    assert await paged(world) == dict.fromkeys(opened, 1)


async def test_who_lets_an_incident_wait_waits_for_a_change_that_is_under_way(
    world: World, admin: Person, key: str
) -> None:
    """Ingest looks, sees the window on, and must not miss that it is being ended."""
    made = await service(world)
    on = await window(world, made)
    async with world.database.writing() as other:
        await other.execute(_END.bindparams(id=on))
        sending = asyncio.create_task(send(world, key, range(1)))
        await _until_somebody_waits(world.database)
    [number] = await sending
    await world.climb()
    assert await paged(world) == {number: 1}


async def test_replicas_ask_again_together_and_each_incident_is_paged_once(
    world: World, admin: Person, key: str
) -> None:
    made = await service(world)
    on = await window(world, made, hours=10)
    opened = await send(world, key, range(MANY))
    await end(world, on)
    await asyncio.gather(
        *(Quiet(world.database).round() for _ in range(3)),
        *(climb_due(world.database, batch=20) for _ in range(3)),
    )
    await settle(world)
    assert await paged(world) == dict.fromkeys(opened, 1)


async def test_at_the_end_of_maintenance_replicas_page_each_incident_once(
    world: World, admin: Person, key: str
) -> None:
    made = await service(world)
    await window(world, made, hours=1)
    opened = await send(world, key, range(MANY))
    world.clock.forward(minutes=61)
    await asyncio.gather(*(climb_due(world.database, batch=20) for _ in range(4)))
    await settle(world)
    assert await paged(world) == dict.fromkeys(opened, 1)


async def test_a_wait_that_changes_while_it_is_asked_about_ends_as_the_last_word_says(
    world: World, admin: Person, key: str
) -> None:
    made = await service(world, urgency=LOW, support_hours=BERLIN_HOURS)
    await put_clock(world, "2027-01-29T23:00:00+01:00")
    numbers = []
    for n in range(10):
        receipt = await world.alert(key, dedup_key=str(n), severity="low")
        numbers.append(receipt["incident_id"])
    await asyncio.gather(
        *(change(world, made, urgency=urgency) for urgency in (LOW, {}, LOW)),
        *(Quiet(world.database).round() for _ in range(2)),
        *(climb_due(world.database) for _ in range(2)),
    )
    await change(world, made, urgency={})
    await settle(world)
    assert await paged(world) == dict.fromkeys(numbers, 1)


async def test_an_incident_that_somebody_holds_is_asked_again_all_the_same(
    world: World, admin: Person, key: str
) -> None:
    made = await service(world)
    on = await window(world, made, hours=10)
    [number] = await send(world, key, range(1))
    await end(world, on)
    async with world.database.writing() as other:
        await crud_incident.lock(other, number)
        asking = asyncio.create_task(Quiet(world.database).round())
        await _until_somebody_waits(world.database)
    await asking
    await world.climb()
    assert await paged(world) == {number: 1}


async def test_resolving_races_the_end_of_a_wait_and_wins_or_loses_whole(
    world: World, admin: Person, key: str
) -> None:
    made = await service(world)
    for turn in range(10):
        on = await window(world, made, hours=10)
        [number] = await send(world, key, range(turn, turn + 1))
        await alter(world, on, ended_at=await world.clock.now())

        async def resolve(number: int = number) -> Any:
            return await world.act(admin, number, "resolve")

        await asyncio.gather(resolve(), settle(world))
    [[live]] = await world.sql(
        "SELECT count(*) FROM escalations WHERE next_step_at IS NOT NULL OR waits_until IS NOT NULL"
    )
    assert live == 0
    [[pending]] = await world.sql("SELECT count(*) FROM notifications WHERE status = 'pending'")
    assert pending == 0
