"""Searching incidents: words, names of hosts, error codes; by relevance and otherwise."""

from typing import Any
from urllib.parse import quote

import pytest

from app.domain.search import MOST_MATCHES
from tests.api.answers import faulty, refused
from tests.world import Person, World

INCIDENTS = "/v1/incidents"
TITLES = [
    "ECONNREFUSED db-7.prod.example.org:5432",
    "Checkout is slow",
    "Größere Störung in Österreich",
    "kernel: Out of memory: Killed process 4242 (java)",
    "HTTP 502 from https://api.example.org/v1/orders?id=7",
    "java.lang.NullPointerException at com.acme.Cart$Item.total(Cart.java:42)",
    "disk /dev/sda1 is 97% full on web_01",
]


@pytest.fixture
async def ana(world: World) -> Person:
    who = await world.person()
    for title in TITLES:
        await world.declare(who, title=title)
    return who


async def found(world: World, who: Person, search: str, query: str = "") -> list[str]:
    page = await world.call("GET", f"{INCIDENTS}?search={quote(search)}&{query}", who)
    return [item["title"] for item in page["items"]]


@pytest.mark.parametrize(
    ("search", "place"),
    [
        ("ECONNREFUSED db-7", 0),
        ("econnrefused", 0),
        ("db-7.prod.example.org", 0),
        ("db-7", 0),
        ("prod 5432", 0),
        ('"checkout is slow"', 1),
        ("slow checkout", 1),
        ("störung österreich", 2),
        ("memory 4242", 3),
        ("502 api.example.org", 4),
        ("https://api.example.org/v1/orders", 4),
        ("NullPointerException", 5),
        ("Cart.java:42", 5),
        ("/dev/sda1", 6),
        ("web_01", 6),
        ("97%", 6),
        ("example.org -502", 0),
        ("slow or nothing", 1),
    ],
)
async def test_what_is_typed_finds_what_is_meant(
    world: World, ana: Person, search: str, place: int
) -> None:
    assert await found(world, ana, search) == [TITLES[place]]


@pytest.mark.parametrize(
    "search", ["db-8", '"slow is"', "checkout memory", "timeout", "conn", "'; DROP TABLE users--"]
)
async def test_what_is_not_there_is_not_found(world: World, ana: Person, search: str) -> None:
    assert await found(world, ana, search) == []


async def test_titles_tell_more_than_descriptions_and_these_more_than_comments(
    world: World,
) -> None:
    ana = await world.person()
    titled = await world.declare(ana, title="Cache flaps")
    described = await world.declare(ana, title="B", description="The cache, it seems.")
    said = await world.declare(ana, title="C")
    await world.declare(ana, title="D")
    comments = f"{INCIDENTS}/{said['id']}/comments"
    for text in ("Is it the cache?", "Cache was cleared."):
        await world.call("POST", comments, ana, expect=201, json={"content": text})

    assert await found(world, ana, "cache") == [one["title"] for one in (titled, described, said)]
    page = await world.call("GET", f"{INCIDENTS}?search=cache&per_page=1", ana)
    assert (page["total"], page["total_is_bound"]) == (3, False)


async def test_what_changes_is_found_as_it_is_now(world: World, ana: Person) -> None:
    incident = (await world.call("GET", f"{INCIDENTS}?search=slow", ana))["items"][0]
    path = f"{INCIDENTS}/{incident['id']}"
    await world.call("PATCH", path, ana, json={"title": "Checkout is down"})
    assert await found(world, ana, "slow") == []
    assert await found(world, ana, "down") == ["Checkout is down"]


async def test_filters_narrow_what_is_found(world: World) -> None:
    ana = await world.person()
    web = await world.declare(ana, title="Disk full", service="web", tags=["eu"])
    await world.declare(ana, title="Disk full", service="database")
    for query in ("service=web", "tag=eu", "service=web&status=open&tag=us&tag=eu"):
        page = await world.call("GET", f"{INCIDENTS}?search=disk&{query}", ana)
        assert ([one["id"] for one in page["items"]], page["total"]) == ([web["id"]], 1)
    assert await found(world, ana, "disk", "service=mail") == []


