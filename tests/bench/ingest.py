"""Ingest: alerts a second through the real route, against the same rows by pgbench."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench.figures import Figure
from tests.bench.ground import Bench, Load, await_port
from tests.process.service import Service

CLIENTS = 32
POLICY = {
    "name": "bench",
    "conditions": {"severity": ["critical", "high"]},
    # Nobody is paged while ingest is measured: paging has its own figures.
    "steps": [{"delay_minutes": 600, "actions": [{"type": "notify", "target": "admins"}]}],
}
BODY = (
    '{"title":"Disk almost full on db-%s","description":"The volume /var/lib/postgresql is at'
    ' 97 percent and fills at 1.2 GB an hour.","severity":"high","service":"%s",'
    '"source":"bench","dedup_key":"%s","tags":["disk","storage"],'
    '"labels":{"host":"db-7","region":"eu-1","team":"storage","runbook":"disk-full"}}'
)


@dataclass(frozen=True)
class Key:
    """An integration's key, and the load that goes in with it."""

    key: str

    @property
    def script(self) -> str:
        """Distinct alerts, of fifty services."""
        return self._script('" .. seed .. n .. "')

    @property
    def hot_script(self) -> str:
        return self._script("one-hot-key")

    def _script(self, dedup: str) -> str:
        return lua(BODY % ('" .. n .. "', '" .. (n % 50) .. "', dedup), "X-API-Key", self.key)


def lua(body: str, header: str, value: str) -> str:
    """A script of POSTs; the body may use the number of the request and the seed of the run."""
    return f"""
local n = 0
local seed = tostring(os.time()) .. "-" .. tostring(math.random(1e9))
local headers = {{["Content-Type"] = "application/json", ["{header}"] = "{value}"}}
function request()
    n = n + 1
    return wrk.format("POST", nil, headers, "{_quoted(body)}")
end
"""


def _quoted(body: str) -> str:
    """Quotes for Lua, but for those that step out of the text."""
    return (
        body.replace('" .. ', "\0").replace(' .. "', "\1").replace('"', '\\"')
        .replace("\0", '" .. ').replace("\1", ' .. "')
    )  # fmt: skip


def alerts_of(service: Service) -> Key:
    """An integration, and a policy that pages nobody while ingest is measured."""
    service.post("/v1/escalation/policies", POLICY)
    made = service.post("/v1/integrations", {"name": "bench", "kind": "alerts"})
    return Key(made["key"])


# What one distinct alert comes to, as one statement: the incident, its tally, two lines of its
# timeline, its event, the escalation and the record of the alert with its body.
LIMIT = """
WITH opened AS (
    INSERT INTO incidents (title, description, severity, service, source, tags, labels,
        integration_id, dedup_key)
    SELECT 'Disk almost full on db-7', repeat('The volume fills. ', 4), 'high',
        'bench-' || CAST(random() * 50 AS int), 'bench', '{disk,storage}',
        '{"host":"db-7","region":"eu-1","team":"storage","runbook":"disk-full"}',
        1, CAST(gen_random_uuid() AS text)
    RETURNING id, dedup_key
), tallied AS (
    INSERT INTO incident_tallies (incident_id, alert_count, last_alert_at)
    SELECT id, 1, now() FROM opened
), told AS (
    INSERT INTO timeline_events (incident_id, event_type, description, metadata)
    SELECT id, 'opened', 'An alert from “bench” opened the incident.', jsonb '{"integration_id": 1}'
    FROM opened
    UNION ALL
    SELECT id, 'escalation_started', 'Policy “bench” started.', jsonb '{"policy_id": 1}' FROM opened
), fed AS (
    INSERT INTO events (type, incident_id, service, severity, data)
    SELECT 'incident.created', id, 'bench', 'high', jsonb_build_object('incident_id', id,
        'title', 'Disk almost full on db-7', 'entry', 'opened',
        'description', 'An alert from “bench” opened the incident.', 'is_drill', false)
    FROM opened
), escalated AS (
    INSERT INTO escalations (incident_id, policy_id, policy_name, steps, final_delay_minutes,
        next_step_at, started_at)
    SELECT id, 1, 'bench',
        '[{"delay_minutes": 600, "actions": [{"type": "notify", "target": "admins"}]}]', 5,
        now() + interval '10 hours', now()
    FROM opened
)
INSERT INTO alerts (integration_id, incident_id, outcome, dedup_key, title, raw_body, body_size,
    request_id)
SELECT 1, id, 'opened', dedup_key, 'Disk almost full on db-7',
    convert_to(repeat('0123456789', 43), 'UTF8'), 430, CAST(gen_random_uuid() AS text)
FROM opened;
"""


