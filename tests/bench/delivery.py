"""Delivery: pages a second to a webhook sink, and how soon the first page of an alert is there.

The limit is what no product could beat with these means: a bare client that makes the same calls
to the same sink over kept connections, and then PostgreSQL alone, writing for each page what
delivery must write (taken, sent, and the attempt) in batches as large as the lane's.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import httpx

from app.db.listen import CHANNEL
from tests.bench.figures import Figure
from tests.bench.ground import Bench
from tests.process.service import ROOT

PAGES = 10_000
INCIDENTS = 100
CONNECTIONS = 64
IDLE_ALERTS = 40
PATIENCE = 120.0
PROBLEM = {"title": "Disk almost full on db-7", "service": "storage", "severity": "high"}

# Each page is another person's: no limit of theirs comes near. Nothing is due yet.
_PEOPLE = """
    WITH people AS (
        INSERT INTO users (email, hashed_password, full_name)
        SELECT 'person-' || n || '@example.org', '-', 'Person ' || n FROM generate_series(1, $1) n
        RETURNING id
    )
    INSERT INTO contact_methods (user_id, channel, address, verified_at)
    SELECT id, 'webhook', $2 || '/hook/' || id, now() FROM people
"""
_PAGES = """
    WITH opened AS (
        INSERT INTO incidents (title, description, severity, service, source, tags, labels)
        SELECT 'Disk almost full on db-' || n, repeat('The volume fills. ', 4), 'high',
            'storage', 'bench', '{disk,storage}', '{"host": "db-7", "region": "eu-1"}'
        FROM generate_series(1, $1) n RETURNING id
    ), tallied AS (
        INSERT INTO incident_tallies (incident_id, is_open, alert_count, last_alert_at)
        SELECT id, true, 1, now() FROM opened
    ), climbing AS (
        INSERT INTO escalations (incident_id, policy_name, steps, repeat, last_loop, next_step,
            final_delay_minutes, status, next_step_at, started_at)
        SELECT id, 'bench', '[{"delay_minutes": 0, "actions": []}]', 0, 0, 1, 600, 'active',
            now() + interval '1 day', now()
        FROM opened RETURNING id, incident_id
    ), turns AS (
        SELECT id, incident_id, row_number() OVER (ORDER BY id) - 1 AS turn FROM climbing
    )
    INSERT INTO notifications (incident_id, escalation_id, loop, step, action, recipient, rule,
        channel, user_id, contact_method_id, due_at, ready_at)
    SELECT t.incident_id, t.id, 0, 0, 0, 'user:' || c.user_id, 0, 'webhook', c.user_id, c.id,
        now() + interval '1 day', now() + interval '1 day'
    FROM contact_methods c JOIN turns t ON t.turn = c.id % $1
    WHERE c.channel = 'webhook'
"""
_TAKE = """
    UPDATE notifications SET status = 'sending', attempts = 1, claimed_at = now(),
        ready_at = now() + interval '35 seconds' WHERE id BETWEEN $1 AND $2
"""
_FINISH = """
    WITH done AS (
        UPDATE notifications SET status = 'sent', sent_at = now(), ready_at = NULL,
            sent_to = 'http://127.0.0.1/…' WHERE id BETWEEN $1 AND $2 RETURNING id, claimed_at
    )
    INSERT INTO notification_attempts
        (notification_id, number, outcome, started_at, finished_at)
    SELECT id, 1, 'sent', claimed_at, now() FROM done
"""


class Sink:
    """The sink's process, from outside."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url)

    def count(self) -> dict[str, Any]:
        found: dict[str, Any] = self._http.get("/count").json()
        return found

    def reset(self) -> None:
        self._http.get("/reset")

    async def took(self, calls: int) -> dict[str, Any]:
        """What it counted, once it has taken so many."""
        deadline = time.monotonic() + PATIENCE
        while (found := self.count())["calls"] < calls:
            if time.monotonic() > deadline:
                raise TimeoutError(f"The sink took {found['calls']} of {calls} pages.")
            await asyncio.sleep(0.05)
        return found


@contextmanager
def _sink() -> Iterator[Sink]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.sink"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield Sink(process.stdout.readline().strip())
    finally:
        process.kill()
        process.wait()


async def measure(bench: Bench) -> list[Figure]:
    with _sink() as sink:
        rates, limits = [], []
        for _ in range(bench.rounds):
            limits.append(await _limit(bench, sink))
            bench.say(f"{limits[-1]:.0f} pages/s by a bare client and bare statements")
            rates.append(await _storm(bench, sink))
            bench.say(f"{rates[-1]:.0f} pages/s delivered, none twice")
        first = sorted(await _firsts(bench, sink))
    what = "from the POST of an alert to its page at the sink, idle"
    return [
        Figure("delivery", median(rates), "pages/s", "pages due at once, to a webhook sink",
               limit=median(limits), limit_is="a bare client, then the bare statements"),
        Figure("delivery_rate", median(rates), "pages/s", "the same, by itself", goal=1000),
        Figure("first_page", median(first) * 1e3, "ms", what, goal=30, smaller=True),
        Figure("first_page_p99", first[int(len(first) * 0.99)] * 1e3, "ms", "its 99th percentile"),
    ]  # fmt: skip