async def test_the_deleted_and_drills_are_not_found(world: World) -> None:
    admin = await world.admin()
    gone = await world.declare(admin, title="Disk full")
    await world.call(
        "POST",
        f"{INCIDENTS}/{gone['id']}/comments",
        admin,
        expect=201,
        json={"content": "The disk again"},
    )
    await world.call("DELETE", f"{INCIDENTS}/{gone['id']}?confirm={gone['id']}", admin, expect=204)
    assert await found(world, admin, "disk") == []
    assert await found(world, admin, "disk", "deleted=true") == ["Disk full"]


async def test_a_search_can_be_put_in_another_order(world: World) -> None:
    ana = await world.person()
    ids = [
        (await world.declare(ana, title="Disk disk full", severity=word))["id"]
        for word in ("low", "critical", "high")
    ]

    async def listed(query: str) -> list[int]:
        page = await world.call("GET", f"{INCIDENTS}?search=disk&{query}", ana)
        return [one["id"] for one in page["items"]]

    assert await listed("sort_by=severity") == [ids[1], ids[2], ids[0]]
    assert await listed("sort_by=created_at&sort_order=asc") == ids
    assert await listed("sort_by=relevance&sort_order=asc") == ids


async def followed(world: World, who: Person, query: str, title: str = "") -> list[dict[str, Any]]:
    """All pages, while matching incidents arrive."""
    items, cursor = [], ""
    while True:
        page = await world.call("GET", f"{INCIDENTS}?{query}{cursor}", who)
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        cursor = f"&cursor={page['next_cursor']}"
        if title:
            await world.declare(who, title=title)


@pytest.mark.parametrize("sort", ["", "&sort_by=severity", "&sort_by=updated_at&sort_order=asc"])
async def test_cursors_meet_each_match_once_while_better_ones_arrive(
    world: World, sort: str
) -> None:
    ana = await world.person()
    for count in (1, 3, 2, 3, 1, 2):
        await world.declare(ana, title="disk " * count)
    query = f"search=disk&per_page=2{sort}"
    expected = [one["id"] for one in await followed(world, ana, query)]
    assert len(set(expected)) == 6
    met = [one["id"] for one in await followed(world, ana, query, title="disk " * 4)]
    assert met == expected


async def test_only_the_newest_of_very_many_are_put_in_order(world: World) -> None:
    ana = await world.person()
    best = await world.declare(ana, title="storm storm storm")
    await world.sql(
        "WITH made AS (INSERT INTO incidents (title, severity, service)"
        f" SELECT 'storm of ' || n, 'low', 'x' FROM generate_series(1, {MOST_MATCHES}) AS n"
        " RETURNING id) INSERT INTO incident_tallies (incident_id) SELECT id FROM made"
    )
    # Nobody empties this table but tests, after which PostgreSQL may believe it to be so still.
    await world.sql("ANALYZE incidents, incident_tallies, search_queue, search_words")
    page = await world.call("GET", f"{INCIDENTS}?search=storm&per_page=100", ana)
    assert (page["total"], page["total_is_bound"]) == (MOST_MATCHES, True)
    items = await followed(world, ana, "search=storm&per_page=100")
    assert len({one["id"] for one in items}) == len(items) == MOST_MATCHES
    assert best["id"] not in {one["id"] for one in items}


@pytest.mark.parametrize("search", ["", "%20", "...", "-staging"])
async def test_a_search_for_nothing_is_refused(world: World, search: str) -> None:
    path = f"{INCIDENTS}?search={search}"
    details = await refused(world, "GET", path, await world.person(), 422, "INVALID_INPUT")
    assert details == {"field": "search"}


async def test_a_search_has_an_end_and_holds_no_nul(world: World) -> None:
    ana = await world.person()
    for search in ("x" * 201, "a%00b"):
        assert set(await faulty(world, "GET", f"{INCIDENTS}?search={search}", ana)) == {"search"}


async def test_relevance_is_for_searches(world: World) -> None:
    path = f"{INCIDENTS}?sort_by=relevance"
    details = await refused(world, "GET", path, await world.person(), 422, "INVALID_INPUT")
    assert details == {"field": "sort_by"}
