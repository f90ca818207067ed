"""Races, run many times: what must hold when several replicas and people act at once.

Deadlocks would be retried and so go unnoticed; here PostgreSQL's own count of them is part
of the verdict, and so are the faults that a step taken twice leaves on its escalation.
"""

import asyncio
import os
import random

import asyncpg
import pytest

from app.domain.bundle import PageLimit
from app.domain.incident import IncidentStatus
from app.domain.user import Actor
from app.services import incident as incident_service
from app.worker.escalation import climb_due
from tests.conftest import plain
from tests.worker.lanes import deliver, lane
from tests.world import Person, Scripted, World

pytestmark = pytest.mark.stress

ROUNDS = int(os.environ.get("STRESS_ROUNDS", "12"))
INCIDENTS = 30


async def _deadlocks(url: str) -> int:
    connection = await asyncpg.connect(plain(url))
    try:
        await connection.execute("SELECT pg_stat_clear_snapshot()")
        count: int = await connection.fetchval(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        return count
    finally:
        await connection.close()


@pytest.fixture
async def crowd(world: World) -> tuple[World, Person, list[int]]:
    """Many open incidents, each with two policies whose first steps are due now."""
    admin = await world.admin()
    ana = await world.person()
    target = {"user": ana.id}
    for name in ("One", "Two"):
        await world.policy(admin, [(0, target), (0.001, target), (0.001, target)], name=name)
    key = await world.integration_key(admin)
    body = [{"title": f"Problem {n}", "dedup_key": str(n)} for n in range(INCIDENTS)]
    answer = await world.call("POST", "/v1/webhooks/alerts", headers={"X-API-Key": key}, json=body)
    return world, admin, [receipt["incident_id"] for receipt in answer["alerts"]]


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_workers_side_by_side_take_every_step_once(
    round_: int, crowd: tuple[World, Person, list[int]], database_url: str
) -> None:
    world, _, incidents = crowd
    before = await _deadlocks(database_url)
    world.clock.forward(seconds=1)
    await asyncio.gather(*(climb_due(world.database, batch=3) for _ in range(6)))
    await world.climb()
    taken = await world.sql(
        "SELECT escalation_id, loop, step, count(*) FROM escalation_events GROUP BY 1, 2, 3"
    )
    assert {row[3] for row in taken} == {1}
    assert len(taken) == 2 * 3 * len(incidents)
    [[faults]] = await world.sql("SELECT count(*) FROM escalations WHERE faults > 0")
    assert faults == 0
    assert await _deadlocks(database_url) == before


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_acknowledging_while_workers_climb_never_deadlocks_and_always_stops(
    round_: int, crowd: tuple[World, Person, list[int]], database_url: str
) -> None:
    world, admin, incidents = crowd
    before = await _deadlocks(database_url)
    world.clock.forward(seconds=1)
    order = random.Random(round_).sample(incidents, len(incidents))

    async def acknowledge() -> None:
        for incident_id in order:
            await world.act(admin, incident_id, "acknowledge")

    await asyncio.gather(acknowledge(), *(climb_due(world.database, batch=3) for _ in range(6)))
    await world.climb()
    waiting = await world.sql(
        "SELECT 1 FROM notifications WHERE status IN ('pending', 'sending')"
        " UNION ALL SELECT 1 FROM escalations WHERE next_step_at IS NOT NULL"
    )
    assert waiting == []
    [[faults]] = await world.sql("SELECT count(*) FROM escalations WHERE faults > 0")
    assert faults == 0
    assert await _deadlocks(database_url) == before


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_lanes_side_by_side_send_every_page_once(
    round_: int, crowd: tuple[World, Person, list[int]]
) -> None:
    world, _, incidents = crowd
    world.clock.forward(seconds=1)
    await world.climb()
    senders = [Scripted() for _ in range(4)]
    everything = PageLimit(1_000)  # nothing is bundled here
    await asyncio.gather(*(deliver(lane(world, sender, everything)) for sender in senders))
    marks = [message.mark for sender in senders for message in sender.messages]
    assert len(marks) == len(set(marks)) == 2 * 3 * len(incidents)


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_one_problem_told_by_many_at_once_is_one_incident(round_: int, world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    receipts = await asyncio.gather(*(world.alert(key) for _ in range(20)))
    assert len({receipt["incident_id"] for receipt in receipts}) == 1
    assert sorted(receipt["outcome"] for receipt in receipts) == ["joined"] * 19 + ["opened"]
    incident = await world.call("GET", f"/v1/incidents/{receipts[0]['incident_id']}", admin)
    assert incident["alert_count"] == 20


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_batches_that_open_and_resolve_the_same_problems_all_succeed(
    round_: int, world: World
) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    chance = random.Random(round_)

    async def batch() -> None:
        body = [
            {"title": "x", "dedup_key": str(chance.randrange(8)), "status": status}
            for status in chance.choices(("firing", "resolved"), k=30)
        ]
        await world.call("POST", "/v1/webhooks/alerts", headers={"X-API-Key": key}, json=body)

    await asyncio.gather(*(batch() for _ in range(6)))
    twice = await world.sql(
        "SELECT dedup_key FROM incidents WHERE status <> 'resolved' GROUP BY 1 HAVING count(*) > 1"
    )
    assert twice == []
    # Every alert that joined was counted where it says it joined.
    wrong = await world.sql(
        "SELECT t.incident_id FROM incident_tallies t WHERE alert_count <> (SELECT count(*)"
        " FROM alerts a WHERE a.incident_id = t.incident_id AND outcome IN ('opened', 'joined'))"
    )
    assert wrong == []


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_an_alert_never_joins_an_incident_that_is_being_resolved(
    round_: int, world: World
) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    first = await world.alert(key)
    again, _ = await asyncio.gather(
        world.alert(key), world.act(admin, first["incident_id"], "resolve")
    )
    resolved = await world.call("GET", f"/v1/incidents/{first['incident_id']}", admin)
    assert resolved["status"] == "resolved"
    if again["outcome"] == "joined":  # it came first: counted before the end
        assert resolved["alert_count"] == 2
    else:
        assert again["incident_id"] != first["incident_id"]


async def test_alerts_join_while_somebody_holds_the_incident(world: World) -> None:
    """A storm on one key must not wait for the incident's row, nor make it wait."""
    admin = await world.admin()
    key = await world.integration_key(admin)
    first = await world.alert(key)
    async with world.database.writing() as session:
        await incident_service.change_status(
            session,
            first["incident_id"],
            IncidentStatus.ACKNOWLEDGED,
            actor=Actor("Ana"),
            now=await world.clock.now(),
        )
        again = await asyncio.wait_for(world.alert(key), 5)
    assert again["outcome"] == "joined"


async def test_a_batch_is_taken_in_whatever_its_order_says(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    body = [
        {"title": "x", "dedup_key": "k", "status": status}
        for status in ("firing", "firing", "resolved", "firing", "resolved", "firing")
    ]
    answer = await world.call("POST", "/v1/webhooks/alerts", headers={"X-API-Key": key}, json=body)
    outcomes = [receipt["outcome"] for receipt in answer["alerts"]]
    assert outcomes == ["opened", "joined", "resolved", "opened", "resolved", "opened"]
    assert len({receipt["incident_id"] for receipt in answer["alerts"]}) == 3
