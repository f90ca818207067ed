"""Listing incidents: filters, numbered pages, cursors."""

import base64
from typing import Any

import pytest

from app.core.paging import BIGGEST_KEY
from tests.api.answers import faulty, refused
from tests.world import Person, World

INCIDENTS = "/v1/incidents"


async def listed(world: World, who: Person, query: str = "") -> list[int]:
    page = await world.call("GET", f"{INCIDENTS}?{query}", who)
    return [item["id"] for item in page["items"]]


async def declare_some(world: World, who: Person, count: int) -> list[int]:
    return [(await world.declare(who, title=f"Number {n}"))["id"] for n in range(count)]


async def test_the_newest_come_first(world: World) -> None:
    ana = await world.person()
    ids = await declare_some(world, ana, 3)
    assert await listed(world, ana) == ids[::-1]


async def test_nothing_is_an_empty_page(world: World) -> None:
    page = await world.call("GET", INCIDENTS, await world.person())
    assert page == {
        "items": [],
        "total": 0,
        "total_is_bound": False,
        "page": 1,
        "per_page": 50,
        "next_cursor": None,
    }


async def test_a_filter_that_is_given_twice_means_any_of(world: World) -> None:
    ana = await world.person()
    low, high, critical = [
        (await world.declare(ana, severity=word))["id"] for word in ("low", "high", "critical")
    ]
    assert await listed(world, ana, "severity=low") == [low]
    assert await listed(world, ana, "severity=low&severity=SEV1") == [critical, low]
    assert await listed(world, ana, "severity=medium") == []
    assert await listed(world, ana) == [critical, high, low]


async def test_different_filters_must_all_hold(world: World) -> None:
    ana = await world.person()
    first = (await world.declare(ana, service="web"))["id"]
    second = (await world.declare(ana, service="web"))["id"]
    third = (await world.declare(ana, service="database"))["id"]
    await world.act(ana, first, "resolve")
    await world.act(ana, third, "acknowledge")

    assert await listed(world, ana, "service=web&status=open") == [second]
    assert await listed(world, ana, "service=web&service=database&status=open") == [second]
    assert await listed(world, ana, "status=resolved&status=acknowledged") == [third, first]
    assert await listed(world, ana, "service=nothing") == []


async def test_a_person_can_list_what_they_have(world: World) -> None:
    ana, ben = await world.person("ana@example.org"), await world.person("ben@example.org")
    hers = (await world.declare(ana, assignees=[ana.id]))["id"]
    his = (await world.declare(ana, assignees=[ben.id]))["id"]
    assert await listed(world, ana, f"assigned_to={ana.id}") == [hers]
    assert await listed(world, ana, f"assigned_to={ben.id}") == [his]
    assert await listed(world, ana, f"assigned_to={BIGGEST_KEY}") == []


async def test_numbered_pages_cut_the_list_without_gap_or_overlap(world: World) -> None:
    ana = await world.person()
    ids = await declare_some(world, ana, 5)
    pages = [await world.call("GET", f"{INCIDENTS}?per_page=2&page={n}", ana) for n in (1, 2, 3, 4)]
    assert [[item["id"] for item in page["items"]] for page in pages] == [
        ids[:2:-1],
        [ids[2], ids[1]],
        [ids[0]],
        [],
    ]
    assert {page["total"] for page in pages} == {5}
    assert [page["page"] for page in pages] == [1, 2, 3, 4]
    assert [page["next_cursor"] is not None for page in pages] == [True, True, False, False]


async def test_the_total_counts_what_the_filters_leave(world: World) -> None:
    ana = await world.person()
    ids = await declare_some(world, ana, 3)
    await world.act(ana, ids[0], "resolve")
    page = await world.call("GET", f"{INCIDENTS}?status=open&per_page=1", ana)
    assert (page["total"], len(page["items"])) == (2, 1)


async def test_following_cursors_meets_each_once_while_new_ones_arrive(world: World) -> None:
    ana = await world.person()
    ids = await declare_some(world, ana, 5)

    met: list[int] = []
    query = "per_page=2"
    while True:
        page = await world.call("GET", f"{INCIDENTS}?{query}", ana)
        met += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        await world.declare(ana, title="Came meanwhile")
        query = f"per_page=2&cursor={page['next_cursor']}"

    assert met == ids[::-1]


