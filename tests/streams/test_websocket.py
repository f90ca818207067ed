"""GET /v1/ws: the same events, for those who would rather have a WebSocket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.api import event_stream, feed
from app.api.v1.endpoints import streams
from tests.api.answers import refusal
from tests.api.logs import logged
from tests.streams.listening import PATIENCE, Stage
from tests.world import Person


@asynccontextmanager
async def connected(
    stage: Stage, query: str = "", headers: dict[str, str] | None = None
) -> AsyncIterator[ClientConnection]:
    url = f"{stage.url.replace('http', 'ws')}/v1/ws{query}"
    async with connect(url, additional_headers=headers, proxy=None) as socket:
        yield socket


async def heard(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        told: dict[str, Any] = json.loads(await socket.recv())
        return told


async def closed(socket: ClientConnection) -> int:
    """With which code the other side ends it."""
    async with asyncio.timeout(PATIENCE):
        with suppress(ConnectionClosed):
            while True:
                await socket.recv()
    assert socket.close_code is not None
    return int(socket.close_code)


async def happen(stage: Stage, admin: Person) -> None:
    await stage.world.declare(admin)
    await stage.relay()


@pytest.mark.parametrize("how", ["header", "ticket", "first token", "first ticket"])
async def test_what_happens_is_told_to_whoever_says_who_they_are(stage: Stage, how: str) -> None:
    admin = await stage.world.admin()
    got = await stage.world.call("POST", "/v1/stream/tickets", admin)
    token = admin.headers["Authorization"].removeprefix("Bearer ")
    query = f"?ticket={got['ticket']}" if how == "ticket" else ""
    async with connected(stage, query, admin.headers if how == "header" else None) as socket:
        if how.startswith("first"):
            secret = token if how == "first token" else got["ticket"]
            await socket.send(json.dumps({how.removeprefix("first "): secret}))
        assert (await heard(socket))["type"] == "ready"
        await stage.joined(1)
        await happen(stage, admin)
        told = await heard(socket)
        assert (told["type"], told["id"]) == ("incident.created", 1)
        assert told["data"]["title"] == "Disk full"
        await socket.send("ping")
        assert await heard(socket) == {"type": "pong"}
    await stage.joined(0)


@pytest.mark.parametrize("said", ['{"token": "nonsense"}', "hello", "[1]", '{"ticket": "x"}'])
async def test_whoever_does_not_say_who_they_are_is_told_nothing(stage: Stage, said: str) -> None:
    async with connected(stage) as socket:
        await socket.send(said)
        refusal = await heard(socket)
        assert (refusal["type"], refusal["code"]) == ("error", "UNAUTHORIZED")
        assert await closed(socket) == 1008


async def test_what_comes_without_an_upgrade_is_told_what_it_takes(stage: Stage) -> None:
    answer = await stage.http.get("/v1/ws?ticket=none")
    assert refusal(answer, 426, "UPGRADE_REQUIRED") == {}
    assert (answer.headers["upgrade"], answer.headers["connection"]) == ("websocket", "Upgrade")
    assert "wss://" in answer.json()["message"]
    assert (await stage.http.get("/health")).status_code == 200  # the line goes on


async def test_whoever_says_nothing_is_not_waited_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "FIRST_MESSAGE_PATIENCE", 0.05)
    async with connected(stage) as socket:
        assert "Say who you are" in (await heard(socket))["message"]
        assert await closed(socket) == 1008


async def test_it_resumes_and_narrows(stage: Stage) -> None:
    admin = await stage.world.admin()
    for _ in range(2):
        await happen(stage, admin)
    query = "?last_event_id=1&types=incident.created"
    async with connected(stage, query, admin.headers) as socket:
        assert [(await heard(socket))["id"] for _ in range(2)] == [2, 2]  # the event, then ready
    async with connected(stage, "?last_event_id=99", admin.headers) as socket:
        reset = await heard(socket)
        assert (reset["type"], reset["id"]) == ("reset", 2)


async def test_a_quiet_one_is_heard_from(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT", 0.05)
    admin = await stage.world.admin()
    async with connected(stage, "", admin.headers) as socket:
        await heard(socket)
        assert await heard(socket) == {"type": "heartbeat", "id": 0}


async def test_it_ends_with_the_login_and_with_the_process(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "CHECK_EVERY", 0.0)
    monkeypatch.setattr(feed, "SAFETY_TICK", 0.05)
    admin = await stage.world.admin()
    leaver = await stage.world.person("l@example.org")
    async with (
        connected(stage, "", admin.headers) as stays,
        connected(stage, "", leaver.headers) as leaves,
    ):
        await stage.joined(2)
        await stage.world.call("POST", "/v1/auth/logout", leaver, expect=204)
        assert await closed(leaves) == 1008
        stage.world.service.feed.close()
        assert await closed(stays) == 1001


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/nowhere", 404, "NOT_FOUND"),
        ("/v1/stream", 404, "NOT_FOUND"),
        ("/v1/ws?types=x&ticket=secret", 422, "VALIDATION_ERROR"),
        ("/v1/ws?incident_id=x", 422, "VALIDATION_ERROR"),
    ],
)
async def test_what_cannot_become_a_socket_is_refused_as_everything_is(
    stage: Stage, path: str, status: int, code: str
) -> None:
    url = stage.url.replace("http", "ws") + path
    mine = {"X-Request-ID": "mine"}
    with logged("info") as log, pytest.raises(InvalidStatus) as refused:
        async with connect(url, additional_headers=mine, proxy=None):
            pass
    answer = refused.value.response
    told = json.loads(answer.body or b"")
    assert (answer.status_code, told["code"], told["request_id"]) == (status, code, "mine")
    assert answer.headers["x-request-id"] == "mine"
    assert set(told) == {"code", "message", "request_id", "details"}
    (line,) = log.of("request")
    assert (line["path"], line["status"], line["request_id"]) == (
        path.partition("?")[0],
        status,
        "mine",
    )
    assert "secret" not in log.text
    assert len(log.lines) == 1  # it is nothing that went wrong


async def test_a_socket_has_an_id_and_a_line_in_the_log(stage: Stage) -> None:
    with logged("info") as log:
        async with connected(stage, headers={"X-Request-ID": "mine"}) as socket:
            assert socket.response is not None
            assert socket.response.headers["x-request-id"] == "mine"
    (line,) = log.of("request")
    assert (line["path"], line["status"], line["request_id"]) == ("/v1/ws", 101, "mine")
