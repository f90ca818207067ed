"""Chats as their servers see us, and what of a chat's URL nobody else sees."""

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from app.channels.base import GaveUp, Outcome, RetryLater, Sent
from app.channels.chat import SERVICES
from app.domain.chat import CHAT_SCHEMES, ChatAddress, read_chat_url
from tests.channels.factories import (
    QUICK,
    body_of,
    error_of,
    headers_of,
    make_chat_sender,
    make_message,
)
from tests.channels.servers import LOOPBACK, answer, black_hole, endless, free_port, http_server
from tests.domain.chats import CHATS

TITLE = "[critical] Disk full on db-1"
TEXT = "Disk full on db-1\n\nAcknowledge: https://tocsin.example/a/x"
HOOK = "s3crethook0123456789abcdef"


async def send(url: str | None, **options: Any) -> Outcome:
    return await make_chat_sender(**options).send(make_message(secret=url, address="a label"))


async def taken(url: str) -> bytes:
    """The one request that a page to this chat made; `{port}` is the server's."""
    async with http_server(answer(200, b'{"id": 1}')) as server:
        assert await send(url.format(port=server.port)) == Sent()
    [request] = server.requests
    return request


async def test_a_page_arrives_in_mattermost() -> None:
    request = await taken(f"mmost://bell@{LOOPBACK}:{{port}}/sub/{HOOK}?channel=ops")
    assert request.startswith(f"POST /sub/hooks/{HOOK} HTTP/1.1\r\n".encode())
    body = json.loads(body_of(request))
    assert (body["channel"], body["username"]) == ("ops", "bell")
    assert body["text"].replace("\r", "") == f"{TITLE}\n{TEXT}"
    assert "icon_url" not in body


async def test_a_page_arrives_in_ntfy() -> None:
    request = await taken(f"ntfy://u:p@{LOOPBACK}:{{port}}/s3crettopic?priority=high")
    assert request.startswith(b"POST / HTTP/1.1\r\n")
    headers = headers_of(request)
    assert (headers["x-priority"], headers["authorization"]) == ("high", "Basic dTpw")
    assert not headers.keys() & {"x-icon", "x-click", "x-attach"}
    assert json.loads(body_of(request)) == {"topic": "s3crettopic", "title": TITLE, "message": TEXT}


async def test_a_page_arrives_in_gotify() -> None:
    request = await taken(f"gotify://{LOOPBACK}:{{port}}/sub/s3crettoken?priority=high")
    assert request.startswith(b"POST /sub/message HTTP/1.1\r\n")
    assert headers_of(request)["x-gotify-key"] == "s3crettoken"
    assert json.loads(body_of(request)) == {"priority": 8, "title": TITLE, "message": TEXT}


async def test_a_page_arrives_in_rocket_chat() -> None:
    hook = "aaaaaaaaaaaaaaaaa%2Fbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    request = await taken(f"rocket://{hook}@{LOOPBACK}:{{port}}/#ops")
    assert request.startswith(f"POST /hooks/{hook.replace('%2F', '/')} ".encode())
    assert json.loads(body_of(request))["channel"] == "#ops"


async def test_a_page_arrives_in_matrix_without_a_login() -> None:
    async with http_server(answer(200, b'{"room_id": "!r:x", "user_id": "@b:x"}')) as server:
        url = f"matrix://syt_s3cret@{LOOPBACK}:{server.port}/!room:x"
        assert [await send(url), await send(url)] == [Sent(), Sent()]
    asked = [request.split(b" HTTP", 1)[0].decode() for request in server.requests]
    posted = [line for line in asked if "/send/m.room.message/" in line]
    assert len(set(posted)) == 2  # a repeated transaction would be taken for a resend
    assert not any("login" in line or "register" in line or "logout" in line for line in asked)
    assert {headers_of(request)["authorization"] for request in server.requests} == {
        "Bearer syt_s3cret"
    }


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410, 429, 500, 503])
async def test_whatever_a_chat_answers_but_yes_is_tried_again(status: int) -> None:
    async with (
        http_server(answer(200)) as other,
        http_server(answer(status, location=other.url)) as server,
    ):
        outcome = await send(f"gotify://{LOOPBACK}:{server.port}/s3crettoken")
    said = "Gotify did not take it: check the chat's URL."
    assert outcome == RetryLater(said, is_about_message=True)
    assert other.requests == []


