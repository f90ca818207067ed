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
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from app.channels.base import GaveUp, Message, Outcome, RetryLater, Sent
from app.channels.targets import parse_networks
from app.channels.tls import client_context
from app.channels.webhook import WebhookSender
from app.core.errors import SetupError
from tests.channels.factories import make_message
from tests.channels.servers import (
    LOOPBACK,
    HttpRecord,
    answer,
    black_hole,
    free_port,
    http_server,
    make_certificate,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G"
BODY = {"type": "incident.opened", "timestamp": "2026-11-21T03:00:00Z", "data": {"title": "Ü 🔥"}}
TRUST = client_context()  # slow to make
QUICK = timedelta(seconds=0.2)


def make_sender(**options: Any) -> WebhookSender:
    options.setdefault("allowed", parse_networks("127.0.0.0/8"))
    options.setdefault("timeout", timedelta(seconds=3))
    options.setdefault("tls", TRUST)
    return WebhookSender(SECRET, "0.1.0", **options)


def make_hook(url: str, **changes: Any) -> Message:
    return make_message(**{"address": url, "data": BODY, **changes})


class Names:
    """A resolver that gives each question its next answer, and counts the questions."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


def headers_of(request: bytes) -> dict[str, str]:
    lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def body_of(request: bytes) -> bytes:
    return request.partition(b"\r\n\r\n")[2]


def error_of(outcome: Outcome) -> str:
    assert isinstance(outcome, RetryLater | GaveUp)
    return outcome.error


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


async def test_a_private_target_gets_no_connection() -> None:
    async with http_server(answer(200)) as server:
        outcome = await make_sender(allowed=()).send(make_hook(server.url))
    assert isinstance(outcome, GaveUp)
    assert "TOCSIN_ALLOW_PRIVATE_TARGETS" in outcome.error
    assert server.requests == []


@pytest.mark.parametrize("url", ["", "ftp://x.example/", "http://u:s3cret@x.example/", "nonsense"])
async def test_what_is_no_web_url_is_given_up(url: str) -> None:
    outcome = await make_sender().send(make_hook(url))
    assert isinstance(outcome, GaveUp)
    assert "s3cret" not in outcome.error


async def test_a_name_is_resolved_once_and_never_again() -> None:
    names = Names([LOOPBACK], ["10.0.0.1"])
    async with http_server(answer(200)) as server:
        url = f"http://rebinding.invalid:{server.port}/hook"
        outcome = await make_sender(resolver=names).send(make_hook(url))
    assert outcome == Sent()
    assert names.asked == [("rebinding.invalid", server.port)]
    assert headers_of(server.requests[0])["host"] == f"rebinding.invalid:{server.port}"


async def test_a_name_with_one_private_address_is_refused() -> None:
    names = Names(["93.184.216.34", "10.0.0.1"])
    outcome = await make_sender(resolver=names).send(make_hook("http://mixed.invalid/"))
    assert isinstance(outcome, GaveUp)
    assert "TOCSIN_ALLOW_PRIVATE_TARGETS" in outcome.error
    assert len(names.asked) == 1


async def test_the_next_address_is_tried_when_the_first_lets_nobody_in() -> None:
    async with http_server(answer(200)) as server:
        names = Names(["127.0.0.2", LOOPBACK])
        url = f"http://two.invalid:{server.port}/"
        assert await make_sender(resolver=names).send(make_hook(url)) == Sent()
    assert len(server.requests) == 1


async def test_https_is_pinned_to_the_address_and_verified_by_name(tmp_path: Path) -> None:
    server_tls, client_tls = make_certificate(tmp_path, "hooks.invalid")
    async with http_server(answer(200), tls=server_tls) as server:
        sender = make_sender(tls=client_tls, resolver=Names([LOOPBACK]))
        good = await sender.send(make_hook(f"https://hooks.invalid:{server.port}/x"))
        dotted = await sender.send(make_hook(f"https://hooks.invalid.:{server.port}/x"))
        other = await sender.send(make_hook(f"https://other.invalid:{server.port}/x"))
        by_address = await sender.send(make_hook(f"https://{LOOPBACK}:{server.port}/x"))

    assert (good, dotted) == (Sent(), Sent())
    assert server.server_names == ["hooks.invalid", "hooks.invalid", "other.invalid", None]
    assert headers_of(server.requests[0])["host"] == f"hooks.invalid:{server.port}"
    assert len(server.requests) == 2
    for outcome in (other, by_address):
        assert isinstance(outcome, RetryLater)
        assert "certificate verify failed" in outcome.error


async def test_an_unknown_issuer_is_not_trusted(tmp_path: Path) -> None:
    server_tls, _ = make_certificate(tmp_path, LOOPBACK)
    async with http_server(answer(200), tls=server_tls) as server:
        url = server.url.replace("http:", "https:")
        outcome = await make_sender().send(make_hook(url))
    assert isinstance(outcome, RetryLater)
    assert "certificate verify failed" in outcome.error
    assert server.requests == []


async def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with http_server(answer(200)) as proxy, http_server(answer(200)) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{LOOPBACK}:{proxy.port}")
        assert await make_sender().send(make_hook(server.url)) == Sent()
    assert proxy.requests == []


async def test_each_message_has_a_connection_of_its_own() -> None:
    async with http_server(answer(200, set_cookie="a=b")) as server:
        sender = make_sender()
        hooks = (make_hook(server.url, mark=f"m-{n}") for n in range(sender.concurrency * 2))
        outcomes = await asyncio.gather(*(sender.send(hook) for hook in hooks))
        await sender.send(make_hook(server.url))
    assert set(outcomes) == {Sent()}
    requests = [headers_of(request) for request in server.requests]
    assert {request["connection"] for request in requests} == {"close"}
    assert not any("cookie" in request for request in requests)


@pytest.mark.parametrize(
    "reply", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nbroken\r\n\r\n"]
)
async def test_no_proper_answer_is_tried_again(reply: bytes) -> None:
    outcome = await send_to(reply)
    assert isinstance(outcome, RetryLater)
    assert LOOPBACK in outcome.error


async def test_nobody_there_is_tried_again() -> None:
    for url in (f"http://{LOOPBACK}:{free_port()}/?token=s3cret", "http://nowhere.invalid/?s3cret"):
        outcome = await make_sender().send(make_hook(url))
        assert isinstance(outcome, RetryLater)
        assert "s3cret" not in outcome.error


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("cancelled", [True, False])
async def test_whatever_ends_a_send_its_connection_ends_too(scheme: str, cancelled: bool) -> None:
    async with black_hole() as (port, hung_up):
        hook = make_hook(f"{scheme}://{LOOPBACK}:{port}/")
        task = asyncio.create_task(make_sender(timeout=QUICK).send(hook))
        await asyncio.wait([task], timeout=0.1 if cancelled else 1)
        if cancelled:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            assert "within 0.2 s" in error_of(task.result())
        await asyncio.wait_for(hung_up.wait(), 1)


async def test_an_address_that_stalls_leaves_time_for_the_next(tmp_path: Path) -> None:
    server_tls, client_tls = make_certificate(tmp_path, "two.invalid")
    async with (
        http_server(answer(200), tls=server_tls) as server,
        black_hole(host="127.0.0.2", port=server.port) as (_, hung_up),
    ):
        names = Names(["127.0.0.2", LOOPBACK])
        sender = make_sender(resolver=names, tls=client_tls, timeout=timedelta(seconds=0.8))
        outcome = await sender.send(make_hook(f"https://two.invalid:{server.port}/"))
        await asyncio.wait_for(hung_up.wait(), 1)
    assert outcome == Sent()


async def test_tls_where_there_is_none_is_tried_again() -> None:
    async with black_hole(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (port, _):
        outcome = await make_sender().send(make_hook(f"https://{LOOPBACK}:{port}/"))
    assert isinstance(outcome, RetryLater)


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
    assert (sender.state(), sender.concurrency) == ("ready", 16)
    assert sender.timeout == timedelta(seconds=15)
    await sender.close()
