"""What every sender over HTTP makes of a provider that refuses, fails, stalls or babbles."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from app.channels.base import GaveUp, Message, NamesProvider, Outcome, RetryLater, Sender, Sent
from tests.channels.factories import (
    QUICK,
    TWILIO_TOKEN,
    Browser,
    error_of,
    make_gateway,
    make_push_sender,
    make_text,
    make_twilio,
)
from tests.channels.servers import LOOPBACK, HttpRecord, answer, endless, free_port, http_server
from tests.channels.servers import silence as silent

TOKEN = "gat3way-s3cret-token"
BROWSER = Browser()


def _gateway(url: str, **options: Any) -> tuple[Sender, Message]:
    return make_gateway(f"{url}/s3cretpath", token=TOKEN, **options), make_text()


def _twilio(url: str, **options: Any) -> tuple[Sender, Message]:
    return make_twilio(url, **options), make_text()


def _push(url: str, **options: Any) -> tuple[Sender, Message]:
    return make_push_sender(**options), BROWSER.push(f"{url}/s3cretpath")


Way = Callable[..., tuple[Sender, Message]]
pytestmark = pytest.mark.parametrize("way", [_gateway, _twilio, _push])


async def send_to(way: Way, *replies: Any, **options: Any) -> Outcome:
    async with http_server(*replies) as server:
        return await send(way, f"http://{LOOPBACK}:{server.port}", **options)


async def send(way: Way, url: str, **options: Any) -> Outcome:
    sender, message = way(url, **options)
    return await sender.send(message)


@pytest.mark.parametrize("status", [400, 405, 413, 422])
async def test_a_refusal_is_given_up_with_its_reason(way: Way, status: int) -> None:
    outcome = await send_to(way, answer(status, b"no\r\nsuch  \x00 luck"))
    assert isinstance(outcome, GaveUp)
    assert f"answered {status}: no such luck" in outcome.error
    assert not outcome.is_gone


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_what_passes_is_tried_again(way: Way, status: int) -> None:
    outcome = await send_to(way, answer(status))
    assert isinstance(outcome, RetryLater)
    assert f"answered {status}" in outcome.error


@pytest.mark.parametrize("status", [429, 503])
async def test_a_wish_to_wait_is_kept(way: Way, status: int) -> None:
    outcome = await send_to(way, answer(status, retry_after="30"))
    assert isinstance(outcome, RetryLater)
    assert outcome.after == timedelta(seconds=30)


async def test_a_provider_that_never_answers_does_not_hold_the_slot(way: Way) -> None:
    began = time.monotonic()
    outcome = await send_to(way, silent, timeout=QUICK)
    assert time.monotonic() - began < 1
    assert isinstance(outcome, RetryLater)
    assert "did not answer within 0.2 s" in outcome.error


async def test_nobody_there_is_tried_again(way: Way) -> None:
    assert isinstance(await send(way, f"http://{LOOPBACK}:{free_port()}"), RetryLater)


@pytest.mark.parametrize("reply", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 20"])
async def test_no_proper_answer_is_tried_again(way: Way, reply: bytes) -> None:
    assert isinstance(await send_to(way, reply), RetryLater)


@pytest.mark.parametrize(
    "body", [b"", b"<html>OK", b"[1]", b"null", b'"x"', b"\xff\xfe", b"[" * 9999]
)
async def test_a_yes_that_makes_no_sense_is_still_a_yes(way: Way, body: bytes) -> None:
    assert await send_to(way, answer(200, body)) == Sent()


@pytest.mark.parametrize(("status", "kind"), [(200, Sent), (500, RetryLater)])
async def test_an_endless_answer_is_cut(way: Way, status: int, kind: type[Outcome]) -> None:
    outcome = await send_to(way, partial(endless, status=status))
    assert type(outcome) is kind
    if not isinstance(outcome, Sent):
        assert len(outcome.error) <= 300


async def test_a_redirect_is_not_followed(way: Way) -> None:
    async with http_server(answer(200)) as other:
        outcome = await send_to(way, answer(307, location=other.url))
    assert not isinstance(outcome, Sent)
    assert other.requests == []


async def test_no_secret_reaches_an_error_or_the_log(
    way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    server: HttpRecord

    async def echo(writer: Any) -> None:
        writer.write(answer(400, server.requests[-1]))

    with caplog.at_level(logging.DEBUG):
        async with http_server(echo) as server:
            error = error_of(await send(way, f"http://{LOOPBACK}:{server.port}"))
    [request] = server.requests
    login = next(
        line.split()[-1].decode()
        for line in request.split(b"\r\n")
        if line.lower().startswith(b"authorization:")
    )
    for secret in (TOKEN, TWILIO_TOKEN, "s3cret", login):
        assert secret not in error
        assert secret not in caplog.text


async def test_it_is_ready_has_its_limits_and_closes(way: Way) -> None:
    sender, message = way("http://127.0.0.1:9", timeout=timedelta(seconds=15))
    assert (sender.state(), sender.timeout) == ("ready", timedelta(seconds=15))
    assert isinstance(sender, NamesProvider)
    assert sender.provider_of(message) == "127.0.0.1:9"
    await sender.close()
