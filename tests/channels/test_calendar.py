"""Fetching a calendar: what is taken, what is refused, and how much of it."""

import gzip
import tracemalloc
from datetime import timedelta
from functools import partial

import pytest

from app.domain.calendar import Copy, Failed
from tests.calendar_files import ics
from tests.channels.servers import LOOPBACK, answer, endless, http_server, silence
from tests.worker.following import fetcher

BODY = ics("UID:1\nDTSTART:20260101T000000Z\nDTEND:20260102T000000Z\nSUMMARY:x")


async def fetched(url: str, **options: object) -> Copy | Failed:
    way = fetcher(**options)
    try:
        return await way.fetch(url)
    finally:
        await way.close()


def error(found: Copy | Failed) -> str:
    assert isinstance(found, Failed)
    return found.error


async def test_a_calendar_comes_with_what_tells_its_state() -> None:
    async with http_server(answer(200, BODY, etag='"7"', last_modified="then")) as server:
        assert await fetched(server.url) == Copy(BODY, '"7"', "then")
    assert server.requests[0].startswith(b"GET /hook HTTP/1.1\r\n")


async def test_what_comes_packed_is_unpacked() -> None:
    packed = answer(200, gzip.compress(BODY), content_encoding="gzip")
    async with http_server(packed) as server:
        assert await fetched(server.url) == Copy(BODY)


async def test_too_much_is_refused_as_it_comes() -> None:
    async with http_server(answer(200, b"x" * 5_000)) as server:
        found = await fetched(server.url, most_bytes=4_999)
        assert error(found) == f"{LOOPBACK} sent more than 4,999 bytes."
        assert isinstance(await fetched(server.url, most_bytes=5_000), Copy)


async def test_what_never_ends_is_refused() -> None:
    async with http_server(partial(endless, status=200)) as server:
        assert "sent more than" in error(await fetched(server.url))


async def test_a_small_file_that_unpacks_to_much_is_refused() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    async with http_server(answer(200, bomb, content_encoding="gzip")) as server:
        tracemalloc.start()
        found = await fetched(server.url)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert "sent more than 1,000,000 bytes" in error(found)
    assert peak < 5_000_000  # it was never unpacked whole


@pytest.mark.parametrize("broken", [gzip.compress(BODY)[:-9], b"not packed at all"])
async def test_what_cannot_be_unpacked_is_told(broken: bytes) -> None:
    async with http_server(answer(200, broken, content_encoding="gzip")) as server:
        assert error(await fetched(server.url)).startswith("What it sent packed")


async def test_a_redirect_is_followed() -> None:
    async with http_server(answer(307, location="/moved"), answer(200, BODY)) as server:
        assert await fetched(server.url) == Copy(BODY)
    assert server.requests[1].startswith(b"GET /moved HTTP/1.1\r\n")


async def test_a_redirect_to_where_nobody_may_go_is_refused() -> None:
    """Else a calendar could read what only our network may."""
    to = "http://169.254.169.254/latest/meta-data"
    async with http_server(answer(302, location=to)) as server:
        assert "169.254.169.254 is not a public address" in error(await fetched(server.url))


async def test_redirects_come_to_an_end() -> None:
    async with http_server(answer(302, location="/hook")) as server:
        assert error(await fetched(server.url)) == "It was redirected more than 5 times."
    assert len(server.requests) == 6


async def test_a_private_address_is_not_asked() -> None:
    async with http_server(answer(200, BODY)) as server:
        assert "is not a public address" in error(await fetched(server.url, allowed=()))
    assert server.requests == []


@pytest.mark.parametrize("status", [204, 401, 404, 500])
async def test_any_other_answer_is_no_calendar(status: int) -> None:
    async with http_server(answer(status, BODY if status != 204 else b"")) as server:
        url = server.url + "/secret?key=secret"
        assert error(await fetched(url)) == f"{LOOPBACK} answered {status}."


async def test_silence_ends() -> None:
    async with http_server(silence) as server:
        found = await fetched(server.url, timeout=timedelta(seconds=0.2))
        assert error(found) == f"{LOOPBACK} did not answer within 0.2 s."
