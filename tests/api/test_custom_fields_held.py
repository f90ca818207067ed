"""What incidents hold in custom fields: written, merged, shown, told, and asked for by policies."""

from typing import Any

import pytest

from tests.api.answers import faulty, refused
from tests.world import Person, World

INCIDENTS = "/v1/incidents"
FIELDS: list[dict[str, Any]] = [
    {"key": "cause", "type": "text"},
    {"key": "customers", "type": "number"},
    {"key": "regulated", "type": "boolean"},
    {"key": "since", "type": "date"},
    {"key": "runbook", "type": "url"},
    {"key": "region", "type": "select", "options": ["eu", "us"]},
    {"key": "parts", "type": "multi_select", "options": ["api", "web", "mail"]},
]
HELD = {
    "cause": "DNS",
    "customers": 42,
    "regulated": False,
    "since": "2027-01-31",
    "runbook": "https://example.org/runbook",
    "region": "eu",
    "parts": ["api", "mail"],
}


@pytest.fixture
async def admin(world: World) -> Person:
    admin = await world.admin()
    for field in FIELDS:
        body = {"label": field["key"], **field}
        await world.call("POST", "/v1/custom-fields", admin, expect=201, json=body)
    return admin


async def patch(world: World, who: Person, number: int, **values: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await world.call(
        "PATCH", f"{INCIDENTS}/{number}", who, json={"custom_fields": values}
    )
    return answer


async def archive(world: World, admin: Person, key: str) -> None:
    await world.call("DELETE", f"/v1/custom-fields/{key}", admin, expect=204)


async def test_a_declared_incident_holds_what_it_was_given(world: World, admin: Person) -> None:
    incident = await world.declare(admin, custom_fields={**HELD, "parts": ["mail", "api"]})
    assert incident["custom_fields"] == HELD
    number = incident["id"]
    shown = await world.call("GET", f"{INCIDENTS}/{number}", admin)
    assert shown["custom_fields"] == HELD
    empty = await world.declare(admin, custom_fields={"cause": None})
    assert empty["custom_fields"] == {}


async def test_only_the_named_values_are_written_and_null_removes(
    world: World, admin: Person
) -> None:
    number = (await world.declare(admin, custom_fields=HELD))["id"]
    after = await patch(world, admin, number, customers=43, cause=None, since=None)
    left = {key: HELD[key] for key in ("regulated", "runbook", "region", "parts")}
    assert after["custom_fields"] == {**left, "customers": 43}
    assert after["revision"] == 2


async def test_the_timeline_keeps_what_a_value_was_and_is(world: World, admin: Person) -> None:
    number = (await world.declare(admin, custom_fields={"customers": 1, "cause": "DNS"}))["id"]
    body = {"title": "New", "custom_fields": {"customers": 2, "cause": "DNS", "region": "us"}}
    await world.call("PATCH", f"{INCIDENTS}/{number}", admin, json=body)
    entries = (await world.call("GET", f"{INCIDENTS}/{number}/timeline", admin))["items"]
    edited = entries[-1]
    assert edited["description"] == (
        "admin@example.org changed custom_fields.customers, custom_fields.region, title."
    )
    assert edited["metadata"] == {
        "before": {
            "title": "Disk full",
            "custom_fields.customers": 1,
            "custom_fields.region": None,
        },
        "after": {"title": "New", "custom_fields.customers": 2, "custom_fields.region": "us"},
    }


@pytest.mark.parametrize("values", [{}, HELD, {"customers": 42.0}, {"parts": ["mail", "api"]}])
async def test_values_that_are_the_same_leave_no_trace(
    world: World, admin: Person, values: dict[str, Any]
) -> None:
    before = await world.declare(admin, custom_fields=HELD)
    assert await patch(world, admin, before["id"], **values) == before
    assert "edited" not in await world.timeline(admin, before["id"])


async def test_every_wrong_value_is_told_with_its_place(world: World, admin: Person) -> None:
    values = {"customers": "many", "region": "mars", "cause": "fine", "impct": 1}
    body = {"title": "x", "severity": "low", "service": "db", "custom_fields": values}
    details = await refused(world, "POST", INCIDENTS, admin, 422, "INVALID_INPUT", json=body)
    assert details["field"] == "custom_fields.customers"
    assert {fault["path"]: fault["message"] for fault in details["errors"]} == {
        "custom_fields.customers": "must be a number, such as 42 or 0.5, without quotes",
        "custom_fields.region": "must be one of: eu, us",
        "custom_fields.impct": "is no field; known are: "
        "cause, customers, regulated, since, runbook, region, parts",
    }
    assert (await world.call("GET", INCIDENTS, admin))["total"] == 0


async def test_a_refused_value_takes_the_other_changes_with_it(world: World, admin: Person) -> None:
    before = await world.declare(admin)
    path = f"{INCIDENTS}/{before['id']}"
    body = {"title": "New", "custom_fields": {"cause": "DNS", "regulated": "yes"}}
    details = await refused(world, "PATCH", path, admin, 422, "INVALID_INPUT", json=body)
    assert details["field"] == "custom_fields.regulated"
    assert await world.call("GET", path, admin) == before


async def test_whatever_is_sent_for_values_is_answered(world: World, admin: Person) -> None:
    path = f"{INCIDENTS}/{(await world.declare(admin))['id']}"
    header = {"Content-Type": "application/json"}
    for number in (b"NaN", b"1e999", b"-Infinity", b"9" * 4000):
        sent = {"content": b'{"custom_fields": {"customers": %b}}' % number, "headers": header}
        await refused(world, "PATCH", path, admin, 422, "INVALID_INPUT", **sent)
    huge = {"content": b'{"custom_fields": {"customers": %b}}' % (b"9" * 6000), "headers": header}
    await faulty(world, "PATCH", path, admin, **huge)
    nested: Any = "x"
    for _ in range(40):
        nested = [nested]
    for values in ({"cause": nested}, [], "x", None, {str(n): n for n in range(101)}):
        assert set(await faulty(world, "PATCH", path, admin, json={"custom_fields": values})) == {
            "custom_fields"
        }
    half = {"content": b'{"custom_fields": {"cause": "\\udfff"}}', "headers": header}
    await refused(world, "PATCH", path, admin, 422, "INVALID_INPUT", **half)


async def test_an_archived_field_is_shown_and_not_written(world: World, admin: Person) -> None:
    number = (await world.declare(admin, custom_fields={"cause": "DNS", "customers": 1}))["id"]
    await archive(world, admin, "cause")

    after = await patch(world, admin, number, customers=2)

    assert after["custom_fields"] == {"cause": "DNS", "customers": 2}
    for value in ("DNS", "other", None):
        body = {"custom_fields": {"cause": value}}
        details = await refused(
            world, "PATCH", f"{INCIDENTS}/{number}", admin, 422, "INVALID_INPUT", json=body
        )
        assert details["field"] == "custom_fields.cause"


async def test_an_option_that_is_gone_stays_where_it_was_chosen(
    world: World, admin: Person
) -> None:
    number = (await world.declare(admin, custom_fields={"region": "eu", "customers": 1}))["id"]
    body = {"options": ["us", "asia"]}
    await world.call("PATCH", "/v1/custom-fields/region", admin, json=body)

    after = await patch(world, admin, number, region="eu", customers=2)

    assert after["custom_fields"] == {"region": "eu", "customers": 2}
    other = await world.declare(admin, custom_fields={"region": "asia"})
    body = {"custom_fields": {"region": "eu"}}
    path = f"{INCIDENTS}/{other['id']}"
    await refused(world, "PATCH", path, admin, 422, "INVALID_INPUT", json=body)


async def test_a_policy_can_ask_for_a_custom_field(world: World, admin: Person) -> None:
    asked = {"custom_fields.regulated": "true", "custom_fields.parts": ["web"]}
    await world.policy(admin, [(0, "admins")], conditions=asked)
    values = {"regulated": True, "parts": ["api", "web"]}
    for held, runs in ((values, "Primary"), ({**values, "regulated": False}, "fallback")):
        number = (await world.declare(admin, custom_fields=held))["id"]
        found = await world.call("GET", f"{INCIDENTS}/{number}/escalation", admin)
        assert [run["policy_name"] for run in found["escalations"]] == [runs]
    # Asked again once the severity changes.
    await patch(world, admin, number, regulated=True)
    await world.call("PATCH", f"{INCIDENTS}/{number}", admin, json={"severity": "low"})
    found = await world.call("GET", f"{INCIDENTS}/{number}/escalation", admin)
    assert [(run["policy_name"], run["status"]) for run in found["escalations"]] == [
        ("fallback", "cancelled"),
        ("Primary", "active"),
    ]


async def test_an_alerts_incident_can_be_given_values_later(world: World, admin: Person) -> None:
    key = await world.integration_key(admin)
    number = (await world.alert(key))["incident_id"]
    assert (await patch(world, admin, number, cause="DNS"))["custom_fields"] == {"cause": "DNS"}