@pytest.mark.parametrize("reply", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 20"])
async def test_no_proper_answer_is_tried_again(reply: bytes) -> None:
    async with http_server(reply) as server:
        outcome = await send(f"gotify://{LOOPBACK}:{server.port}/s3crettoken")
    assert isinstance(outcome, RetryLater)


async def test_nobody_there_is_tried_again() -> None:
    assert isinstance(await send(f"gotify://{LOOPBACK}:{free_port()}/s3crettoken"), RetryLater)


async def test_a_silent_chat_does_not_hold_the_slot_nor_its_thread() -> None:
    began = time.monotonic()
    async with black_hole() as (port, hung_up):
        outcome = await send(f"gotify://{LOOPBACK}:{port}/s3crettoken", timeout=QUICK)
        await asyncio.wait_for(hung_up.wait(), 1)
    assert time.monotonic() - began < 1
    assert isinstance(outcome, RetryLater)


async def test_an_endless_answer_does_not_hold_the_slot() -> None:
    began = time.monotonic()

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(answer(200, content_length="1000"))
        while not writer.is_closing():
            writer.write(b"drip ")
            await writer.drain()
            await asyncio.sleep(0.02)

    for reply in (drip, partial(endless, status=200)):
        async with http_server(reply) as server:
            outcome = await send(f"gotify://{LOOPBACK}:{server.port}/s3crettoken", timeout=QUICK)
        assert isinstance(outcome, RetryLater)
    assert time.monotonic() - began < 3


async def test_a_chat_that_never_ends_its_answers_cannot_keep_the_others_waiting() -> None:
    let_go = asyncio.Event()

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(answer(200, content_length="1000000"))
        while not let_go.is_set():
            writer.write(b"drip ")
            await writer.drain()
            await asyncio.sleep(0.02)

    sender = make_chat_sender(concurrency=2, timeout=QUICK)
    async with http_server(drip) as server:
        page = make_message(secret=f"gotify://{LOOPBACK}:{server.port}/s3crettoken")
        for _ in range(4):
            refused = await sender.send(page)
        assert len(server.requests) == 2
        said = "Gotify has not finished answering earlier pages."
        assert refused == RetryLater(said, is_about_message=True)
        let_go.set()
    async with http_server(answer(200)) as server:
        page = make_message(secret=f"gotify://{LOOPBACK}:{server.port}/s3crettoken")
        async with asyncio.timeout(3):
            while await sender.send(page) != Sent():
                await asyncio.sleep(0.01)


async def test_a_private_host_gets_no_connection() -> None:
    async with http_server(answer(200)) as server:
        for scheme, login in (("gotify", ""), ("ntfy", ""), ("mmost", ""), ("matrix", "token@")):
            url = f"{scheme}://{login}{LOOPBACK}:{server.port}/{HOOK}"
            outcome = await send(url, allowed=())
            assert isinstance(outcome, GaveUp)
            assert "TOCSIN_ALLOW_PRIVATE_TARGETS" in outcome.error
            assert "s3cret" not in outcome.error
    assert server.requests == []


async def test_a_name_is_checked_before_it_is_used() -> None:
    asked = []

    async def names(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["93.184.216.34", "10.0.0.1"] if host == "mixed.invalid" else []

    mixed = await send("gotifys://mixed.invalid/s3crettoken", resolver=names)
    assert isinstance(mixed, GaveUp)
    unknown = await send("gotifys://nowhere.invalid/s3crettoken", resolver=names)
    assert unknown == RetryLater("The name nowhere.invalid cannot be resolved.")
    assert asked == ["mixed.invalid", "nowhere.invalid"]


async def test_a_resolver_that_stalls_does_not_hold_the_slot() -> None:
    async def asleep(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(5)
        return []

    outcome = await send("gotifys://slow.invalid/s3crettoken", resolver=asleep, timeout=QUICK)
    assert outcome == RetryLater("Gotify did not answer within 0.2 s.")


@pytest.mark.parametrize(
    "url", [None, "", "json://127.0.0.1/s3cret", "ntfys://h/t?attach=s3cret", "mailto://s3cret@x.y"]
)
async def test_the_allowlist_is_asked_again(url: str | None) -> None:
    outcome = await send(url)
    assert isinstance(outcome, GaveUp)
    assert "s3cret" not in outcome.error


@pytest.mark.parametrize(
    "url",
    ["slack://s3cret", "discord://1", "tgram://s3cret", "gotifys://push.invalid", "pover://s3cret"],
)
async def test_a_url_that_is_not_complete_is_given_up(url: str) -> None:
    outcome = await send(url)
    assert isinstance(outcome, GaveUp)
    assert "not complete" in outcome.error
    assert "s3cret" not in outcome.error


def test_every_chat_that_is_allowed_has_its_service_and_no_other() -> None:
    assert SERVICES.keys() == CHAT_SCHEMES.keys()


@pytest.mark.parametrize("url", CHATS.values(), ids=CHATS)
def test_apprise_means_the_same_by_a_url_as_we_do(url: str) -> None:
    sender = make_chat_sender(timeout=timedelta(seconds=3))
    address = read_chat_url(url)
    service = sender._instantiate(address)
    assert service is not None
    assert service.secure is address.scheme.endswith("s") or not address.own_host
    assert address.host in (None, service.host.lower())
    assert service.verify_certificate
    assert not service.redirects
    assert (service.socket_connect_timeout, service.socket_read_timeout) == (0.75, 1.5)
    assert not getattr(service, "discovery", False)
    assert not getattr(service, "e2ee", False)


def test_a_url_that_apprise_reads_otherwise_is_not_used() -> None:
    url = "mmosts://evil.example/0123456789abcdef1234567890"
    address = ChatAddress("mmosts", "Mattermost", True, "good.example", "label", url)
    assert make_chat_sender()._instantiate(address) is None


@pytest.mark.parametrize("status", [200, 500])
async def test_nothing_of_the_url_reaches_the_log(
    status: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with http_server(answer(status, b"s3cretanswer")) as server:
            await send(f"gotify://{LOOPBACK}:{server.port}/s3crettoken")
            await send(f"mmost://{LOOPBACK}:{server.port}/{HOOK}")
            await send(f"ntfy://s3cretuser:s3cret@{LOOPBACK}:{server.port}/s3crettopic")
            await send("slack://s3cret")
    written = capfd.readouterr()
    assert "s3cret" not in caplog.text + written.out + written.err


async def test_an_error_holds_nothing_of_the_url() -> None:
    async with http_server(answer(500, b"s3crettoken")) as server:
        error = error_of(await send(f"gotify://{LOOPBACK}:{server.port}/s3crettoken"))
    assert "s3cret" not in error


async def test_a_long_page_is_cut_rather_than_split() -> None:
    text = "Disk full " * 1000
    async with http_server(answer(200)) as server:
        url = f"mmost://{LOOPBACK}:{server.port}/{HOOK}"
        assert await make_chat_sender().send(make_message(secret=url, text=text)) == Sent()
    [request] = server.requests
    assert TITLE in json.loads(body_of(request))["text"]


async def test_it_is_ready_has_its_limits_and_closes() -> None:
    sender = make_chat_sender()
    assert (sender.state(), sender.concurrency) == ("ready", 4)
    await sender.close()
