"""Who says more than fits before the body, or nothing that can be read, is told so."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app.api import request_head
from app.api.request_head import LARGEST_HEAD
from app.api.serving import server_config
from app.core.load import load_settings
from tests.api.logs import logged

PATIENCE = 20.0  # seconds; what does not come at all, fails
FITS = LARGEST_HEAD - 1000
LOGIN = b"POST /v1/auth/login/access-token HTTP/1.1\r\nHost: tocsin\r\n"
BEGIN = b"POST /v1/nope HTTP/1.1\r\nHost: tocsin\r\n"


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[int]:
    config = server_config(app, load_settings())
    config.port, config.lifespan = 0, "off"
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(PATIENCE):
        while not server.started:
            await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


@pytest.fixture
async def port(app: FastAPI) -> AsyncIterator[int]:
    async with served(app) as port:
        yield port


async def told(port: int, *parts: bytes) -> tuple[int, dict[str, str], bytes]:
    """The first answer to these bytes, sent one part after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(PATIENCE):
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:-2])
            body = await reader.readexactly(int(headers["content-length"]))
    finally:
        writer.transport.abort()
    return int(head[0].split()[1]), headers, body


@pytest.mark.parametrize(
    "parts",
    [
        [BEGIN, b"X: " + b"a" * LARGEST_HEAD, b"\r\n\r\n"],
        [BEGIN, b"X: y\r\n" * (LARGEST_HEAD // 2), b"\r\n"],
        [BEGIN, b"X: ", *[b"a" * 1000] * (LARGEST_HEAD // 1000 + 1)],  # and it never ends
        [b"GET /" + b"a" * LARGEST_HEAD],
        [LOGIN, b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n", b"X: y\r\n" * LARGEST_HEAD],
    ],
)
async def test_headers_without_an_end_are_refused(port: int, parts: list[bytes]) -> None:
    with logged("info") as log:
        status, headers, body = await told(port, *parts)
    answer = json.loads(body)
    assert (status, answer["code"]) == (431, "HEADERS_TOO_LARGE")
    assert answer["request_id"] == headers["x-request-id"]
    assert headers["connection"] == "close"
    (line,) = log.of("request.unread")
    assert (line["request_id"], line["status"]) == (answer["request_id"], 431)


@pytest.mark.parametrize(
    "sent", [b"FOO / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nBad Name: x\r\n\r\n"]
)
async def test_what_is_no_request_gets_an_error_like_any_other(port: int, sent: bytes) -> None:
    status, headers, body = await told(port, sent)
    answer = json.loads(body)
    assert set(answer) == {"code", "message", "request_id", "details"}
    assert (status, answer["code"]) == (400, "BAD_REQUEST")
    assert answer["request_id"] == headers["x-request-id"]
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "parts",
    [
        [BEGIN, b"X: " + b"a" * FITS + b"\r\n\r\n"],
        [BEGIN, b"Content-Length: 200000\r\n\r\n", b"a" * 200_000],
        [BEGIN, b"Content-Length: 200000\r\n\r\n" + b"a" * 200_000],
        [BEGIN, b"Transfer-Encoding: chunked\r\n\r\n", *[b"1\r\na\r\n"] * 20_000, b"0\r\n\r\n"],
    ],
)
async def test_what_fits_is_read_whatever_its_body(port: int, parts: list[bytes]) -> None:
    status, _, _ = await told(port, *parts)
    assert status == 404


async def test_each_request_of_a_connection_counts_for_itself(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_head, "LARGEST_HEAD", 200)
    one = BEGIN + b"X: " + b"a" * 100 + b"\r\nContent-Length: 0\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(PATIENCE):
        for _ in range(5):
            writer.write(one)
            assert b" 404 " in await reader.readuntil(b"\r\n\r\n")
            await reader.readuntil(b"}}")
    writer.transport.abort()


async def endless(scope: Scope, receive: Receive, send: Send) -> None:
    """An answer that has begun and goes on until nobody listens."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"first", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass


async def test_nothing_is_put_into_the_middle_of_an_answer() -> None:
    async with served(endless) as port, asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: tocsin\r\n\r\n")
        await reader.readuntil(b"first")
        writer.write(b"nonsense\r\n\r\n")
        assert (await reader.read()).strip() == b""
        writer.close()
