"""What a claim holds, seen from another transaction: no race is needed to tell.

Holding the escalation alone would deadlock against acknowledging, the incident alone would
take a step twice once in a while: rare, and so the races alone might miss it.
"""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.crud import crud_escalation, crud_incident
from app.crud.crud_escalation import Due
from app.db.session import Database, WriteSession, transaction_time
from tests.world import World

LOCK_NOT_AVAILABLE = "55P03"


@pytest.fixture
async def due(world: World) -> tuple[Database, int]:
    """An incident whose first step is due."""
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    incident = await world.declare(admin)
    return world.database, incident["id"]


async def claim(session: WriteSession) -> list[Due]:
    now = await transaction_time(session)
    return await crud_escalation.claim_due(session, now=now, limit=10)


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
