"""What a claim holds, seen from another transaction: no race is needed to tell.

Holding the escalation alone would deadlock against acknowledging, the incident alone would
take a step twice once in a while: rare, and so the races alone might miss it.
"""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.crud import crud_escalation, crud_incident
from app.crud.crud_escalation import FROM_THE_START, Due, Mark, Since
from app.db.session import Database, WriteSession, transaction_time
from tests.explain import plans_of
from tests.world import World

LOCK_NOT_AVAILABLE = "55P03"


@pytest.fixture
async def due(world: World) -> tuple[Database, int]:
    """An incident whose first step is due."""
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    incident = await world.declare(admin)
    return world.database, incident["id"]


async def claim(session: WriteSession, *, limit: int = 10, **how: Any) -> list[Due]:
    now = await transaction_time(session)
    return await crud_escalation.claim_due(session, now=now, limit=limit, **how)


async def at_work(world: World, *severities: str) -> list[int]:
    """Incidents of these severities, the first overdue the longest; their numbers."""
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    ids = [(await world.declare(admin, severity=severity))["id"] for severity in severities]
    for turn, incident_id in enumerate(ids):
        await world.sql(
            "UPDATE escalations SET next_step_at = now() - make_interval(mins => 60 - :turn),"
            " is_critical = (SELECT severity = 'critical' FROM incidents WHERE id = incident_id)"
            " WHERE incident_id = :id",
            id=incident_id,
            turn=turn,
        )
    return ids


def incidents(dues: list[Due]) -> list[int]:
    return [due.incident.id for due in dues]


async def is_held(database: Database, table: str) -> bool:
    """Whether somebody holds the only row of a table."""
    try:
        async with database.writing() as session:
            await session.execute(text(f"SELECT 1 FROM {table} FOR NO KEY UPDATE NOWAIT"))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        return True
    return False


async def test_a_claim_holds_the_incident_and_the_escalation(due: tuple[Database, int]) -> None:
    database, _ = due
    async with database.writing() as session:
        assert len(await claim(session)) == 1
        assert await is_held(database, "incidents")
        assert await is_held(database, "escalations")
    assert not await is_held(database, "escalations")


async def test_a_claim_passes_over_an_incident_that_somebody_holds(
    due: tuple[Database, int],
) -> None:
    database, incident_id = due
    async with database.writing() as holder:
        await crud_incident.lock(holder, incident_id)
        async with database.writing() as session:
            assert await asyncio.wait_for(claim(session), 5) == []
    async with database.writing() as session:
        assert len(await claim(session)) == 1


async def test_a_claim_passes_over_an_escalation_that_somebody_holds(
    due: tuple[Database, int],
) -> None:
    database, _ = due
    async with database.writing() as holder:
        await holder.execute(text("SELECT 1 FROM escalations FOR NO KEY UPDATE"))
        async with database.writing() as session:
            assert await asyncio.wait_for(claim(session), 5) == []


async def test_a_claim_does_not_hold_up_what_refers_to_the_incident(
    due: tuple[Database, int], world: World
) -> None:
    database, incident_id = due
    ana = await world.person()
    async with database.writing() as session:
        await claim(session)
        path = f"/v1/incidents/{incident_id}/comments"
        commenting = world.call("POST", path, ana, expect=201, json={"content": "Looking."})
        await asyncio.wait_for(commenting, 5)


async def test_what_is_critical_is_claimed_first_however_much_else_is_overdue(
    world: World,
) -> None:
    low, high, critical = await at_work(world, "low", "high", "critical")
    async with world.database.writing() as session:
        assert incidents(await claim(session)) == [critical, low, high]
    async with world.database.writing() as session:
        assert incidents(await claim(session, limit=1)) == [critical]


async def test_what_is_critical_leaves_room_for_the_rest(world: World) -> None:
    """A steady trickle of critical steps must not starve what is lower."""
    critical, *low = await at_work(world, "critical", "low", "low")
    async with world.database.writing() as session:
        assert incidents(await claim(session, limit=2)) == [critical, *low]


async def test_a_claim_for_some_incidents_takes_theirs_alone(world: World) -> None:
    first, second, third = await at_work(world, "low", "critical", "low")
    async with world.database.writing() as session:
        assert incidents(await claim(session, incident_ids=[third, first])) == [first, third]
        assert incidents(await claim(session, incident_ids=[second])) == [second]
        assert await claim(session, incident_ids=[]) == []


async def test_a_claim_sees_what_its_own_transaction_has_changed(world: World) -> None:
    """A rehearsal moves an incident on and claims again, without a commit in between."""
    [incident_id] = await at_work(world, "low")
    async with world.database.writing() as session:
        incident = await crud_incident.lock(session, incident_id)
        assert incident is not None
        incident.created_by = None
        [due] = await claim(session, incident_ids=[incident_id])
        assert due.incident.created_by is None


async def test_a_claim_begins_at_its_mark(world: World) -> None:
    low = await at_work(world, "low", "low", "low")
    rows = await world.sql("SELECT next_step_at, id FROM escalations ORDER BY next_step_at")
    since = Since(FROM_THE_START.critical, Mark(*rows[1]))
    async with world.database.writing() as session:
        assert incidents(await claim(session, since=since)) == low[1:]
    _, found = await crud_escalation.next_due(world.database, since=since)
    assert (found.critical, found.other) == (None, rows[1][0])


async def test_of_steps_due_at_one_instant_the_mark_tells_them_apart(world: World) -> None:
    low = await at_work(world, "low", "low", "low")
    await world.sql("UPDATE escalations SET next_step_at = now() - interval '1 hour'")
    rows = await world.sql("SELECT next_step_at, id FROM escalations ORDER BY id")
    since = Since(FROM_THE_START.critical, Mark(*rows[2]))
    async with world.database.writing() as session:
        assert incidents(await claim(session, since=since)) == low[2:]


async def test_a_claim_reads_no_more_of_the_index_than_what_is_due_from_its_mark_on(
    world: World,
) -> None:
    """Whatever the sizes of the tables: no sort, no filter, no join but by key."""
    await world.sql(
        "INSERT INTO incidents (title, severity, service)"
        " SELECT 'x', 'low', 'x' FROM generate_series(1, 3000)"
    )
    await world.sql(
        "INSERT INTO escalations (incident_id, policy_name, steps, final_delay_minutes,"
        " next_step_at, started_at)"
        " SELECT id, 'x', '[]', 5, now() + (id % 100 - 90) * interval '1 minute', now()"
        " FROM incidents"
    )
    await world.sql("ANALYZE incidents")
    await world.sql("ANALYZE escalations")
    mark = Mark(await world.clock.now() - timedelta(hours=1), 7)
    since = Since(mark, mark)
    async with (
        plans_of(world.database, "next_step_at") as plans,
        world.database.writing() as session,
    ):
        assert len(await claim(session, limit=200, since=since)) == 200
        await crud_escalation.next_due(world.database, since=since)
    assert len(plans) == 2
    for plan in plans:
        assert (
            plan.count("Index Scan using ix_escalations_due")
            + plan.count("Index Only Scan using ix_escalations_due")
            == 2
        )
        assert plan.count("ROW(next_step_at, id) >=") == 2
        assert "Sort" not in plan
        assert "Seq Scan" not in plan
        assert "Filter: " not in plan.replace("One-Time Filter: ", "")