async def _storm(bench: Bench, sink: Sink) -> float:
    """10,000 pages fall due in one instant; pages a second from then to the last."""
    url = await bench.new_database()
    connection = await bench.connect(url)
    try:
        with bench.service(url, TOCSIN_ALLOW_PRIVATE_TARGETS="127.0.0.1/32"):
            await connection.execute(_PEOPLE, PAGES, sink.url)
            await connection.execute(_PAGES, INCIDENTS)
            await connection.execute("VACUUM (ANALYZE) notifications")
            sink.reset()
            await connection.execute(
                "UPDATE notifications SET due_at = now(), ready_at = now() WHERE status = 'pending'"
            )
            began = time.monotonic()
            await connection.execute("SELECT pg_notify($1, 'delivery')", CHANNEL)
            found = await sink.took(PAGES)
            await _all_recorded(connection)
            assert (found["calls"], found["marks"]) == (PAGES, PAGES), "some were told twice"
    finally:
        await connection.close()
    return PAGES / float(found["last_at"] - began)


async def _all_recorded(connection: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while left := await connection.fetchval(
        "SELECT count(*) FROM notifications WHERE status <> 'sent'"
    ):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{left} pages are not recorded as sent.")
        await asyncio.sleep(0.05)


async def _limit(bench: Bench, sink: Sink) -> float:
    """The same calls by a bare client, then the same writing by PostgreSQL alone."""
    sink.reset()
    began = time.monotonic()
    await _bare_calls(sink.url)
    calling = time.monotonic() - began
    url = await bench.new_database()
    connection = await bench.connect(url)
    try:
        await connection.execute(_PEOPLE, PAGES, sink.url)
        await connection.execute(_PAGES, INCIDENTS)
        await connection.execute("VACUUM (ANALYZE) notifications")
        first = await connection.fetchval("SELECT min(id) FROM notifications")
        began = time.monotonic()
        for start in range(first, first + PAGES, CONNECTIONS):
            await connection.execute(_TAKE, start, start + CONNECTIONS - 1)
            await connection.execute(_FINISH, start, start + CONNECTIONS - 1)
        writing = time.monotonic() - began
    finally:
        await connection.close()
    return PAGES / (calling + writing)


async def _bare_calls(url: str) -> None:
    """The calls and nothing else, over kept connections."""
    host, port = url.removeprefix("http://").split(":")
    body = json.dumps({"type": "incident.paged", "data": "x" * 900}).encode()
    numbers = iter(range(PAGES))

    async def call_on() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for number in numbers:
            head = (
                f"POST /hook/{number} HTTP/1.1\r\nhost: {host}:{port}\r\nwebhook-id: {number}\r\n"
                f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            await reader.readuntil(b"\r\n\r\n")
        writer.close()

    await asyncio.gather(*(call_on() for _ in range(CONNECTIONS)))


async def _firsts(bench: Bench, sink: Sink) -> list[float]:
    """How soon, each time, an alert's page is at the sink of a service that was idle."""
    url = await bench.new_database()
    settings = {
        "TOCSIN_ALLOW_PRIVATE_TARGETS": "127.0.0.1/32",
        "TOCSIN_PAGE_LIMIT": "1000",
        "TOCSIN_SERVICE_LIMIT": "10000",
    }
    found = []
    with bench.service(url, **settings) as service:
        connection = await bench.connect(url)
        await connection.execute(_PEOPLE, 1, sink.url)
        who = await connection.fetchval(
            "INSERT INTO notification_rules (user_id, contact_method_id, position)"
            " SELECT user_id, id, 0 FROM contact_methods WHERE channel = 'webhook'"
            " RETURNING user_id"
        )
        await connection.close()
        page = {"type": "notify", "target": {"user": who}}
        steps = [{"delay_minutes": 0, "actions": [page]}]
        service.post("/v1/escalation/policies", {"name": "bench", "steps": steps})
        key = service.post("/v1/integrations", {"name": "bench", "kind": "alerts"})["key"]
        for number in range(IDLE_ALERTS):
            sink.reset()
            await asyncio.sleep(0.1)
            began = time.monotonic()
            body = {**PROBLEM, "dedup_key": f"disk {number}"}
            service.post("/v1/webhooks/alerts", body, **{"X-API-Key": key})
            found.append(float((await sink.took(1))["first_at"]) - began)
    return found
