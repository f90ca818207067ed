"""Connections that are kept: what they serve, what they never serve, and when they end."""

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path

import uvloop

from app.channels.base import GaveUp, Outcome, RetryLater, Sent
from tests.channels.factories import error_of, headers_of, make_hook
from tests.channels.factories import make_webhook_sender as make_sender
from tests.channels.servers import LOOPBACK, answer, http_server, make_certificate


async def until(done: object) -> None:
    """Wait for something that the other side does in its own time."""
    assert callable(done)
    while not done():
        await asyncio.sleep(0.001)


async def test_messages_one_after_the_other_go_over_one_connection() -> None:
    async with http_server(answer(200, b"thanks"), answer(204), is_patient=True) as server:
        sender = make_sender()
        for number in range(5):
            assert await sender.send(make_hook(server.url, mark=f"m-{number}")) == Sent()
        assert server.connections == 1
        assert "connection" not in headers_of(server.requests[0])
        await sender.close()
        await until(lambda: server.hung_up == 1)
    assert [headers_of(one)["webhook-id"] for one in server.requests] == [
        f"m-{number}" for number in range(5)
    ]


async def test_a_failure_that_was_answered_keeps_the_connection_too() -> None:
    async with http_server(answer(500, b"no"), answer(200), is_patient=True) as server:
        sender = make_sender()
        assert isinstance(await sender.send(make_hook(server.url)), RetryLater)
        assert await sender.send(make_hook(server.url)) == Sent()
        assert server.connections == 1
        await sender.close()


async def test_what_was_verified_for_one_name_serves_no_other(tmp_path: Path) -> None:
    async def both(host: str, port: int) -> Sequence[str]:
        return [LOOPBACK]

    server_tls, client_tls = make_certificate(tmp_path, "one.invalid")
    async with http_server(answer(200), tls=server_tls, is_patient=True) as server:
        sender = make_sender(tls=client_tls, resolver=both)
        good = await sender.send(make_hook(f"https://one.invalid:{server.port}/x"))
        other = await sender.send(make_hook(f"https://two.invalid:{server.port}/x"))
        again = await sender.send(make_hook(f"https://one.invalid:{server.port}/x"))
        await sender.close()
    assert (good, again) == (Sent(), Sent())
    assert "certificate verify failed" in error_of(other)
    assert server.server_names == ["one.invalid", "two.invalid"]
    assert {headers_of(request)["host"] for request in server.requests} == {
        f"one.invalid:{server.port}"
    }


async def test_a_kept_connection_is_no_way_around_the_check_of_its_address() -> None:
    """The name leads elsewhere by now: what was permitted before is not asked any more."""
    answers = [[LOOPBACK], ["10.0.0.1"], ["127.0.0.2"]]

    async def names(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    async with http_server(answer(200), is_patient=True) as server:
        sender = make_sender(resolver=names)
        hook = make_hook(f"http://rebinding.invalid:{server.port}/")
        assert await sender.send(hook) == Sent()
        assert isinstance(await sender.send(hook), GaveUp)
        moved = await sender.send(hook)
        await sender.close()
    assert "Connection refused" in error_of(moved)
    assert "127.0.0" not in error_of(moved)
    assert len(server.requests) == 1


async def test_a_server_that_hangs_up_unasked_costs_a_new_connection_and_no_message() -> None:
    async with http_server(answer(200)) as server:
        sender = make_sender()
        for _ in range(20):
            assert await sender.send(make_hook(server.url)) == Sent()
        await sender.close()
    assert len(server.requests) == 20


async def test_an_answer_that_goes_on_is_not_taken_for_the_next_one() -> None:
    double = answer(200) + answer(200, b"what nobody asked for")
    async with http_server(double, answer(500), is_patient=True) as server:
        sender = make_sender()
        assert await sender.send(make_hook(server.url)) == Sent()
        assert isinstance(await sender.send(make_hook(server.url)), RetryLater)
        await sender.close()
    assert server.connections == 2


async def test_who_wants_the_connection_closed_gets_it_closed() -> None:
    for told in (answer(200, connection="close"), answer(200, keep_alive="timeout=1")):
        async with http_server(told, is_patient=True) as server:
            sender = make_sender()
            await sender.send(make_hook(server.url))
            await sender.send(make_hook(server.url))
            assert server.connections == 2
            await until(lambda record=server: record.hung_up == 2)


async def test_what_is_idle_for_a_moment_is_closed() -> None:
    async with http_server(answer(200), is_patient=True) as server:
        sender = make_sender()
        sender._pool._idle_for = 0.01
        await sender.send(make_hook(server.url))
        assert sender._pool.idle_count == 1
        await until(lambda: server.hung_up == 1)
        assert sender._pool.idle_count == 0


async def test_no_more_are_kept_than_may_be() -> None:
    async with http_server(answer(200), is_patient=True) as server:
        sender = make_sender()
        sender._pool._most_idle = 2
        hooks = [make_hook(server.url, mark=f"m-{n}") for n in range(8)]
        assert set(await asyncio.gather(*map(sender.send, hooks))) == {Sent()}
        assert sender._pool.idle_count <= 2
        await sender.close()
        assert sender._pool.idle_count == 0


async def test_the_words_before_an_answer_are_no_answer() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + answer(503)
    async with http_server(early) as server:
        outcome = await make_sender().send(make_hook(server.url))
    assert "answered 503" in error_of(outcome)


async def test_an_answer_in_pieces_is_read_whole() -> None:
    chunked = (
        b"HTTP/1.1 400 No\r\ntransfer-encoding: chunked\r\n\r\n3\r\nno \r\n4\r\nluck\r\n0\r\n\r\n"
    )
    async with http_server(chunked, is_patient=True) as server:
        sender = make_sender()
        outcomes = [await sender.send(make_hook(server.url)) for _ in range(2)]
        await sender.close()
    assert all("answered 400: no luck" in error_of(outcome) for outcome in outcomes)
    assert server.connections == 1


async def test_the_loop_that_serves_in_production_sends_as_well(tmp_path: Path) -> None:
    """uvicorn brings a loop of its own, whose transports are not asyncio's."""

    async def send_all(urls: list[str], tls: ssl.SSLContext) -> tuple[list[Outcome], int]:
        sender = make_sender(tls=tls)
        outcomes = [await sender.send(make_hook(url)) for url in urls for _ in range(3)]
        kept = sender._pool.idle_count
        await sender.close()
        return outcomes, kept

    def on_uvloop(urls: list[str], tls: ssl.SSLContext) -> tuple[list[Outcome], int]:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(send_all(urls, tls))

    server_tls, client_tls = make_certificate(tmp_path, LOOPBACK)
    async with (
        http_server(answer(200), is_patient=True) as plain,
        http_server(answer(200), tls=server_tls, is_patient=True) as safe,
    ):
        urls = [plain.url, safe.url.replace("http:", "https:")]
        outcomes, kept = await asyncio.to_thread(on_uvloop, urls, client_tls)
        assert (plain.connections, safe.connections, kept) == (1, 1, 2)
    assert outcomes == [Sent()] * 6
