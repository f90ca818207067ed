"""Opening a stream is a read, of whom the header or the ticket names."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from websockets.asyncio.client import connect
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus

from app.core import stream_ticket
from app.core.stream_ticket import Listener
from app.db.session import Database
from tests.api.keys import program
from tests.api.limited import Hand, replica
from tests.streams.listening import PATIENCE, Stage
from tests.world import Person


@pytest.fixture
def app(database: Database, data_dir: Path) -> FastAPI:
    """Where everybody has two reads."""
    return replica(database, data_dir, Hand(), rate_limit_reads="2/minute")


async def handshake(
    stage: Stage, query: str = "", headers: dict[str, str] | None = None
) -> tuple[int, Headers, bytes]:
    """What a handshake is answered: the status, the headers, and the body of a refusal."""
    url = f"{stage.url.replace('http', 'ws')}/v1/ws{query}"
    try:
        async with connect(url, additional_headers=headers, proxy=None) as socket:
            assert socket.response is not None
            return socket.response.status_code, socket.response.headers, b""
    except InvalidStatus as refusal:
        answer = refusal.response
        return answer.status_code, answer.headers, answer.body or b""


async def statuses(
    stage: Stage, count: int, query: str = "", headers: dict[str, str] | None = None
) -> list[int]:
    return [(await handshake(stage, query, headers))[0] for _ in range(count)]


async def ticket(stage: Stage, who: Person) -> str:
    got = await stage.world.call("POST", "/v1/stream/tickets", who)
    return f"?follow=false&ticket={got['ticket']}"


async def test_a_handshake_says_how_its_caller_stands_and_is_refused_beyond(stage: Stage) -> None:
    ana, ben = await stage.world.person(), await stage.world.person("ben@example.org")
    for left in (1, 0):
        status, headers, _ = await handshake(stage, headers=ana.headers)
        assert (status, headers["ratelimit-policy"]) == (101, '"reads";q=2;w=60')
        assert headers["ratelimit"].startswith(f'"reads";r={left};')
    status, headers, body = await handshake(stage, headers=ana.headers)
    assert status == 429
    assert int(headers["retry-after"]) > 0
    assert b'"code":"RATE_LIMITED"' in body
    assert headers["x-request-id"].encode() in body
    assert (await stage.http.get("/v1/incidents", headers=ana.headers)).status_code == 429
    assert await statuses(stage, 3, headers=ben.headers) == [101, 101, 429]


async def test_a_ticket_is_counted_as_whoever_it_was_issued_to(stage: Stage) -> None:
    ana = await stage.world.person()
    query = await ticket(stage, ana)
    assert await statuses(stage, 1, query) == [101]
    assert (await stage.http.get(f"/v1/stream{query}")).status_code == 200
    assert await statuses(stage, 1, await ticket(stage, ana)) == [429]
    assert (await stage.http.get("/v1/users/me", headers=ana.headers)).status_code == 429
    assert await statuses(stage, 1) == [101]  # nobody's by name: of the address


async def test_the_ticket_of_a_key_is_counted_as_the_key(stage: Stage) -> None:
    admin = await stage.world.admin()
    bot = await program(stage.world, admin)
    query = await ticket(stage, bot)
    assert await statuses(stage, 1, query) == [101]
    assert await statuses(stage, 2, headers=bot.headers) == [101, 429]
    assert await statuses(stage, 1, query) == [429]
    assert await statuses(stage, 1, headers=admin.headers) == [101]  # its owner is somebody else


async def test_what_names_nobody_is_counted_by_address(stage: Stage) -> None:
    ana = await stage.world.person()
    now = await stage.world.clock.now() - 2 * stream_ticket.LIFE - timedelta(seconds=5)
    over = stream_ticket.issue(stage.world.service.signer, Listener(ana.id, 1), now=now)
    assert await statuses(stage, 1, "?ticket=invented") == [101]
    assert await statuses(stage, 1, f"?ticket={over}") == [101]
    assert await statuses(stage, 1) == [429]
    assert await statuses(stage, 1, headers=ana.headers) == [101]


async def test_who_says_who_they_are_later_is_counted_then(stage: Stage) -> None:
    ana = await stage.world.person()
    token = ana.headers["Authorization"].removeprefix("Bearer ")
    assert await statuses(stage, 1, headers=ana.headers) == [101]
    for expected in ("ready", "RATE_LIMITED"):
        async with connect(f"{stage.url.replace('http', 'ws')}/v1/ws", proxy=None) as socket:
            await socket.send(json.dumps({"token": token}))
            async with asyncio.timeout(PATIENCE):
                told = json.loads(await socket.recv())
            assert expected in (told["type"], told.get("code"))
            if expected == "RATE_LIMITED":
                await socket.wait_closed()
                assert socket.close_code == 1013
