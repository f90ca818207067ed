"""A whole service is told to stop while readers of its streams take nothing: it waits for none."""

import asyncio
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from tests.conftest import plain
from tests.process.service import PATIENCE, Service

pytestmark = pytest.mark.crash

MANY, LONG = 6_000, 2_000  # more than all buffers between the service and a client hold
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
LOST_PATIENCE = "timeout graceful shutdown exceeded"  # what the server says then


async def fill(url: str) -> None:
    """A long history, which the relay of the service has put in order."""
    connection = await asyncpg.connect(plain(url))
    try:
        await connection.execute(
            "INSERT INTO events (type, data) SELECT 'incident.updated',"
            f" jsonb_build_object('description', repeat('x', {LONG}))"
            f" FROM generate_series(1, {MANY})"
        )
        async with asyncio.timeout(PATIENCE):
            while await connection.fetchval("SELECT max(position) FROM events") != MANY:
                await asyncio.sleep(0.05)
    finally:
        await connection.close()


@contextmanager
def deaf(url: str, path: str, headers: str = "") -> Iterator[socket.socket]:
    """A client that asks for everything and never reads a byte."""
    where = urlsplit(url)
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        made.connect((where.hostname, where.port))
        made.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
        yield made


def until_full(client: socket.socket) -> None:
    """Until more lies at the other side than this one has room for."""
    here, there = (f":{port:04X}" for port in (client.getsockname()[1], client.getpeername()[1]))
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, local, remote, _, queues, *_ = line.split()
            if local.endswith(there) and remote.endswith(here) and int(queues[:8], 16) > 0:
                return
        time.sleep(0.05)
    raise AssertionError("All was taken.")


def test_a_stop_waits_for_nobody_who_takes_nothing(data_dir: Path, empty_database_url: str) -> None:
    service = Service(data_dir, DATABASE_URL=empty_database_url, TOCSIN_LOG_LEVEL="debug")
    try:
        service.log_in("admin@localhost", service.password)
        ticket = service.post("/v1/stream/tickets", {})["ticket"]
        asyncio.run(fill(empty_database_url))
        asked = f"last_event_id=0&ticket={ticket}"
        with ExitStack() as stack:
            clients = [
                stack.enter_context(deaf(service.url, f"/v1/stream?{asked}")),
                stack.enter_context(deaf(service.url, f"/v1/ws?{asked}", UPGRADE)),
                stack.enter_context(deaf(service.url, f"/v1/stream?follow=false&{asked}")),
            ]
            for client in clients:
                until_full(client)
            status = service.end(signal.SIGTERM)
    finally:
        service.end(signal.SIGKILL)
    told = service.log.read_text()
    assert status in (0, 128 + signal.SIGTERM, -signal.SIGTERM), told
    assert LOST_PATIENCE not in told, "it waited until it lost patience"
    assert "Traceback" not in told, told
    assert ticket not in told
