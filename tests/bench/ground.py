"""What is measured on: a real, durable PostgreSQL, and whole services in their own processes."""

import asyncio
import json
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import make_url

from app.db import migrations
from app.db.embedded import EmbeddedPostgres
from app.db.session import Database
from tests.process.service import Service

ADMIN, PASSWORD = "bench@example.org", "the-bench-password"
# As an operator has it: durable. Only the number of connections is raised, for the clients.
SETTINGS = {"max_connections": "200"}


class MissingToolError(Exception):
    """A program that the bench needs is not there. Its text says how to get it."""


@dataclass(frozen=True)
class Load:
    """What a load generator saw."""

    per_second: float
    p50_ms: float
    p99_ms: float
    refused: int  # answers other than 2xx, and broken connections


class Bench:
    """One run: a durable server; a fresh database and service for whoever asks."""

    def __init__(self, server: EmbeddedPostgres, folder: Path, *, seconds: float, rounds: int):
        self.server = server
        self.folder = folder
        self.seconds = seconds  # of load in each round
        self.rounds = rounds
        self._made = 0

    def say(self, text: str) -> None:
        print(f"  {text}", flush=True)

    async def new_database(self, *, migrate: bool = True) -> str:
        """The URL of a database of its own: migrated, and empty otherwise."""
        self._made += 1
        name = f"bench_{os.getpid()}_{self._made}"
        await asyncio.to_thread(self.server.ensure_database, name)
        url = self.server.url(name)
        if migrate:
            await asyncio.to_thread(migrations.upgrade, url)
        return url

    async def connect(self, url: str) -> "asyncpg.Connection[Any]":
        return await asyncpg.connect(url.replace("postgresql+asyncpg://", "postgresql://"))

    @contextmanager
    def database(self, url: str, *, pool_size: int = 10) -> Iterator[Database]:
        """The product's own engine, in this process. Whoever opens it closes it."""
        yield Database(url, pool_size=pool_size)

    @contextmanager
    def service(self, url: str, *arguments: str, **settings: str) -> Iterator[Service]:
        """A whole service on that database, with an admin logged in."""
        service = Service(
            Path(tempfile.mkdtemp(dir=self.folder)),
            *arguments,
            DATABASE_URL=url,
            TOCSIN_FIRST_ADMIN_EMAIL=ADMIN,
            TOCSIN_FIRST_ADMIN_PASSWORD=PASSWORD,
            TOCSIN_LOG_FORMAT="json",
            **settings,
        )
        try:
            service.log_in(ADMIN, PASSWORD)
            yield service
        finally:
            service.end()

    async def median_of_rounds(self, measure: Callable[[], Awaitable[float]]) -> float:
        return statistics.median([await measure() for _ in range(self.rounds)])

    def pgbench(self, url: str, script: str, *, clients: int) -> Load:
        """A SQL script, by PostgreSQL's own load generator: one transaction after the other."""
        program = _tool("pgbench", self.server)
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        path = folder / "script.sql"
        path.write_text(script)
        at = make_url(url)
        where = ["-h", str(at.query["host"]), "-p", str(at.query["port"]), "-U", str(at.username)]
        found = subprocess.run(
            [program, "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T",
             str(int(self.seconds)), "-f", str(path), "-l", *where, str(at.database)],
            check=False, capture_output=True, text=True, cwd=folder,
        )  # fmt: skip
        if found.returncode != 0:
            raise RuntimeError(found.stderr[:2000])
        tps = next(line for line in found.stdout.splitlines() if line.startswith("tps ="))
        # One line for each transaction; the third word is how many microseconds it took.
        logs = [log.read_text().splitlines() for log in folder.glob("pgbench_log.*")]
        took = sorted(int(line.split()[2]) / 1e3 for lines in logs for line in lines)
        p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
        return Load(float(tps.split()[2]), p50, p99, 0)

    def wrk(self, url: str, script: str, *, connections: int) -> Load:
        """HTTP requests from a Lua script, by wrk."""
        program = _tool("wrk")
        path = Path(tempfile.mkdtemp(dir=self.folder)) / "script.lua"
        path.write_text(script + REPORT)
        found = subprocess.run(
            [program, "-t", "1", "-c", str(connections), "-d", f"{int(self.seconds)}s",
             "--timeout", "10s", "-s", str(path), url],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        told = json.loads(found.stdout.rpartition("REPORT ")[2])
        return Load(told["per_second"], told["p50"], told["p99"], told["refused"])


REPORT = """
function done(summary, latency, requests)
    local e = summary.errors
    io.write(string.format(
        'REPORT {"per_second": %f, "p50": %f, "p99": %f, "refused": %d}',
        summary.requests / summary.duration * 1e6, latency:percentile(50) / 1e3,
        latency:percentile(99) / 1e3, e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def await_port(port: int, *, patience: float = 30) -> None:
    """Return once something listens there."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"Nothing listens on port {port}.")


def _tool(name: str, server: EmbeddedPostgres | None = None) -> str:
    beside = server._programs / name if server is not None else None
    if beside is not None and beside.exists():
        return str(beside)
    found = shutil.which(name)
    if found is None:
        raise MissingToolError(f"The bench needs {name}; install it (Debian: apt-get install wrk).")
    return found
