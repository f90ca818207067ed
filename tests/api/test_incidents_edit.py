"""Changing the facts of an incident."""

from typing import Any

import pytest

from tests.api.answers import faulty, refused
from tests.world import Person, World

INCIDENTS = "/v1/incidents"


async def patch(world: World, who: Person, number: int, **fields: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await world.call("PATCH", f"{INCIDENTS}/{number}", who, json=fields)
    return answer


async def running(world: World, who: Person, number: int) -> list[tuple[str, str]]:
    found = await world.call("GET", f"{INCIDENTS}/{number}/escalation", who)
    return [(run["policy_name"], run["status"]) for run in found["escalations"]]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"title": "Disk of db1 full"}, {"title": "Disk of db1 full"}),
        ({"title": "  trimmed "}, {"title": "trimmed"}),
        ({"description": "97 %"}, {"description": "97 %"}),
        ({"description": None}, {"description": None}),
        ({"severity": "SEV3"}, {"severity": "medium"}),
        ({"service": "web"}, {"service": "web"}),
        ({"tags": ["b", "a"]}, {"tags": ["b", "a"]}),
        ({"tags": []}, {"tags": []}),
        ({"labels": {"host": "db1"}}, {"labels": {"host": "db1"}}),
        ({"url": "https://example.org/d"}, {"url": "https://example.org/d"}),
        ({"url": None}, {"url": None}),
    ],
)
async def test_only_the_named_field_is_written(
    world: World, given: dict[str, Any], shown: dict[str, Any]
) -> None:
    ana = await world.person()
    before = await world.declare(
        ana,
        description="d",
        tags=["a"],
        labels={"a": "b"},
        url="https://example.org/",
    )

    after = await patch(world, ana, before["id"], **given)

    touched = {"revision": before["revision"] + 1, "updated_at": after["updated_at"]}
    assert after == {**before, **shown, **touched}
    assert after["updated_at"] > before["updated_at"]


async def test_the_timeline_keeps_what_was_and_what_is(world: World) -> None:
    ana = await world.person(full_name="Ana Díaz")
    number = (await world.declare(ana))["id"]
    await patch(world, ana, number, title="New", tags=["eu"], severity="high")

    entries = (await world.call("GET", f"{INCIDENTS}/{number}/timeline", ana))["items"]

    edited = entries[-1]
    assert edited["event_type"] == "edited"
    assert edited["description"] == "Ana Díaz changed tags, title."
    assert edited["user_id"] == ana.id
    assert edited["metadata"] == {
        "before": {"title": "Disk full", "tags": []},
        "after": {"title": "New", "tags": ["eu"]},
    }


@pytest.mark.parametrize(
    "fields",
    [{}, {"title": "Disk full"}, {"severity": "P2"}, {"labels": {}, "tags": []}, {"url": None}],
)
async def test_a_change_that_changes_nothing_leaves_no_trace(
    world: World, fields: dict[str, Any]
) -> None:
    ana = await world.person()
    before = await world.declare(ana)
    told = await world.timeline(ana, before["id"])
    assert await patch(world, ana, before["id"], **fields) == before
    assert await world.timeline(ana, before["id"]) == told


async def test_an_unknown_field_is_refused_and_nothing_is_written(world: World) -> None:
    ana = await world.person()
    before = await world.declare(ana)
    path = f"{INCIDENTS}/{before['id']}"
    for name in ("acknowledged_by", "created_by", "revision", "assigned_to", "nonsense"):
        body = {"title": "New", name: 1}
        assert set(await faulty(world, "PATCH", path, ana, json=body)) == {name}
    assert await world.call("GET", path, ana) == before


async def test_what_cannot_be_nothing_refuses_null(world: World) -> None:
    ana = await world.person()
    path = f"{INCIDENTS}/{(await world.declare(ana))['id']}"
    names = {"title", "severity", "service", "tags", "labels", "status"}
    assert set(await faulty(world, "PATCH", path, ana, json=dict.fromkeys(names))) == names


async def test_a_change_has_the_bounds_of_a_declaration(world: World) -> None:
    ana = await world.person()
    path = f"{INCIDENTS}/{(await world.declare(ana))['id']}"
    body = {
        "title": "t" * 256,
        "tags": ["t"] * 33,
        "labels": {"a": "\x00"},
        "url": "ftp://x",
        "status": "closed",
    }
    faults = await faulty(world, "PATCH", path, ana, json=body)
    assert set(faults) == {"title", "tags", "labels.a", "url", "status"}


async def test_a_refused_status_takes_the_other_fields_with_it(world: World) -> None:
    ana = await world.person()
    number = (await world.declare(ana))["id"]
    before = await world.act(ana, number, "resolve")
    body = {"title": "New", "status": "acknowledged"}
    path = f"{INCIDENTS}/{number}"
    await refused(world, "PATCH", path, ana, 400, "INVALID_STATUS_TRANSITION", json=body)
    assert await world.call("GET", path, ana) == before


async def test_facts_and_status_can_change_in_one_go(world: World) -> None:
    ana = await world.person()
    number = (await world.declare(ana))["id"]
    after = await patch(world, ana, number, title="It was the cable", status="resolved")
    assert (after["title"], after["status"]) == ("It was the cable", "resolved")
    assert (await world.timeline(ana, number))[-2:] == ["edited", "resolved"]


async def test_a_new_severity_starts_and_cancels_policies(world: World) -> None:
    admin = await world.admin()
    for name in ("critical", "high"):
        await world.policy(admin, [(5, "admins")], name=name, conditions={"severity": name})
    await world.policy(admin, [(5, "admins")], name="all")
    number = (await world.declare(admin, severity="high"))["id"]
    assert await running(world, admin, number) == [("high", "active"), ("all", "active")]

    await patch(world, admin, number, severity="critical")

    assert await running(world, admin, number) == [
        ("high", "cancelled"),
        ("all", "active"),
        ("critical", "active"),
    ]
    assert (await world.timeline(admin, number))[-3:] == [
        "edited",
        "escalation_cancelled",
        "escalation_started",
    ]


async def test_a_new_service_that_no_policy_wants_starts_the_fallback(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(5, "admins")], conditions={"service": "database"})
    number = (await world.declare(admin))["id"]

    await patch(world, admin, number, service="unknown")
    assert await running(world, admin, number) == [("Primary", "cancelled"), ("fallback", "active")]

    await patch(world, admin, number, service="database")
    assert await running(world, admin, number) == [
        ("Primary", "cancelled"),
        ("fallback", "cancelled"),
        ("Primary", "active"),
    ]


async def test_other_fields_pick_no_policies_anew(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(5, "admins")], conditions={"title": "Disk full"})
    number = (await world.declare(admin))["id"]
    await patch(world, admin, number, title="Something else", tags=["x"])
    assert await running(world, admin, number) == [("Primary", "active")]


async def test_an_acknowledged_incidents_new_policy_waits(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")], conditions={"severity": "critical"})
    number = (await world.declare(admin))["id"]
    await world.act(admin, number, "acknowledge")

    await patch(world, admin, number, severity="critical")

    assert await running(world, admin, number) == [("fallback", "cancelled"), ("Primary", "paused")]
    await world.pass_time(hours=1)
    assert await world.notifications(admin, number) == []


async def test_a_resolved_incident_can_be_corrected_without_paging(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")], conditions={"severity": "critical"})
    number = (await world.declare(admin))["id"]
    await world.act(admin, number, "resolve")
    after = await patch(world, admin, number, severity="critical")
    assert (after["severity"], after["status"]) == ("critical", "resolved")
    assert await running(world, admin, number) == [("fallback", "completed")]
