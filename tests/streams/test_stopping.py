"""A stop waits for no stream, not even for one whose reader takes nothing any more."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from app.api import event_stream, serving
from tests.streams.listening import PATIENCE, Stage, listening
from tests.world import Person

MANY, LONG = 6_000, 2_000  # more than all buffers between a server and a client hold
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


@contextmanager
def deaf(stage: Stage, request: str) -> Iterator[socket.socket]:
    """A client that asks and never reads an answer."""
    where = urlsplit(stage.url)
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        made.connect((where.hostname, where.port))
        made.sendall(f"{request}\r\nHost: x\r\n\r\n".encode())
        yield made


def over_sse(admin: Person) -> str:
    token = admin.headers["Authorization"]
    return f"GET /v1/stream?last_event_id=0 HTTP/1.1\r\nAuthorization: {token}"


def over_websocket(admin: Person) -> str:
    token = admin.headers["Authorization"]
    return (
        f"GET /v1/ws?last_event_id=0 HTTP/1.1\r\nAuthorization: {token}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}"
    )


async def fill(stage: Stage) -> None:
    """A long history."""
    await stage.world.sql(
        "INSERT INTO events (type, data) SELECT 'incident.updated',"
        f" jsonb_build_object('description', repeat('x', {LONG}))"
        f" FROM generate_series(1, {MANY})"
    )
    for _ in range(MANY // 1_000):
        await stage.relay()


async def full(stage: Stage, connections: int) -> None:
    """Until so many connections take no more."""
    async with asyncio.timeout(PATIENCE):
        while sum(map(_is_full, stage.server.server_state.connections)) < connections:
            await asyncio.sleep(0.005)


def _is_full(connection: object) -> bool:
    transport = getattr(connection, "transport")  # noqa: B009
    _, high = transport.get_write_buffer_limits()
    return bool(transport.get_write_buffer_size() > high)


async def test_readers_that_take_nothing_hold_no_stop_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever would wait for them would wait for ever: here nobody else loses patience."""
    monkeypatch.setattr(event_stream, "SEND_PATIENCE", 3_600.0)
    monkeypatch.setattr(serving, "STREAM_PATIENCE", 0.05)
    stage.server.config.timeout_graceful_shutdown = None
    admin = await stage.world.admin()
    await fill(stage)
    with deaf(stage, over_sse(admin)), deaf(stage, over_websocket(admin)):
        await full(stage, 2)
        async with listening(stage.http, headers=admin.headers) as stream:
            await stage.joined(1)
            stage.server.should_exit = True
            assert await stream.block() is None, "one that does read is ended, not cut off"
        async with asyncio.timeout(PATIENCE):
            await stage.serving
    assert set(stage.world.service.feed.open_streams.values()) == {0}


async def test_an_answer_that_is_no_stream_is_still_waited_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request whose body is slow to come is finished, however long streams are over."""
    monkeypatch.setattr(serving, "STREAM_PATIENCE", 0.0)
    where = urlsplit(stage.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    body = b'{"username": "nobody", "password": "x"}'
    head = (
        "POST /v1/auth/login/access-token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode())
    async with asyncio.timeout(PATIENCE):
        while not stage.server.server_state.tasks:
            await asyncio.sleep(0.005)
        await stage.server._cut_streams()
        writer.write(body)
        status = await reader.readline()
    assert status.split()[1] == b"401"
    writer.close()
    await writer.wait_closed()
