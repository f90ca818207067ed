"""Every fault of a policy is told by its exact place."""

import json
from typing import Any

import pytest

from tests.api.answers import faulty, refused
from tests.world import World

POLICIES, SIMULATE = "/v1/escalation/policies", "/v1/escalation/simulate"
NOTIFY = {"type": "notify", "target": "admins"}
OPENING = {"title": "Disk full", "severity": "high", "service": "database"}


def with_action(action: Any) -> dict[str, Any]:
    steps = [
        {"delay_minutes": 0, "actions": [NOTIFY]},
        {"delay_minutes": 0, "actions": [NOTIFY, action]},
    ]
    return {"name": "Nights", "steps": steps}


def with_fields(**fields: Any) -> dict[str, Any]:
    return {"name": "Nights", "steps": [{"delay_minutes": 0, "actions": [NOTIFY]}], **fields}


HERE = "steps[1].actions[1]"
ACTIONS: list[tuple[Any, set[str]]] = [
    (5, {HERE}),
    ({}, {f"{HERE}.type"}),
    ({"target": "admins"}, {f"{HERE}.type"}),
    ({"type": "pigeon"}, {f"{HERE}.type"}),
    ({"type": None}, {f"{HERE}.type"}),
    ({"type": "notify"}, {f"{HERE}.target"}),
    ({"type": "notify", "target": None}, {f"{HERE}.target"}),
    ({"type": "notify", "target": "everybody"}, {f"{HERE}.target"}),
    ({"type": "notify", "target": "fallback"}, {f"{HERE}.target"}),
    ({"type": "notify", "target": {}}, {f"{HERE}.target.user"}),
    ({"type": "notify", "target": {"user": 0}}, {f"{HERE}.target.user"}),
    ({"type": "notify", "target": {"user": "ana"}}, {f"{HERE}.target.user"}),
    ({"type": "notify", "target": {"user": 1, "team": 2}}, {f"{HERE}.target.team"}),
    ({"type": "notify", "target": {"schedule": 0}}, {f"{HERE}.target.schedule"}),
    ({"type": "notify", "target": {"schedule": "DB"}}, {f"{HERE}.target.schedule"}),
    (
        {"type": "notify", "target": {"schedule": 1, "position": "last"}},
        {f"{HERE}.target.position"},
    ),
    ({"type": "notify", "target": {"schedule": 1, "pick": "all"}}, {f"{HERE}.target.pick"}),
    ({"type": "notify", "target": {"team": 1, "pick": "one"}}, {f"{HERE}.target.pick"}),
    ({"type": "notify", "target": {"team": 1, "position": "next"}}, {f"{HERE}.target.position"}),
    ({"type": "notify", "target": {"round_robin": 1}}, {f"{HERE}.target.round_robin"}),
    ({"type": "notify", "target": {"round_robin": [1]}}, {f"{HERE}.target.round_robin"}),
    ({"type": "notify", "target": {"round_robin": [1, 1]}}, {f"{HERE}.target.round_robin"}),
    ({"type": "notify", "target": {"round_robin": [1, 0]}}, {f"{HERE}.target.round_robin[1]"}),
    (
        {"type": "notify", "target": {"round_robin": list(range(1, 52))}},
        {f"{HERE}.target.round_robin"},
    ),
    ({**NOTIFY, "channels": ["email", "pigeon"]}, {f"{HERE}.channels[1]"}),
    ({**NOTIFY, "message": ""}, {f"{HERE}.message"}),
    ({**NOTIFY, "message": "m" * 2001}, {f"{HERE}.message"}),
    ({**NOTIFY, "message": "m\x00"}, {f"{HERE}.message"}),
    ({**NOTIFY, "volume": 11}, {f"{HERE}.volume"}),
    ({**NOTIFY, "notify": 1}, {f"{HERE}.notify"}),
    ({"type": "assign"}, {f"{HERE}.target"}),
    ({"type": "set_status"}, {f"{HERE}.status"}),
    ({"type": "set_status", "status": "open"}, {f"{HERE}.status"}),
    ({"type": "set_severity", "severity": "bad"}, {f"{HERE}.severity"}),
    ({"type": "webhook"}, {f"{HERE}.url"}),
    ({"type": "webhook", "url": "ftp://example.org"}, {f"{HERE}.url"}),
    ({"type": "webhook", "url": "https://"}, {f"{HERE}.url"}),
    ({"type": "comment", "text": " "}, {f"{HERE}.text"}),
    ({"type": "comment", "words": "x"}, {f"{HERE}.text", f"{HERE}.words"}),
]
FIELDS: list[tuple[dict[str, Any], set[str]]] = [
    ({"name": ""}, {"name"}),
    ({"name": "n" * 256}, {"name"}),
    ({"name": "n\x00"}, {"name"}),
    ({"description": "d" * 10_001}, {"description"}),
    ({"conditions": []}, {"conditions"}),
    ({"conditions": None}, {"conditions"}),
    ({"steps": []}, {"steps"}),
    ({"steps": {}}, {"steps"}),
    ({"steps": [5]}, {"steps[0]"}),
    ({"steps": [{"actions": [NOTIFY]}]}, {"steps[0].delay_minutes"}),
    ({"steps": [{"delay_minutes": -1, "actions": [NOTIFY]}]}, {"steps[0].delay_minutes"}),
    ({"steps": [{"delay_minutes": 10081, "actions": [NOTIFY]}]}, {"steps[0].delay_minutes"}),
    ({"steps": [{"delay_minutes": "5m", "actions": [NOTIFY]}]}, {"steps[0].delay_minutes"}),
    ({"steps": [{"delay_minutes": 0, "actions": []}]}, {"steps[0].actions"}),
    ({"steps": [{"delay_minutes": 0, "actions": [NOTIFY] * 21}]}, {"steps[0].actions"}),
    ({"steps": [{"delay_minutes": 0}]}, {"steps[0].actions"}),
    ({"steps": [{"delay_minutes": 0, "actions": [NOTIFY], "x": 1}]}, {"steps[0].x"}),
    ({"steps": [{"delay_minutes": 0, "actions": [NOTIFY]}] * 51}, {"steps"}),
    ({"repeat": -1}, {"repeat"}),
    ({"repeat": 21}, {"repeat"}),
    ({"repeat": 1.5}, {"repeat"}),
    ({"final_delay_minutes": -1}, {"final_delay_minutes"}),
    ({"final_delay_minutes": 10081}, {"final_delay_minutes"}),
    ({"is_active": "perhaps"}, {"is_active"}),
    ({"priority": 1}, {"priority"}),
]
# Faults of meaning: found by the domain, and told in the same shape.
CONDITIONS: list[tuple[dict[str, Any], set[str]]] = [
    ({"colour": "red"}, {"conditions.colour"}),
    ({"labels.": "x"}, {"conditions.labels."}),
    ({"severity": "bad"}, {"conditions.severity"}),
    ({"severity": None}, {"conditions.severity"}),
    ({"severity": ["bad"]}, {"conditions.severity[0]"}),
    ({"severity": ["high", "bad", 5]}, {"conditions.severity[1]", "conditions.severity[2]"}),
    ({"service": []}, {"conditions.service"}),
    ({"service": {}}, {"conditions.service"}),
    ({"service": {"like": "db%"}}, {"conditions.service.like"}),
    ({"service": {"in": "web"}}, {"conditions.service.in"}),
    ({"service": {"in": ["web", 5]}}, {"conditions.service.in[1]"}),
    ({"title": {"contains": ""}}, {"conditions.title.contains"}),
    ({"title": {"matches": "("}}, {"conditions.title.matches"}),
    ({"title": {"matches": "(?=a)"}}, {"conditions.title.matches"}),
    ({"title": {"matches": "a" * 501}}, {"conditions.title.matches"}),
    ({"labels.team": {"exists": "yes"}}, {"conditions.labels.team.exists"}),
    ({"labels.team": "a\x00"}, {"conditions.labels.team"}),
    ({"labels.\x00": "a"}, {"conditions.labels.\x00"}),
    ({"tags": ["a", "\ud800"]}, {"conditions.tags[1]"}),
    ({"all": []}, {"conditions.all"}),
    ({"any": {"service": "web"}}, {"conditions.any"}),
    ({"any": [{"service": "web"}, {"colour": 1}]}, {"conditions.any[1].colour"}),
    ({"not": {"severity": "bad"}}, {"conditions.not.severity"}),
    ({"not": ["x"]}, {"conditions.not"}),
    ({"time": "night"}, {"conditions.time"}),
    ({"time": {"between": ["22:00"]}}, {"conditions.time.between"}),
    ({"time": {"between": ["9:00", "17:00"]}}, {"conditions.time.between"}),
    ({"time": {"between": ["09:00", "09:00"]}}, {"conditions.time.between"}),
    ({"time": {"between": ["09:00", "17:00"], "zone": "Mars"}}, {"conditions.time.zone"}),
    ({"time": {"between": ["09:00", "17:00"], "days": ["monday"]}}, {"conditions.time.days"}),
    ({"time": {"between": ["09:00", "17:00"], "tz": "UTC"}}, {"conditions.time.tz"}),
    ({"colour": "red", "severity": "bad"}, {"conditions.colour", "conditions.severity"}),
]


