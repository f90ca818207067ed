"""Webhooks as a receiver sees them, and what its answers make of a page."""

import asyncio
import json
import logging
import re
import ssl
import time
from collections.abc import Sequence
from datetime import timedelta
from email.utils import formatdate
from typing import Any

import pytest
from standardwebhooks import Webhook

from app.channels.base import GaveUp, Outcome, RetryLater, Sent
from app.channels.webhook import WebhookSender
from app.core.errors import SetupError
from tests.channels.factories import BODY, QUICK, SECRET, body_of, error_of, headers_of, make_hook
from tests.channels.factories import make_webhook_sender as make_sender
from tests.channels.servers import LOOPBACK, HttpRecord, answer, http_server


async def send_to(*replies: Any, **options: Any) -> Outcome:
    async with http_server(*replies) as server:
        return await make_sender(**options).send(make_hook(server.url))


async def test_a_page_arrives_compact_and_signed() -> None:
    async with http_server(answer(204)) as server:
        url = f"http://{LOOPBACK}:{server.port}/a%2Fb/hook?token=a%2Bb&x"
        outcome = await make_sender().send(make_hook(url))

    assert outcome == Sent(provider_id=None, kept_at=None)
    [request] = server.requests
    assert request.startswith(b"POST /a%2Fb/hook?token=a%2Bb&x HTTP/1.1\r\n")
    assert body_of(request) == json.dumps(BODY, separators=(",", ":"), ensure_ascii=False).encode()
    headers = headers_of(request)
    assert headers["host"] == f"{LOOPBACK}:{server.port}"
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"] == "Tocsin/0.1.0"
    assert headers["accept-encoding"] == "identity"
    assert headers["webhook-id"] == "ntf-4711-a"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 5
    assert Webhook(SECRET).verify(body_of(request), headers) == BODY


async def test_a_resend_keeps_its_id_and_signs_its_own_time() -> None:
    times = iter([1_800_000_000.9, 1_800_000_060.0])
    async with http_server(answer(200)) as server:
        sender = make_sender(clock=lambda: next(times))
        for _ in range(2):
            assert isinstance(await sender.send(make_hook(server.url)), Sent)
    first, second = (headers_of(request) for request in server.requests)
    assert first["webhook-id"] == second["webhook-id"]
    assert (first["webhook-timestamp"], second["webhook-timestamp"]) == ("1800000000", "1800000060")
    assert first["webhook-signature"] != second["webhook-signature"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Sent),
        (202, Sent),
        (299, Sent),
        (300, GaveUp),
        (304, GaveUp),
        (400, GaveUp),
        (401, GaveUp),
        (404, GaveUp),
        (408, RetryLater),
        (410, GaveUp),
        (422, GaveUp),
        (425, RetryLater),
        (429, RetryLater),
        (500, RetryLater),
        (501, RetryLater),
        (502, RetryLater),
        (503, RetryLater),
        (504, RetryLater),
        (599, RetryLater),
    ],
)
async def test_the_status_decides(status: int, kind: type[Outcome]) -> None:
    outcome = await send_to(answer(status))
    assert type(outcome) is kind
    if not isinstance(outcome, Sent):
        assert f"answered {status}" in outcome.error


NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("wish", "after"),
    [
        ("30", timedelta(seconds=30)),
        ("3601", timedelta(hours=1)),
        ("9" * 400, timedelta(hours=1)),
        (formatdate(NOW + 90, usegmt=True), timedelta(seconds=90)),
        (formatdate(NOW + 86400, usegmt=True), timedelta(hours=1)),
        (formatdate(NOW - 90, usegmt=True), None),
        ("0", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("Fri, 31 Dec 9999 99:99:99 GMT", None),
    ],
)
async def test_a_wish_to_wait_is_kept_up_to_an_hour(wish: str, after: timedelta | None) -> None:
    outcome = await send_to(answer(503, retry_after=wish), clock=lambda: NOW)
    assert isinstance(outcome, RetryLater)
    assert outcome.after == after


async def test_a_redirect_is_not_followed() -> None:
    async with (
        http_server(answer(200)) as other,
        http_server(answer(307, location=other.url)) as server,
    ):
        outcome = await make_sender().send(make_hook(server.url))
    assert isinstance(outcome, GaveUp)
    assert "redirect" in outcome.error
    assert other.requests == []


