"""Finding incidents by what they hold in custom fields."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.api.answers import faulty, refused
from tests.explain import plans_of
from tests.world import Person, World

FIELDS: list[dict[str, Any]] = [
    {"key": "cause", "type": "text"},
    {"key": "customers", "type": "number"},
    {"key": "regulated", "type": "boolean"},
    {"key": "since", "type": "date"},
    {"key": "region", "type": "select", "options": ["eu", "us"]},
    {"key": "parts", "type": "multi_select", "options": ["api", "web", "mail"]},
]
HELD: list[dict[str, Any]] = [
    {"cause": "DNS: broken", "customers": 42, "regulated": True, "parts": ["api", "web"]},
    {"cause": "42", "customers": 7, "regulated": False, "region": "eu"},
    {"since": "2027-01-31", "region": "us", "parts": ["web"]},
    {},
]


@pytest.fixture
async def admin(world: World) -> Person:
    """An admin, with a field of each type and an incident for each of HELD, titled by its turn."""
    admin = await world.admin()
    for field in FIELDS:
        body = {"label": field["key"], **field}
        await world.call("POST", "/v1/custom-fields", admin, expect=201, json=body)
    for turn, values in enumerate(HELD):
        await world.declare(admin, title=str(turn), custom_fields=values)
    return admin


async def found(world: World, who: Person, *filters: str) -> str:
    """The titles of what is found, in a row."""
    query = "&".join(f"custom_field={quote(text)}" for text in filters)
    answer = await world.call("GET", f"/v1/incidents?{query}", who)
    assert answer["total"] == len(answer["items"])
    return "".join(sorted(incident["title"] for incident in answer["items"]))


@pytest.mark.parametrize(
    ("filters", "titles"),
    [
        (["customers:42"], "0"),
        (["customers:42.0"], "0"),
        (["customers:1"], ""),
        (["cause:42"], "1"),
        (["cause:DNS: broken"], "0"),
        (["cause:DNS"], ""),
        (["regulated:false"], "1"),
        (["since:2027-01-31"], "2"),
        (["region:eu"], "1"),
        (["region:nowhere"], ""),
        (["parts:web"], "02"),
        (["customers:42", "customers:7"], "01"),
        (["customers:42", "regulated:true"], "0"),
        (["customers:42", "regulated:false"], ""),
        (["parts:api", "region:us", "parts:web"], "2"),
    ],
)
async def test_incidents_are_found_by_what_they_hold(
    world: World, admin: Person, filters: list[str], titles: str
) -> None:
    assert await found(world, admin, *filters) == titles


async def test_a_filter_narrows_beside_the_others(world: World, admin: Person) -> None:
    answer = await world.call(
        "GET", "/v1/incidents?custom_field=parts:web&severity=low&severity=high", admin
    )
    assert answer["total"] == 2
    answer = await world.call("GET", "/v1/incidents?custom_field=parts:web&severity=low", admin)
    assert answer["total"] == 0


async def test_what_an_archived_field_or_a_lost_option_holds_is_found(
    world: World, admin: Person
) -> None:
    await world.call("DELETE", "/v1/custom-fields/customers", admin, expect=204)
    await world.call("PATCH", "/v1/custom-fields/region", admin, json={"options": ["us"]})
    assert await found(world, admin, "customers:42") == "0"
    assert await found(world, admin, "region:eu") == "1"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("impct:42", "known are: cause, customers, regulated"),
        ("customers:many", "customers must be a number"),
        ("regulated:yes", "regulated must be true or false"),
        ("since:2027-02-30", "since must be a date"),
        ("cause:", "key:value"),
        ("cause", "key:value"),
        ("", "key:value"),
        (":x", "known are"),
        ("cause:\x00", "NUL"),
    ],
)
async def test_a_filter_that_means_nothing_is_refused(
    world: World, admin: Person, text: str, says: str
) -> None:
    path = f"/v1/incidents?custom_field={quote(text)}"
    details = await refused(world, "GET", path, admin, 422, "INVALID_INPUT")
    assert details["field"] == "custom_field"
    assert says in details["errors"][0]["message"]


async def test_filters_have_an_end(world: World, admin: Person) -> None:
    long = f"/v1/incidents?custom_field=cause:{'x' * 2100}"
    assert "custom_field[0]" in await faulty(world, "GET", long, admin)
    many = "/v1/incidents?" + "&".join(["custom_field=cause:x"] * 21)
    assert "custom_field" in await faulty(world, "GET", many, admin)


async def test_the_index_finds_them_among_many(world: World, admin: Person) -> None:
    await world.sql(
        "INSERT INTO incidents (title, severity, service, custom_fields)"
        " SELECT 'x', 'low', 'db', jsonb_build_object('customers', n + 100)"
        " FROM generate_series(1, 20000) n"
    )
    await world.sql(
        "INSERT INTO incident_tallies (incident_id) SELECT id FROM incidents ON CONFLICT DO NOTHING"
    )
    await world.sql("ANALYZE incidents")
    async with plans_of(world.database, "FROM incidents") as plans:
        assert await found(world, admin, "customers:42", "customers:7") == "01"
    [plan] = plans  # for the count and for the page
    assert plan.count("Bitmap Index Scan on ix_incidents_custom_fields") >= 2, plan
