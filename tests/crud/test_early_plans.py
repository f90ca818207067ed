"""What an alert costs does not grow with what there is, even where PostgreSQL planned its
statements when there was nothing: a connection keeps its plans, and a new table's rows are not
counted at once.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from app.core.security import hash_key
from app.crud import crud_intake
from app.db.session import Database, WriteSession
from app.domain.incident import Opening, Severity
from app.domain.storm import ServiceLimit
from app.domain.user import Role
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


async def test_ten_alerts_read_as_much_among_thousands_as_among_none(
    world: World, narrow: Database
) -> None:
    admin = await world.person(role=Role.ADMIN)
    policy = await world.policy(admin, [(0, "admins")])
    made = await world.call(
        "POST", "/v1/integrations", admin, expect=201, json={"name": "tool", "kind": "alerts"}
    )
    async with narrow.writing() as session:
        await take_in(session, made["key"], made["id"], policy["id"], "first")
    await world.sql(FILL)
    async with narrow.writing() as session:
        before = dict((await session.execute(text(READ))).tuples().all())
        await take_in(session, made["key"], made["id"], policy["id"], "then")
        after = dict((await session.execute(text(READ))).tuples().all())
    read = {name: count - before.get(name, 0) for name, count in after.items()}
    assert max(read.values()) <= MOST_READ, read
