"""Incidents in every order, by cursor and by page; and what narrows them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.answers import faulty
from tests.world import Person, World

INCIDENTS = "/v1/incidents"
START = datetime(2027, 1, 31, 8, 0, tzinfo=UTC)
RANKS = {"critical": 4, "high": 3, "medium": 2, "low": 1}
# (severity, status, minutes at which it was opened, and last changed): many of them equal.
ROWS = [
    ("high", "open", 0, 50),
    ("low", "resolved", 10, 10),
    ("critical", "acknowledged", 10, 40),
    ("medium", "open", 5, 40),
    ("critical", "open", 30, 30),
    ("low", "open", 5, 5),
    ("high", "resolved", 0, 60),
]
KEYS: dict[str, Any] = {
    "id": lambda item: item["id"],
    "created_at": lambda item: (item["created_at"], item["id"]),
    "updated_at": lambda item: (item["updated_at"], item["id"]),
    "severity": lambda item: (RANKS[item["severity"]], item["id"]),
    "status": lambda item: (item["status"], item["id"]),
}


@pytest.fixture
async def ana(world: World) -> Person:
    for severity, status, opened, changed in ROWS:
        ended = "now()" if status == "resolved" else "NULL"
        taken = "now()" if status == "acknowledged" else "NULL"
        await world.sql(
            "WITH made AS (INSERT INTO incidents (title, severity, service, status, resolved_at,"
            " acknowledged_at, created_at, updated_at) VALUES"
            f" ('x', '{severity}', 'db', '{status}', {ended}, {taken},"
            f" '{START + timedelta(minutes=opened)}', '{START + timedelta(minutes=changed)}')"
            " RETURNING id) INSERT INTO incident_tallies (incident_id) SELECT id FROM made"
        )
    return await world.person()


async def page(world: World, who: Person, query: str) -> dict[str, Any]:
    found: dict[str, Any] = await world.call("GET", f"{INCIDENTS}?{query}", who)
    return found


@pytest.mark.parametrize("way", ["asc", "desc"])
@pytest.mark.parametrize("sort", list(KEYS))
@pytest.mark.parametrize("narrowed", ["", "&status=open&status=acknowledged"])
async def test_cursors_and_pages_lead_through_every_order(
    world: World, ana: Person, sort: str, way: str, narrowed: str
) -> None:
    everything = (await page(world, ana, narrowed[1:]))["items"]
    expected = sorted(everything, key=KEYS[sort], reverse=way == "desc")
    query = f"sort_by={sort}&sort_order={way}&per_page=2{narrowed}"

    met, cursor = [], ""
    while True:
        found = await page(world, ana, query + cursor)
        met += found["items"]
        if found["next_cursor"] is None:
            break
        cursor = f"&cursor={found['next_cursor']}"
    assert met == expected

    numbered = [(await page(world, ana, f"{query}&page={n}"))["items"] for n in range(1, 5)]
    assert [item for items in numbered for item in items] == expected


async def test_the_worst_come_first_and_the_newest_of_equals(world: World, ana: Person) -> None:
    items = (await page(world, ana, "sort_by=severity"))["items"]
    assert [item["severity"] for item in items] == [
        *("critical", "critical", "high", "high", "medium", "low", "low")
    ]
    assert items[0]["id"] > items[1]["id"]


def at(minutes: int) -> str:
    return (START + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (f"since={at(10)}", [30, 10, 10]),
        (f"until={at(10)}", [5, 5, 0, 0]),
        (f"since={at(5)}&until={at(10)}", [5, 5]),
        (f"since={at(31)}", []),
        (f"since={at(5)}&severity=low&severity=medium", [10, 5, 5]),
    ],
)
async def test_a_time_they_were_opened_narrows_them_and_orders_them(
    world: World, ana: Person, window: str, expected: list[int]
) -> None:
    items = (await page(world, ana, window))["items"]
    assert [item["created_at"] for item in items] == [at(minutes) for minutes in expected]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (f"updated_since={at(40)}", [60, 50, 40, 40]),
        (f"updated_until={at(10)}", [5]),
        (f"updated_since={at(10)}&updated_until={at(41)}&status=open", [40, 30]),
    ],
)
async def test_a_time_they_were_changed_narrows_them_and_orders_them(
    world: World, ana: Person, window: str, expected: list[int]
) -> None:
    items = (await page(world, ana, window))["items"]
    assert [item["updated_at"] for item in items] == [at(minutes) for minutes in expected]


async def test_people_list_what_they_have_and_what_nobody_has(world: World) -> None:
    ana, ben = await world.person("ana@example.org"), await world.person("ben@example.org")
    hers = (await world.declare(ana, assignees=[ana.id]))["id"]
    free = (await world.declare(ana))["id"]

    async def listed(who: Person, query: str) -> list[int]:
        return [item["id"] for item in (await page(world, who, query))["items"]]

    assert await listed(ana, "assigned_to=me") == [hers]
    assert await listed(ben, "assigned_to=me") == []
    assert await listed(ben, "assigned_to=none") == [free]
    assert set(await faulty(world, "GET", f"{INCIDENTS}?assigned_to=ME", ana)) == {"assigned_to"}


async def test_tags_sources_and_integrations_narrow_them(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    alert = await world.alert(key, source="probe-3")
    eu = (await world.declare(admin, tags=["eu", "web"]))["id"]
    us = (await world.declare(admin, tags=["us"]))["id"]

    async def listed(query: str) -> list[int]:
        return [item["id"] for item in (await page(world, admin, query))["items"]]

    came = await world.call("GET", f"{INCIDENTS}/{alert['incident_id']}", admin)
    assert await listed("tag=eu") == [eu]
    assert await listed("tag=eu&tag=us") == [us, eu]
    assert await listed("tag=e") == []
    assert await listed("source=manual") == [us, eu]
    assert await listed(f"source=manual&source={came['source']}") == [us, eu, came["id"]]
    assert await listed(f"integration_id={came['integration_id']}") == [came["id"]]
    assert await listed(f"integration_id={came['integration_id'] + 1}") == []


async def test_a_row_of_a_list_is_the_incident_as_it_is_read(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org", full_name="Ben")
    key = await world.integration_key(admin)
    incident = (await world.alert(key))["incident_id"]
    await world.alert(key)
    for who in (ben.id, admin.id):
        body = {"user_id": who, "role": "observer" if who == ben.id else "responder"}
        await world.call("POST", f"{INCIDENTS}/{incident}/assignments", admin, json=body)
    await world.act(ben, incident, "acknowledge")
    await world.declare(admin, title="Another", assignees=[ben.id])

    for item in (await page(world, admin, ""))["items"]:
        assert item == await world.call("GET", f"{INCIDENTS}/{item['id']}", admin)
