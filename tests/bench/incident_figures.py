"""Figures about a year of a million incidents, each asked for over HTTP, against its second."""

import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from tests.bench import seeds
from tests.bench.figures import Figure
from tests.bench.ground import Bench
from tests.process.service import Service

INCIDENTS = 1_000_000
PAGES = 1_000_000
GOAL = 1.0  # seconds
ASKED = {
    "response": "response",
    "response_by_service": "response?group_by=service",
    "response_of_a_service": "response?service=bench-7&severity=high",
    "by_service": "frequency?by=service",
    "by_hour": "frequency?by=hour_of_week&time_zone=Europe/Berlin",
    "trend": "trend?per=day&time_zone=Europe/Berlin",
    "load": "load",
    "pages": "pages",
    "noise": "noise",
}
# Evenly over a year; acknowledged within the hour, resolved within hours, a third by itself.
_INCIDENTS = """
    INSERT INTO incidents (title, description, status, severity, service, source, tags, labels,
        integration_id, dedup_key, created_at, updated_at, first_acknowledged_at,
        first_acknowledged_by, resolved_at, resolved_by)
    SELECT 'Disk almost full on db-' || n % 997, repeat('The volume fills. ', 4), 'resolved',
        (ARRAY['critical', 'high', 'medium', 'low'])[1 + n % 4], 'bench-' || n % 50, 'bench',
        '{disk,storage}', '{"host": "db-7", "region": "eu-1", "team": "storage"}',
        integration, 'problem-' || n % 5000, at, at + taken, at + answered, person,
        at + taken, CASE WHEN n % 3 > 0 THEN person END
    FROM (
        SELECT n, now() - ($1 - n) * interval '31.5 seconds' - interval '4 hours' AS at,
            random() ^ 3 * interval '1 hour' AS answered,
            interval '1 hour' + random() ^ 3 * interval '2 hours' AS taken,
            (SELECT min(id) FROM users) + n % 20 AS person,
            (SELECT id FROM integrations LIMIT 1) AS integration
        FROM generate_series(1, $1) AS n
    ) one
"""
_PAGES = """
    INSERT INTO notifications (kind, incident_id, escalation_id, loop, step, action, recipient,
        rule, channel, user_id, status, due_at, claimed_at, sent_at)
    SELECT 'page', i.id, e.id, 0, i.id, 0, 'user', 0, 'email',
        coalesce(i.first_acknowledged_by, 1), 'sent', i.created_at, i.created_at, i.created_at
    FROM incidents i, (SELECT id FROM escalations LIMIT 1) e
    ORDER BY i.id LIMIT $1
"""
_PEOPLE_LIVE = """
    UPDATE users SET time_zone =
        (ARRAY['Europe/Berlin', 'America/New_York', 'Asia/Tokyo', 'UTC'])[1 + id % 4]
"""


async def fill(connection: "asyncpg.Connection[Any]", incidents: int, pages: int) -> None:
    """A year of so many incidents and pages. Indexes are dropped and made again."""
    await seeds.people(connection)
    await connection.execute(_PEOPLE_LIVE)
    await connection.execute("INSERT INTO integrations (name, kind) VALUES ('Bench', 'alerts')")
    await seeds.incidents(connection, resolved=1)
    tables = ["incidents", "notifications"]
    indexes = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY($1)"
        " AND schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint)",
        tables,
    )
    await connection.execute(
        "SET session_replication_role = replica; SET synchronous_commit = off;"
        " SET maintenance_work_mem = '256MB'; SET statement_timeout = 0"
    )
    for index in indexes:
        await connection.execute(f'DROP INDEX "{index["indexname"]}"')
    await connection.execute(_INCIDENTS, incidents)
    await connection.execute(_PAGES, pages)
    for index in indexes:
        await connection.execute(index["indexdef"])
    await connection.execute("RESET ALL")
    for table in tables:
        await connection.execute(f"VACUUM (ANALYZE) {table}")


def asked(service: Service, path: str) -> float:
    """How many seconds an answer took that covers the whole year, or as long as it may."""
    now = datetime.now(UTC)
    days = 92 if path.startswith("noise") else 366
    params = {}
    if not path.startswith("load"):
        params = {"since": (now - timedelta(days=days)).isoformat(), "until": now.isoformat()}
    glue = "&" if "?" in path else "?"
    query = "&".join(f"{name}={value.replace('+', '%2B')}" for name, value in params.items())
    began = time.perf_counter()
    answer = service.http.get(f"/v1/figures/{path}{glue}{query}", timeout=30)
    took = time.perf_counter() - began
    assert answer.status_code == 200, answer.text
    assert answer.json()["rows"], path
    return took


async def measure(bench: Bench) -> list[Figure]:
    url = await bench.new_database()
    with bench.service(url, TOCSIN_RATE_LIMIT_READS="0") as service:
        connection = await bench.connect(url)
        await fill(connection, INCIDENTS, PAGES)
        await connection.close()
        bench.say(f"{INCIDENTS:,} incidents, {PAGES:,} pages")
        found = []
        for name, path in ASKED.items():
            took = statistics.median(asked(service, path) for _ in range(max(3, bench.rounds)))
            bench.say(f"{name}: {took:.2f} s")
            found.append(
                Figure(
                    f"figures_{name}",
                    took,
                    "s",
                    f"figures of a year of {INCIDENTS:,}: {name.replace('_', ' ')}",
                    goal=GOAL,
                    smaller=True,
                )
            )
    return found