@pytest.mark.parametrize("status", [200, 500])
async def test_a_body_that_drips_changes_nothing(status: int) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(answer(status, content_length="1000"))
        while not writer.is_closing():
            writer.write(b"drip ")
            await writer.drain()
            await asyncio.sleep(0.02)

    began = time.monotonic()
    outcome = await send_to(drip, timeout=QUICK)
    assert time.monotonic() - began < 1
    if status == 200:
        assert outcome == Sent()
    else:
        assert isinstance(outcome, RetryLater)
        assert "500: drip drip" in outcome.error


async def test_headers_that_drip_do_not_hold_the_slot() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not writer.is_closing():
            writer.write(b"x: y\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    began = time.monotonic()
    outcome = await send_to(drip, timeout=QUICK)
    assert time.monotonic() - began < 1
    assert isinstance(outcome, RetryLater)
    assert "within 0.2 s" in outcome.error


async def test_a_silent_server_and_a_silent_resolver_do_not_hold_the_slot() -> None:
    async def silence(_: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    async def asleep(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(5)
        return []

    assert "within 0.2 s" in error_of(await send_to(silence, timeout=QUICK))
    stuck = make_sender(timeout=QUICK, resolver=asleep)
    assert "within 0.2 s" in error_of(await stuck.send(make_hook("http://slow.example/")))


async def test_a_huge_body_is_cut_and_quoted_in_a_line() -> None:
    written = 0

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(answer(500, b"No \x00\x1b[31m\r\nroom\x7f ", content_length="1000000000"))
        while written < 100_000_000:
            writer.write(b"x" * 65536)
            await writer.drain()
            written += 65536

    error = error_of(await send_to(flood))
    assert written < 20_000_000  # what the kernel's buffers hold, not what was offered
    assert "500: No [31m room xxx" in error
    assert len(error) <= 300
    assert error.count("x") < 200


async def test_a_packed_body_is_not_unpacked() -> None:
    outcome = await send_to(answer(500, b"\x1f\x8b\x08junk", content_encoding="gzip"))
    assert error_of(outcome).endswith("answered 500")


async def test_no_error_text_holds_the_signature_or_the_urls_secrets() -> None:
    server: HttpRecord

    async def echo(writer: asyncio.StreamWriter) -> None:
        signature = headers_of(server.requests[-1])["webhook-signature"]
        escaped = signature.replace("/", "\\/").replace("+", "%2B").replace("=", "&#61;")
        path = "/services/T01/s3cretpath"
        body = f"{signature} {escaped} {path}?token=qu3ry%2Bs3cret qu3ry+s3cret"
        writer.write(answer(400, body.encode()))

    async with http_server(echo) as server:
        url = f"http://{LOOPBACK}:{server.port}/services/T01/s3cretpath?token=qu3ry%2Bs3cret"
        error = error_of(await make_sender().send(make_hook(url)))
    signature = headers_of(server.requests[0])["webhook-signature"]
    assert "400: " in error
    assert "s3cret" not in error
    assert not any(piece in error for piece in re.findall(r"\w{4,}", signature))


async def test_nothing_of_the_url_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with http_server(answer(200)) as server:
            await make_sender().send(make_hook(server.url + "?token=s3cret"))
    assert "s3cret" not in caplog.text


async def test_a_body_is_always_json_or_nothing() -> None:
    async with http_server(answer(200)) as server:
        sender = make_sender()
        odd = make_hook(server.url, data={"title": "lone \ud800 surrogate"})
        assert await sender.send(odd) == Sent()
        for wrong in ({"n": float("nan")}, {"at": object()}):
            assert isinstance(await sender.send(make_hook(server.url, data=wrong)), GaveUp)
    [request] = server.requests
    assert json.loads(body_of(request)) == {"title": "lone ? surrogate"}
    assert Webhook(SECRET).verify(body_of(request), headers_of(request))


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_a", "not base64 ü"])
def test_a_bad_secret_is_a_fault_of_the_setup(secret: str) -> None:
    with pytest.raises(SetupError, match="webhook secret"):
        WebhookSender(secret, "0.1.0")


async def test_the_sender_is_ready_and_closes() -> None:
    sender = WebhookSender(SECRET, "0.1.0", tls=ssl.create_default_context())
    assert (sender.state(), sender.concurrency) == ("ready", 64)
    assert sender.timeout == timedelta(seconds=15)
    await sender.close()
