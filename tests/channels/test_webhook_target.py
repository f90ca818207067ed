"""Where a webhook connects, and where it never does."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from app.channels.base import GaveUp, RetryLater, Sent
from tests.channels.factories import QUICK, error_of, headers_of, make_hook
from tests.channels.factories import make_webhook_sender as make_sender
from tests.channels.servers import (
    LOOPBACK,
    answer,
    black_hole,
    free_port,
    http_server,
    make_certificate,
)


class Names:
    """A resolver that gives each question its next answer, and counts the questions."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


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


async def test_tls_where_there_is_none_is_tried_again() -> None:
    async with black_hole(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (port, _):
        outcome = await make_sender().send(make_hook(f"https://{LOOPBACK}:{port}/"))
    assert isinstance(outcome, RetryLater)


async def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with http_server(answer(200)) as proxy, http_server(answer(200)) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{LOOPBACK}:{proxy.port}")
        assert await make_sender().send(make_hook(server.url)) == Sent()
    assert proxy.requests == []


async def test_many_messages_at_once_share_no_cookie_and_none_is_lost() -> None:
    async with http_server(answer(200, set_cookie="a=b"), is_patient=True) as server:
        sender = make_sender()
        hooks = (make_hook(server.url, mark=f"m-{n}") for n in range(sender.concurrency * 2))
        outcomes = await asyncio.gather(*(sender.send(hook) for hook in hooks))
        await sender.send(make_hook(server.url))
        await sender.close()
    assert set(outcomes) == {Sent()}
    assert not any("cookie" in headers_of(request) for request in server.requests)


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


@pytest.mark.parametrize(
    "reply", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nbroken\r\n\r\n"]
)
async def test_no_proper_answer_is_tried_again(reply: bytes) -> None:
    async with http_server(reply) as server:
        outcome = await make_sender().send(make_hook(server.url))
    assert isinstance(outcome, RetryLater)
    assert LOOPBACK in outcome.error


async def test_nobody_there_is_tried_again() -> None:
    for url in (f"http://{LOOPBACK}:{free_port()}/?token=s3cret", "http://nowhere.invalid/?s3cret"):
        outcome = await make_sender().send(make_hook(url))
        assert isinstance(outcome, RetryLater)
        assert "s3cret" not in outcome.error
