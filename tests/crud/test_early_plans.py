"""What an alert costs does not grow with what there is, even where PostgreSQL planned its
statements when there was nothing: a connection keeps its plans, and a new table's rows are not
counted at once.
"""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from app.core.security import hash_key
from app.crud import crud_incident_list, crud_intake
from app.crud.base import Window
from app.crud.crud_incident_filter import IncidentFilter
from app.db.session import Ask, Database, WriteSession
from app.domain.incident import Opening, Severity
from app.domain.integration import IntegrationKind
from app.domain.search import to_query
from app.domain.storm import ServiceLimit
from app.domain.user import Role
from app.services import integration as integration_service
from app.services import plain_intake
from app.services.plain_intake import Parcel
from tests.world import World

ROWS = 5_000
MOST_READ = 300  # rows of any table, for ten alerts
ALERTS = 10
NOW = datetime(2027, 1, 1, tzinfo=UTC)
LIMIT = ServiceLimit(10, timedelta(minutes=1))
# As they would be after months: of the same integration and the same service.
FILL = f"""
    WITH made AS (
        INSERT INTO incidents (title, severity, service, integration_id, dedup_key)
        SELECT 'Incident ' || n, 'high', 'db', (SELECT max(id) FROM integrations), 'old ' || n
        FROM generate_series(1, {ROWS}) n RETURNING id
    ), tallied AS (
        INSERT INTO incident_tallies (incident_id, alert_count) SELECT id, 1 FROM made
    ), told AS (
        INSERT INTO timeline_events (incident_id, event_type, description)
        SELECT id, 'opened', 'opened' FROM made
    )
    INSERT INTO escalations (incident_id, policy_id, policy_name, steps, repeat, last_loop,
        final_delay_minutes, next_step_at, started_at)
    SELECT made.id, p.id, p.name, p.steps, 0, 0, 5, now() + interval '1 day', now()
    FROM made, escalation_policies p
"""
READ = """
    SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) AS rows
    FROM pg_stat_xact_user_tables WHERE seq_tup_read + coalesce(idx_tup_fetch, 0) > 0
"""


@pytest.fixture
async def narrow(world: World) -> AsyncIterator[Database]:
    """One connection, which plans each statement when it first sees it and never again."""
    other = Database(world.database.engine.url, pool_size=1)
    async with other.writing() as session:
        await session.execute(text("SET plan_cache_mode = force_generic_plan"))
    yield other
    await other.close()


async def take_in(
    session: WriteSession, key: str, integration: int, policy: int, turn: str
) -> None:
    keys = [f"{turn} {n}" for n in range(ALERTS)]
    senders, known = await crud_intake.look(session, [(hash_key(key), one) for one in keys])
    assert (len(senders), known) == (1, {})
    openings = [
        Opening(
            title=one,
            severity=Severity.HIGH,
            service="db",
            integration_id=integration,
            dedup_key=one,
            uid=uuid4(),
            alert_count=1,
            story="An alert opened it.",
        )
        for one in keys
    ]
    opened = await crud_intake.open_many(session, openings, LIMIT, now=NOW)
    ids = list(opened.ids.values())
    runs = [
        {"incident_id": key, "policy_id": policy, "status": "active", "next_step_at": NOW,
         "is_critical": False}
        for key in ids
    ]  # fmt: skip
    entries = [
        {"incident_id": key, "event_type": "escalation_fault", "description": "told",
         "facts": {}}
        for key in ids
    ]  # fmt: skip
    await crud_intake.start_many(session, runs, entries, now=NOW)
    assert await crud_intake.join_many(session, dict.fromkeys(ids, 1), now=NOW) == set(ids)


async def take_in_at_once(ask: Ask, key: str, turn: str) -> None:
    """Ten that open an incident each, and then the same ten again, which join."""
    for outcome in ("opened", "joined"):
        bodies = [
            json.dumps({"title": f"{turn} {n}", "severity": "high", "service": "db"}).encode()
            for n in range(ALERTS)
        ]
        parcels = [
            Parcel(
                hash_key(key),
                integration_service.read(IntegrationKind.ALERTS, body),
                body,
                len(body),
                None,
            )
            for body in bodies
        ]
        found = await plain_intake.take_in(ask, parcels, limit=LIMIT, shift=timedelta())
        assert found is not None
        items = [item for taken in found[0] for item in taken.items or ()]
        assert [item.outcome for item in items] == [outcome] * ALERTS


async def sending(world: World) -> tuple[str, int, int]:
    """A key, its integration, and a policy."""
    admin = await world.person(role=Role.ADMIN)
    policy = await world.policy(admin, [(0, "admins")])
    body = {"name": "tool", "kind": "alerts"}
    made = await world.call("POST", "/v1/integrations", admin, expect=201, json=body)
    return made["key"], made["id"], policy["id"]


async def test_ten_alerts_read_as_much_among_thousands_on_the_short_way(
    world: World, narrow: Database
) -> None:
    key, _, _ = await sending(world)
    async with narrow.asking() as ask:
        await take_in_at_once(ask, key, "first")
    await world.sql(FILL)
    async with narrow.asking() as ask:
        await ask("BEGIN")  # whose reading can be told from everybody else's
        before = {row["relname"]: row["rows"] for row in await ask(READ)}
        await take_in_at_once(ask, key, "then")
        after = {row["relname"]: row["rows"] for row in await ask(READ)}
        await ask("COMMIT")
    read = {name: count - before.get(name, 0) for name, count in after.items()}
    assert read["incidents"] > 0
    assert max(read.values()) <= 2 * MOST_READ, read


async def test_ten_alerts_read_as_much_among_thousands_as_among_none(
    world: World, narrow: Database
) -> None:
    key, integration, policy = await sending(world)
    async with narrow.writing() as session:
        await take_in(session, key, integration, policy, "first")
    await world.sql(FILL)
    async with narrow.writing() as session:
        before = dict((await session.execute(text(READ))).tuples().all())
        await take_in(session, key, integration, policy, "then")
        after = dict((await session.execute(text(READ))).tuples().all())
    read = {name: count - before.get(name, 0) for name, count in after.items()}
    assert max(read.values()) <= MOST_READ, read


async def test_a_search_is_planned_for_what_it_looks_for(narrow: Database) -> None:
    """A plan for any word at all takes ten times as long where a word is in every incident."""
    for words in ("disk", "almost"):
        found = IncidentFilter(search=to_query(words))
        await crud_incident_list.list_page(narrow, found, Window(10))
    [plans] = await narrow.ask(
        "SELECT sum(generic_plans) AS generic, sum(custom_plans) AS own"
        " FROM pg_prepared_statements WHERE statement LIKE 'WITH%websearch_to_tsquery%'"
    )
    assert plans["generic"] == 0
    assert plans["own"] >= 4