async def measure(bench: Bench) -> list[Figure]:
    url = await bench.new_database()
    with bench.service(url) as service, _orm_route(bench, url) as orm_url:
        key = alerts_of(service)
        door = f"{service.url}/v1/webhooks/alerts"
        orm_script = lua(BODY % ("1", "bench", '" .. seed .. n .. "'), "X-Bench", "orm")
        distinct, hot, limits, orm = [], [], [], []
        for _ in range(bench.rounds):
            limits.append(bench.pgbench(url, LIMIT, clients=CLIENTS))
            bench.say(f"{_said(limits[-1])} by pgbench")
            await _settle(bench, url)
            distinct.append(_load(bench, door, key.script))
            hot.append(_load(bench, door, key.hot_script))
            orm.append(_load(bench, orm_url, orm_script))
        for load in (*distinct, *hot, *orm):
            assert load.refused == 0, f"{load.refused} alerts were not taken in"
    limit, best, storm = median(limits), median(distinct), median(hot)
    rows = "pgbench, the same rows as one statement a transaction, 32 clients"
    return [
        Figure("ingest", best.per_second, "alerts/s", "distinct alerts, 32 clients",
               limit=limit.per_second, limit_is=rows, goal=0.5),
        Figure("ingest_p99", best.p99_ms, "ms", "their 99th percentile", goal=25, smaller=True),
        Figure("ingest_p50", best.p50_ms, "ms", "their median"),
        Figure("ingest_p99_pgbench", limit.p99_ms, "ms", "pgbench's own 99th percentile"),
        Figure("ingest_hot_key", storm.per_second, "alerts/s", "alerts of one hot key",
               limit=best.per_second, limit_is="distinct alerts", goal=1.0),
        Figure("ingest_hot_key_p99", storm.p99_ms, "ms", "their 99th percentile"),
        Figure("ingest_by_orm", median(orm).per_second, "alerts/s", "an ordinary ORM route",
               limit=limit.per_second, limit_is=rows),
    ]  # fmt: skip


async def _settle(bench: Bench, url: str) -> None:
    """Wait until what pgbench left is in the feed and in the search: its rows are not those that
    the service is measured with."""
    waits = (
        "SELECT EXISTS (SELECT 1 FROM events WHERE position IS NULL)"
        " OR EXISTS (SELECT 1 FROM search_queue)"
    )
    connection = await bench.connect(url)
    try:
        while await connection.fetchval(waits):
            await asyncio.sleep(0.2)
    finally:
        await connection.close()


def _load(bench: Bench, url: str, script: str) -> Load:
    load = bench.wrk(url, script, connections=CLIENTS)
    bench.say(_said(load))
    return load


def _said(load: Load) -> str:
    return f"{load.per_second:.0f} alerts/s, p50 {load.p50_ms:.1f}, p99 {load.p99_ms:.1f} ms"


@contextmanager
def _orm_route(bench: Bench, url: str) -> Iterator[str]:
    """The comparison, served like the service itself."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "tests.bench.orm_route:app", "--port", str(port),
         "--log-level", "error"],
        env={**os.environ, "BENCH_DATABASE_URL": url},
    )  # fmt: skip
    try:
        await_port(port)
        yield f"http://127.0.0.1:{port}/alerts"
    finally:
        process.terminate()
        process.wait(30)


def median(loads: list[Load]) -> Load:
    return sorted(loads, key=lambda load: load.per_second)[len(loads) // 2]
