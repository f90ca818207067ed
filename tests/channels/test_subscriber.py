"""What an endpoint of a subscription is sent, and what is made of its answers."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from app.core.security import new_webhook_secret
from app.domain.webhook import Heard, Hook
from tests.channels.factories import BODY, QUICK, SECRET, body_of, headers_of
from tests.channels.servers import LOOPBACK, answer, free_port, http_server
from tests.channels.test_webhook_target import Names
from tests.worker.hooks import sender


def hook(url: str, *secrets: str) -> Hook:
    return Hook("5f0e4b9c", url, BODY, secrets or (SECRET,))


async def test_each_secret_signs_and_no_other_is_believed() -> None:
    old, new, other = (new_webhook_secret() for _ in range(3))
    async with http_server(answer(202)) as server:
        heard = await sender().send(hook(server.url, new, old))
    assert (heard.is_taken, heard.status) == (True, 202)
    [request] = server.requests
    headers = headers_of(request)
    assert headers["webhook-id"] == "5f0e4b9c"
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"] == "Tocsin/0.1.0"
    assert len(headers["webhook-signature"].split()) == 2
    for secret in (old, new):
        assert Webhook(secret).verify(body_of(request), headers) == BODY
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(body_of(request), headers)


async def test_the_timestamp_is_that_of_the_attempt() -> None:
    times = iter([1_800_000_000.9, 1_800_000_005.2])
    way = sender(clock=lambda: next(times))
    async with http_server(answer(200)) as server:
        await way.send(hook(server.url))
        await way.send(hook(server.url))
    stamps = [headers_of(request)["webhook-timestamp"] for request in server.requests]
    assert stamps == ["1800000000", "1800000005"]


@pytest.mark.parametrize("status", [300, 400, 401, 404, 409, 422, 429, 500, 502, 503, 504])
async def test_only_2xx_takes_it(status: int) -> None:
    async with http_server(answer(status, b"No")) as server:
        heard = await sender().send(hook(server.url))
    assert (heard.is_taken, heard.is_gone, heard.status) == (False, False, status)
    assert heard.error is not None
    assert heard.error.startswith(f"{LOOPBACK} answered {status}: No")


async def test_410_says_that_it_is_gone() -> None:
    async with http_server(answer(410)) as server:
        heard = await sender().send(hook(server.url))
    assert (heard.is_taken, heard.is_gone) == (False, True)


@pytest.mark.parametrize(
    ("wish", "after"),
    [("30", timedelta(seconds=30)), ("999999", timedelta(hours=1)), ("soon", None), ("-1", None)],
)
async def test_retry_after_is_heard_as_far_as_it_makes_sense(
    wish: str, after: timedelta | None
) -> None:
    async with http_server(answer(503, retry_after=wish)) as server:
        heard = await sender().send(hook(server.url))
    assert heard.after == after


async def test_a_private_address_gets_no_connection() -> None:
    async with http_server(answer(200)) as server:
        for url in (server.url, f"http://localhost:{server.port}/", f"http://[::1]:{server.port}"):
            heard = await sender(allowed=()).send(hook(url))
            assert not heard.is_taken
            assert "TOCSIN_ALLOW_PRIVATE_TARGETS" in (heard.error or "")
    assert server.connections == 0


async def test_a_name_is_resolved_once_for_each_attempt_and_pinned() -> None:
    """Whatever it would be answered a moment later, the request goes where was looked."""
    async with http_server(answer(200)) as server:
        names = Names([LOOPBACK], ["10.0.0.1"])
        way = sender(resolver=names)
        url = f"http://rebinding.invalid:{server.port}/"
        first, second = await way.send(hook(url)), await way.send(hook(url))
    assert first.is_taken
    assert "is not a public address" in (second.error or "")
    assert (len(names.asked), len(server.requests)) == (2, 1)


async def test_what_is_no_web_url_and_nobody_there_are_heard_not_raised() -> None:
    for url in (
        "ftp://x.example/",
        "http://u:s3cret@x.example/",
        f"http://{LOOPBACK}:{free_port()}",
    ):
        heard = await sender().send(hook(url))
        assert not heard.is_taken
        assert "s3cret" not in (heard.error or "")


async def test_an_endpoint_that_says_nothing_is_given_up_in_time() -> None:
    async with http_server(b"HTTP/1.1 20") as server:
        began = time.monotonic()
        heard: Heard = await sender(timeout=QUICK).send(hook(server.url))
        assert time.monotonic() - began < 3
    assert not heard.is_taken
    assert heard.status is None


async def test_no_word_of_an_answer_tells_the_signature_or_the_path() -> None:
    fixed = sender(clock=lambda: 1_800_000_000.0)
    async with http_server(answer(200)) as server:
        await fixed.send(hook(f"{server.url}/s3cret-path"))
        signature = headers_of(server.requests[0])["webhook-signature"]
    async with http_server(answer(400, f"{signature} /hook/s3cret-path".encode())) as server:
        heard = await fixed.send(hook(f"{server.url}/s3cret-path"))
    assert signature.removeprefix("v1,") not in (heard.error or "")
    assert "s3cret" not in (heard.error or "")


def test_nothing_that_is_printed_of_a_hook_tells_its_secrets() -> None:
    made = replace(hook("https://x.example/s3cret-path"), secrets=("whsec_s3cret",))
    assert "s3cret" not in repr(made)
