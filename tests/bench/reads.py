"""One incident, read again and again: what the plain read costs, what an ETag saves, and what a
cache would gain that checks with every request that it is not stale."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.bench.figures import Figure
from tests.bench.ground import ADMIN, PASSWORD, Bench, Load, await_port
from tests.bench.ingest import alerts_of, median

CLIENTS = 8  # fewer than connections: the reads are measured, not how they queue for one
# What a read needs of PostgreSQL: whose login it is, the incident, and who works on it.
LIMIT = """
SELECT u.* FROM login_sessions s JOIN users u ON u.id = s.user_id WHERE s.id = 1;
SELECT i.*, t.* FROM incidents i JOIN incident_tallies t ON t.incident_id = i.id WHERE i.id = 1;
SELECT a.*, u.* FROM incident_assignments a JOIN users u ON u.id = a.user_id
WHERE a.incident_id = 1;
"""


async def measure(bench: Bench) -> list[Figure]:
    """Reads a second of an incident that somebody works on, with half a kilobyte to show."""
    url = await bench.new_database()
    with bench.service(url) as service, _comparison(bench, url) as aside:
        alert = {
            "title": "Disk almost full on db-7",
            "description": "The volume fills. " * 20,
            "severity": "high",
            "labels": {"host": "db-7", "region": "eu-1", "team": "storage"},
        }
        key = {"X-API-Key": alerts_of(service).key}
        told = service.post("/v1/webhooks/alerts", alert, **key)
        number = told["alerts"][0]["incident_id"]
        path = f"/v1/incidents/{number}"
        service.post(f"{path}/acknowledge", {})
        own = service.http.headers["Authorization"]
        tag = service.http.get(path).headers["etag"]
        other = _token(aside)
        reads, unchanged, plain, cached, limits = [], [], [], [], []
        for _ in range(bench.rounds):
            limits.append(bench.pgbench(url, LIMIT, clients=CLIENTS))
            reads.append(_load(bench, "read", service.url + path, own))
            unchanged.append(_load(bench, "unchanged", service.url + path, own, tag))
            plain.append(_load(bench, "read aside", aside + path, other))
            cached.append(_load(bench, "from a cache", f"{aside}/cached/{number}", other))
    best = median(reads)
    return [
        Figure("read", best.per_second, "reads/s", "one incident, 8 clients",
               limit=median(limits).per_second, limit_is="pgbench, the same three SELECTs"),
        Figure("read_p99", best.p99_ms, "ms", "their 99th percentile"),
        Figure("read_unchanged", median(unchanged).per_second, "reads/s", "answered 304",
               limit=best.per_second, limit_is="answered in full"),
        Figure("read_by_cache", median(cached).per_second, "reads/s",
               "the same from a cache that is never stale",
               limit=median(plain).per_second, limit_is="the plain read beside it"),
    ]  # fmt: skip


def _load(bench: Bench, what: str, url: str, token: str, tag: str | None = None) -> Load:
    script = f'wrk.headers["Authorization"] = "{token}"\n'
    if tag is not None:
        script += f"wrk.headers[\"If-None-Match\"] = '{tag}'\n"
    load = bench.wrk(url, script, connections=CLIENTS)
    assert load.refused == 0, f"{load.refused} reads were refused"
    bench.say(f"{what}: {load.per_second:.0f} a second, p99 {load.p99_ms:.1f} ms")
    return load


def _token(url: str) -> str:
    login = {"username": ADMIN, "password": PASSWORD}
    answer = httpx.post(f"{url}/v1/auth/login/access-token", json=login)
    return f"Bearer {answer.json()['access_token']}"


@contextmanager
def _comparison(bench: Bench, url: str) -> Iterator[str]:
    """A service with a cached route beside the plain one."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = tempfile.mkdtemp(dir=bench.folder)
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "tests.bench.cached_read:app", "--port", str(port),
         "--log-level", "error", "--no-access-log"],
        env={**os.environ, "BENCH_DATABASE_URL": url, "BENCH_DATA_DIR": folder},
    )  # fmt: skip
    try:
        await_port(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)
