"""Many incidents, fast: a database as an installation has it after years."""

from typing import Any

import asyncpg

PEOPLE = 20
BULK = ("incidents", "incident_tallies", "escalations", "timeline_events")

_PEOPLE = """
    WITH people AS (
        INSERT INTO users (email, hashed_password, full_name)
        SELECT 'person-' || n || '@example.org', '-', 'Person ' || n
        FROM generate_series(1, $1) n RETURNING id
    ), methods AS (
        INSERT INTO contact_methods (user_id, channel, address, verified_at)
        SELECT id, 'webhook', 'http://127.0.0.1:9/' || id, now() FROM people
        RETURNING id, user_id
    )
    INSERT INTO notification_rules (user_id, contact_method_id, position)
    SELECT user_id, id, 0 FROM methods
"""
_INCIDENTS = """
    INSERT INTO incidents (title, description, status, severity, service, source, tags, labels,
        created_at, updated_at, resolved_at)
    SELECT 'Disk almost full on db-' || n % 997, repeat('The volume fills. ', 4), CAST($3 AS text),
        (ARRAY['high', 'medium', 'low'])[1 + n % 3], 'bench-' || n % 50, 'bench',
        '{disk,storage}', '{"host": "db-7", "region": "eu-1", "team": "storage"}',
        at, at, CASE WHEN CAST($3 AS text) = 'resolved' THEN at + interval '20 minutes' END
    FROM (SELECT n, now() - (1 + n % 400) * interval '1 day' AS at
          FROM generate_series(CAST($1 AS bigint), CAST($2 AS bigint)) n) one
"""
_TALLIES = """
    INSERT INTO incident_tallies (incident_id, is_open, alert_count, last_alert_at)
    SELECT id, status <> 'resolved', 3, created_at FROM incidents WHERE id BETWEEN $1 AND $2
"""
_STORIES = """
    INSERT INTO timeline_events (incident_id, event_type, description, created_at)
    SELECT id, 'opened', 'An alert from “bench” opened the incident.', created_at
    FROM incidents WHERE id BETWEEN $1 AND $2
"""
# Each climbs a ladder of three steps to one person; nothing is due for a year.
_ESCALATIONS = """
    INSERT INTO escalations (incident_id, policy_name, steps, repeat, last_loop,
        final_delay_minutes, status, next_step_at, started_at, finished_at)
    SELECT i.id, 'bench', s.steps, 0, 0, 5,
        CASE WHEN i.status = 'resolved' THEN 'completed' ELSE 'active' END,
        CASE WHEN i.status <> 'resolved' THEN now() + interval '1 year' END,
        i.created_at, i.resolved_at
    FROM incidents i JOIN (
        SELECT row_number() OVER (ORDER BY id) - 1 AS turn,
            jsonb_build_array(one, one, one) AS steps
        FROM users, LATERAL (
            SELECT jsonb_build_object('delay_minutes', 600, 'actions', jsonb_build_array(
                jsonb_build_object('type', 'notify', 'target', jsonb_build_object('user', id)))
            ) AS one) made
    ) s ON s.turn = i.id % (SELECT count(*) FROM users)
    WHERE i.id BETWEEN $1 AND $2
"""


async def people(connection: "asyncpg.Connection[Any]") -> None:
    """Some people, each with one verified contact method and one rule."""
    await connection.execute(_PEOPLE, PEOPLE)


async def incidents(
    connection: "asyncpg.Connection[Any]", *, open_: int = 0, resolved: int = 0
) -> None:
    """So many more incidents with tally, story and escalation; people must be there.

    Indexes are dropped and made again, foreign keys are not checked: the rows are right.
    """
    indexes = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY($1)"
        " AND schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint)",
        BULK,
    )
    await connection.execute(
        "SET session_replication_role = replica; SET synchronous_commit = off;"
        " SET maintenance_work_mem = '256MB'; SET work_mem = '64MB'; SET statement_timeout = 0"
    )
    try:
        for index in indexes:
            await connection.execute(f'DROP INDEX "{index["indexname"]}"')
        for count, status in ((resolved, "resolved"), (open_, "open")):
            await _add(connection, count, status)
        for index in indexes:
            await connection.execute(index["indexdef"])
    finally:
        await connection.execute("RESET ALL")
    for table in BULK:
        await connection.execute(f"VACUUM (ANALYZE) {table}")
    await connection.execute("CHECKPOINT")


async def _add(connection: "asyncpg.Connection[Any]", count: int, status: str) -> None:
    first = 1 + await connection.fetchval("SELECT coalesce(max(id), 0) FROM incidents")
    last = first + count - 1
    await connection.execute(_INCIDENTS, first, last, status)
    for statement in (_TALLIES, _STORIES, _ESCALATIONS):
        await connection.execute(statement, first, last)
