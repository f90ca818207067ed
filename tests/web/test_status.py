"""The status page as it is served: to anybody, without a cookie, kept by proxies."""

import xml.etree.ElementTree as ElementTree

import httpx
import pytest

from tests.web.html import directives, read
from tests.world import World

PAGES = ["/status", "/status/history"]
FILES = {
    "/status/history.rss": "application/rss+xml; charset=utf-8",
    "/status/history.atom": "application/atom+xml; charset=utf-8",
    "/status/badge.svg": "image/svg+xml",
}


@pytest.mark.parametrize("path", PAGES)
async def test_anybody_may_see_it_and_nobody_gets_a_cookie(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"].startswith("public, max-age=")
    policy = directives(answer.headers["content-security-policy"])
    assert policy["default-src"] == policy["frame-ancestors"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == ["'self'"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "Status" in read(answer.text).text


@pytest.mark.parametrize("path", [*PAGES, *FILES])
async def test_whoever_has_it_is_not_sent_it_again(client: httpx.AsyncClient, path: str) -> None:
    first = await client.get(path)
    again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = await client.get(path, headers={"If-None-Match": '"something-else"'})
    assert other.status_code == 200
    head = await client.head(path)
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("path", FILES)
async def test_feeds_and_badges_may_be_shown_by_other_sites(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path)
    assert answer.headers["content-type"] == FILES[path]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    ElementTree.fromstring(answer.content)


@pytest.mark.parametrize(
    "path",
    [
        "/status/incidents/none-such",
        "/status/incidents/%00",
        "/status/history?month=2026-13",
        "/status/history?month=1999-01",
        "/status/history?month=8999-01",
        "/status/history?month=x",
    ],
)
async def test_a_link_to_nothing_says_so_and_leads_back(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 404
    shown = read(answer.text)
    assert "leads nowhere" in shown.text
    assert "/status" in shown.addresses


async def test_there_is_no_badge_of_a_component_that_nobody_sees(
    client: httpx.AsyncClient,
) -> None:
    assert (await client.get("/status/badges/12345.svg")).status_code == 404


async def test_the_page_says_when_it_was_looked_at(world: World) -> None:
    first = await world.client.get("/status")
    world.clock.forward(minutes=2)
    second = await world.client.get("/status")
    assert first.headers["etag"] != second.headers["etag"]