async def test_a_cursor_is_good_for_its_own_list_only(world: World) -> None:
    ana = await world.person()
    ids = await declare_some(world, ana, 4)
    first = f"{INCIDENTS}?status=open&per_page=2"
    cursor = (await world.call("GET", first, ana))["next_cursor"]
    rest = await world.call("GET", f"{INCIDENTS}?per_page=1&status=open&cursor={cursor}", ana)
    assert [item["id"] for item in rest["items"]] == [ids[1]]
    for other in (
        INCIDENTS + "?",
        INCIDENTS + "?status=resolved",
        INCIDENTS + "?status=open&severity=low",
        INCIDENTS + "?status=open&sort_by=severity",
        INCIDENTS + "?status=open&sort_order=asc",
        INCIDENTS + "?status=open&search=number",
        "/v1/alerts?",
    ):
        path = f"{other}&cursor={cursor}"
        assert await refused(world, "GET", path, ana, 422, "INVALID_INPUT") == {"field": "cursor"}


async def test_pages_after_the_first_repeat_the_total_that_it_counted(world: World) -> None:
    ana = await world.person()
    await declare_some(world, ana, 3)
    cursor = (await world.call("GET", f"{INCIDENTS}?per_page=2", ana))["next_cursor"]
    await declare_some(world, ana, 1)
    rest = await world.call("GET", f"{INCIDENTS}?per_page=2&cursor={cursor}", ana)
    assert (rest["page"], rest["total"], rest["total_is_bound"]) == (None, 3, False)


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("per_page=0", "per_page"),
        ("per_page=101", "per_page"),
        ("per_page=many", "per_page"),
        ("page=0", "page"),
        ("page=-1", "page"),
        (f"page={10**30}", ""),
        ("status=closed", "status[0]"),
        ("status=open&status=closed", "status[1]"),
        ("severity=bad", "severity[0]"),
        ("service=%00", "service[0]"),
        ("service=" + "s" * 101, "service[0]"),
        ("assigned_to=0", "assigned_to"),
        (f"assigned_to={BIGGEST_KEY + 1}", "assigned_to"),
        ("assigned_to=ana", "assigned_to"),
        ("cursor=" + "x" * 2001, "cursor"),
    ],
)
async def test_a_faulty_query_is_told_where_it_is_wrong(
    world: World, query: str, path: str
) -> None:
    ana = await world.person()
    if path:
        assert set(await faulty(world, "GET", f"{INCIDENTS}?{query}", ana)) == {path}
    else:
        await refused(world, "GET", f"{INCIDENTS}?{query}", ana, 422, "USE_CURSOR")


async def test_the_largest_page_is_a_hundred(world: World) -> None:
    page = await world.call("GET", f"{INCIDENTS}?per_page=100", await world.person())
    assert page["per_page"] == 100


async def test_numbered_pages_end_where_counting_does(world: World) -> None:
    ana = await world.person()
    await world.call("GET", f"{INCIDENTS}?per_page=100&page=100", ana)
    await refused(world, "GET", f"{INCIDENTS}?per_page=100&page=101", ana, 422, "USE_CURSOR")


def cursor_of(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "zzz",
        "%00",
        "%F0%9F%94%94",
        cursor_of(b"a:"),
        cursor_of(b"a:x"),
        cursor_of(b"a:-1"),
        cursor_of(b"b:1"),
        cursor_of(b"a:" + b"9" * 30),
    ],
)
async def test_a_cursor_that_we_never_gave_is_refused(world: World, cursor: str) -> None:
    ana = await world.person()
    path = f"{INCIDENTS}?cursor={cursor}"
    assert await refused(world, "GET", path, ana, 422, "INVALID_INPUT") == {"field": "cursor"}


async def test_more_than_can_be_counted_is_said_to_be_a_bound(world: World) -> None:
    ana = await world.person()
    await world.sql(
        "WITH made AS (INSERT INTO incidents (title, severity, service)"
        " SELECT 'Number ' || n, 'low', 'storm' FROM generate_series(1, 10001) AS n RETURNING id)"
        " INSERT INTO incident_tallies (incident_id) SELECT id FROM made"
    )

    async def total(query: str) -> tuple[Any, Any]:
        page = await world.call("GET", f"{INCIDENTS}?per_page=1&{query}", ana)
        return page["total"], page["total_is_bound"]

    assert await total("service=storm") == (10_000, True)
    await world.sql("UPDATE incidents SET service = 'calm' WHERE title = 'Number 1'")
    assert await total("service=storm") == (10_000, False)
