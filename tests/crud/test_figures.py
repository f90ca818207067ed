"""Figures are counted from one index, and are what the rows say after whatever people did."""

import random
import statistics
from collections import defaultdict
from datetime import timedelta
from math import ceil
from typing import Any

import pytest
from sqlalchemy import text

from app.crud import crud_figures
from app.crud.crud_figures import FiguresFilter, Group, Response
from app.domain.incident import Severity
from app.domain.timeline import Interval
from tests.world import World

YEAR = """
    INSERT INTO incidents (title, description, status, severity, service, created_at, updated_at,
        first_acknowledged_at, first_acknowledged_by, resolved_at, resolved_by)
    SELECT 'x', repeat('The volume fills. ', 40), 'resolved',
        (ARRAY['critical', 'high', 'medium', 'low'])[1 + n % 4],
        'service-' || n % 20, at, at + interval '2 hours',
        at + n % 3000 * interval '1 second', NULL, at + interval '2 hours', NULL
    FROM (SELECT n, now() - n * interval '20 minutes' AS at FROM generate_series(1, 20000) n) one
"""


async def year(world: World) -> FiguresFilter:
    now = await world.clock.now()
    return FiguresFilter(Interval(now - timedelta(days=366), now + timedelta(days=1)))


async def test_what_is_over_is_counted_without_a_look_at_its_row(world: World) -> None:
    await world.sql(YEAR)
    async with world.database.engine.connect() as connection:
        free = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await free.execute(text("VACUUM (ANALYZE) incidents"))
    now = await world.clock.now()
    where = FiguresFilter(Interval(now - timedelta(days=30), now))
    statement = crud_figures._RESPONSE_OF_ALL
    async with world.database.reading() as session:
        await crud_figures.prepare(session)
        explained = text(f"EXPLAIN {statement.text}").bindparams(*statement._bindparams.values())
        plan = "\n".join((await session.scalars(explained, crud_figures.values_of(where))).all())
    assert "Index Only Scan using ix_incidents_figures" in plan, plan
    assert "Seq Scan on incidents" not in plan


async def test_an_open_incident_is_not_in_the_index(world: World) -> None:
    ana = await world.person()
    entries = "SELECT pg_relation_size('ix_incidents_figures')"
    before = (await world.sql(entries))[0][0]
    for _ in range(3):
        await world.declare(ana)
    assert (await world.sql(entries))[0][0] == before
    number = (await world.declare(ana))["id"]
    await world.act(ana, number, "resolve")
    assert (await world.sql(entries))[0][0] > before  # its first page


# --- Against a slow count


def middle(taken: list[int], part: float) -> int | None:
    return sorted(taken)[ceil(len(taken) * part) - 1] if taken else None


def slowly(rows: list[Any]) -> dict[str, tuple[Any, ...]]:
    """By service, from the rows as they are: counted one by one."""
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        if row.deleted_at is None and not row.is_drill:
            found[row.service].append(row)
    told = {}
    for service, mine in found.items():
        answered = [
            round((row.first_at - row.created_at).total_seconds())
            for row in mine
            if row.first_at is not None
        ]
        taken = [
            round((row.resolved_at - row.created_at).total_seconds())
            for row in mine
            if row.resolved_at is not None
        ]
        told[service] = (
            len(mine),
            len(mine) - len(taken),
            len(mine) - len(answered),
            round(statistics.mean(answered), 1) if answered else None,
            middle(answered, 0.5),
            middle(answered, 0.9),
            middle(taken, 0.5),
            middle(taken, 0.9),
        )
    return told


def quickly(found: list[Response]) -> dict[str, tuple[Any, ...]]:
    return {
        str(one.key): (
            one.opened,
            one.unresolved,
            one.unacknowledged,
            one.to_acknowledge.mean,
            one.to_acknowledge.median,
            one.to_acknowledge.p90,
            one.to_resolve.median,
            one.to_resolve.p90,
        )
        for one in found
    }


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.stress) for seed in range(2, 12))]
)
async def test_whatever_people_do_figures_are_what_the_rows_say(world: World, seed: int) -> None:
    chance = random.Random(seed)
    admin = await world.admin()
    first: dict[int, Any] = {}
    known: list[int] = []
    for _ in range(60):
        world.clock.forward(seconds=chance.randrange(1, 600))
        if len(known) < 5 or chance.random() < 0.2:
            known.append((await world.declare(admin, service=chance.choice(["a", "b"])))["id"])
            continue
        number = chance.choice(known)
        match chance.randrange(6):
            case 0:
                body = {"severity": chance.choice(list(Severity))}
                path = f"/v1/incidents/{number}"
                await world.client.patch(path, headers=admin.headers, json=body)
            case 1:
                path = f"/v1/incidents/{number}?confirm={number}"
                await world.client.delete(path, headers=admin.headers)
            case 2:
                path = f"/v1/incidents/{number}/restore"
                await world.client.post(path, headers=admin.headers)
            case which:
                action = ("acknowledge", "resolve", "reopen")[which - 3]
                path = f"/v1/incidents/{number}/{action}"
                await world.client.post(path, headers=admin.headers)
        rows = await world.sql(
            "SELECT acknowledged_at FROM incidents WHERE id = :id AND acknowledged_at IS NOT NULL",
            id=number,
        )
        if rows:
            first.setdefault(number, rows[0][0])
    rows = await world.sql(
        "SELECT id, service, deleted_at, is_drill, created_at, resolved_at FROM incidents"
    )
    for row in rows:
        first.setdefault(row.id, None)

    class Told:
        def __init__(self, row: Any) -> None:
            vars(self).update(row._mapping)
            self.first_at = first[row.id]

    async with world.database.reading() as session:
        found = await crud_figures.response(session, await year(world), Group.SERVICE)
    assert quickly(found) == slowly([Told(row) for row in rows])