async def test_a_fault_of_an_action_is_told_by_its_place(world: World) -> None:
    admin = await world.admin()
    for action, paths in ACTIONS:
        faults = await faulty(world, "POST", POLICIES, admin, json=with_action(action))
        assert set(faults) == paths, action


async def test_a_fault_of_a_field_is_told_by_its_place(world: World) -> None:
    admin = await world.admin()
    for fields, paths in FIELDS:
        faults = await faulty(world, "POST", POLICIES, admin, json=with_fields(**fields))
        assert set(faults) == paths, fields


async def test_a_fault_of_the_conditions_is_told_by_its_place(world: World) -> None:
    admin = await world.admin()
    for conditions, paths in CONDITIONS:
        sent = {
            "content": json.dumps(with_fields(conditions=conditions)),
            "headers": {"Content-Type": "application/json"},
        }
        details = await refused(world, "POST", POLICIES, admin, 422, "INVALID_POLICY", **sent)
        assert {fault["path"] for fault in details["errors"]} == paths, conditions


async def test_a_call_to_a_private_address_is_refused_when_it_is_saved(world: World) -> None:
    """As every URL that somebody gives: at night it would be too late."""
    admin = await world.admin()
    before = await world.policy(admin, [(0, "admins")])
    body = with_action({"type": "webhook", "url": "http://169.254.169.254/latest"})
    for method, path, sent in (
        ("POST", POLICIES, body),
        ("PATCH", f"{POLICIES}/{before['id']}", {"steps": body["steps"]}),
        ("POST", SIMULATE, {"policy": body, "incident": OPENING}),
    ):
        details = await refused(world, method, path, admin, 422, "INVALID_POLICY", json=sent)
        [fault] = details["errors"]
        assert fault["path"] == f"{HERE}.url"
        assert "169.254.169.254 is not a public address" in fault["message"]
        assert "TOCSIN_ALLOW_PRIVATE_TARGETS" in fault["message"]
    assert await world.call("GET", f"{POLICIES}/{before['id']}", admin) == before
    allowed = with_action({"type": "webhook", "url": "http://127.0.0.1:9/hook"})
    await world.call("POST", POLICIES, admin, expect=201, json=allowed)


async def test_a_change_is_checked_like_a_new_policy(world: World) -> None:
    admin = await world.admin()
    before = await world.policy(admin, [(0, "admins")])
    path = f"{POLICIES}/{before['id']}"
    steps = with_action({"type": "pigeon"})["steps"]
    assert set(await faulty(world, "PATCH", path, admin, json={"steps": steps})) == {f"{HERE}.type"}
    body = {"conditions": {"severity": "bad"}}
    await refused(world, "PATCH", path, admin, 422, "INVALID_POLICY", json=body)
    assert await world.call("GET", path, admin) == before


async def test_nothing_is_saved_of_a_faulty_policy(world: World) -> None:
    admin = await world.admin()
    body = with_fields(conditions={"colour": "red"})
    await refused(world, "POST", POLICIES, admin, 422, "INVALID_POLICY", json=body)
    assert (await world.call("GET", POLICIES, admin))["total"] == 0


@pytest.mark.parametrize("delay", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
async def test_a_delay_is_a_real_number(world: World, delay: bytes) -> None:
    body = b'{"name": "x", "steps": [{"delay_minutes": %b, "actions": [{"type": "comment",'
    body = body % delay + b' "text": "x"}]}]}'
    json_body = {"content": body, "headers": {"Content-Type": "application/json"}}
    faults = await faulty(world, "POST", POLICIES, await world.admin(), **json_body)
    assert set(faults) == {"steps[0].delay_minutes"}


async def test_conditions_nest_only_so_deep(world: World) -> None:
    admin = await world.admin()

    def nested(depth: int) -> dict[str, Any]:
        conditions: dict[str, Any] = {"service": "web"}
        for _ in range(depth):
            conditions = {"not": conditions}
        return with_fields(conditions=conditions)

    await world.call("POST", POLICIES, admin, expect=201, json=nested(8))
    details = await refused(world, "POST", POLICIES, admin, 422, "INVALID_POLICY", json=nested(9))
    assert [fault["path"] for fault in details["errors"]] == ["conditions" + ".not" * 9]
    for depth in (32, 300, 600):
        faults = await faulty(world, "POST", POLICIES, admin, json=nested(depth))
        assert set(faults) == {"conditions"}


async def test_a_target_must_be_somebody_who_is_there(world: World) -> None:
    admin, ana = await world.admin(), await world.person(full_name="Ana Díaz")
    await world.call("PATCH", f"/v1/users/{ana.id}", admin, json={"is_active": False})
    actions = [
        {"type": "notify", "target": {"user": 999_999}},
        {"type": "assign", "target": {"user": ana.id}},
    ]
    body = with_fields(steps=[{"delay_minutes": 0, "actions": actions}])

    details = await refused(world, "POST", POLICIES, admin, 422, "INVALID_POLICY", json=body)

    assert details["errors"] == [
        {
            "path": "steps[0].actions[0].target.user",
            "message": "names user 999999, who does not exist",
        },
        {
            "path": "steps[0].actions[1].target.user",
            "message": "names Ana Díaz, who is deactivated",
        },
    ]


async def test_the_largest_policy_that_is_allowed_is_taken(world: World) -> None:
    admin = await world.admin()
    steps = [{"delay_minutes": 10080, "actions": [NOTIFY] * 20}] * 50
    body = {"name": "n" * 255, "steps": steps, "repeat": 20, "final_delay_minutes": 10080}
    made = await world.call("POST", POLICIES, admin, expect=201, json=body)
    assert (len(made["steps"]), made["repeat"]) == (50, 20)
