"""Policies that name schedules, teams and people in turn: checked when saved, and protected."""

from typing import Any

import pytest

from tests.api.answers import refused
from tests.duties import deactivate, keep_schedule, keep_team, turns
from tests.world import Person, World

POLICIES = "/v1/escalation/policies"
NOTIFY = {"type": "notify", "target": "admins"}


@pytest.fixture
async def admin(world: World) -> Person:
    return await world.admin()


def naming(target: Any, kind: str = "notify") -> dict[str, Any]:
    actions = [NOTIFY, {"type": kind, "target": target}]
    return {"name": "Nights", "steps": [{"delay_minutes": 0, "actions": actions}]}


HERE = "steps[0].actions[1].target"


@pytest.mark.parametrize("kind", ["notify", "assign"])
@pytest.mark.parametrize(
    ("target", "place", "what"),
    [
        ({"schedule": 4711}, "schedule", "schedule 4711, which"),
        ({"schedule": 4711, "position": "next"}, "schedule", "schedule 4711, which"),
        ({"team": 4711}, "team", "team 4711, which"),
        ({"team": 4711, "pick": "round_robin"}, "team", "team 4711, which"),
    ],
)
async def test_what_is_named_must_be_there(
    world: World, admin: Person, kind: str, target: Any, place: str, what: str
) -> None:
    body = naming(target, kind)
    details = await refused(world, "POST", POLICIES, admin, 422, "INVALID_POLICY", json=body)
    message = f"names {what} does not exist"
    assert details["errors"] == [{"path": f"{HERE}.{place}", "message": message}]


async def test_everybody_who_takes_turns_must_be_there_and_active(
    world: World, admin: Person
) -> None:
    ana, ben = await world.person(), await world.person("ben@example.org", full_name="Ben")
    await deactivate(world, ben)
    target = {"round_robin": [ana.id, ben.id, 4711]}
    body = naming(target)
    details = await refused(world, "POST", POLICIES, admin, 422, "INVALID_POLICY", json=body)
    assert [fault["path"] for fault in details["errors"]] == [
        f"{HERE}.round_robin[1]",
        f"{HERE}.round_robin[2]",
    ]


async def test_what_is_saved_is_shown_as_it_was_written(world: World, admin: Person) -> None:
    ana, ben = await world.person(), await world.person("ben@example.org")
    schedule = await keep_schedule(world, turns(ana))
    team = await keep_team(world, ana)
    targets: list[Any] = [
        "on_call",
        "next_on_call",
        {"schedule": schedule},
        {"schedule": schedule, "position": "next"},
        {"team": team},
        {"team": team, "pick": "round_robin"},
        {"round_robin": [ben.id, ana.id]},
    ]
    for number, target in enumerate(targets):
        body = naming(target) | {"name": f"Policy {number}"}
        made = await world.call("POST", POLICIES, admin, expect=201, json=body)
        assert made["steps"][0]["actions"][1]["target"] == target
        changed = {"steps": naming(target, "assign")["steps"]}
        path = f"{POLICIES}/{made['id']}"
        shown = await world.call("PATCH", path, admin, json=changed)
        assert shown["steps"][0]["actions"][1]["target"] == target


async def test_a_deleted_schedule_is_not_there(world: World, admin: Person) -> None:
    schedule = await keep_schedule(world)
    await world.sql("UPDATE schedules SET deleted_at = now()")
    body = naming({"schedule": schedule})
    await world.call("POST", POLICIES, admin, expect=422, json=body)


async def test_a_policy_protects_whoever_takes_turns_in_it(world: World, admin: Person) -> None:
    ana, ben = await world.person(), await world.person("ben@example.org")
    body = naming({"round_robin": [ana.id, ben.id]})
    await world.call("POST", POLICIES, admin, expect=201, json=body)
    refusal = await world.call("DELETE", f"/v1/users/{ben.id}", admin, expect=409)
    assert refusal["code"] == "USER_IS_A_TARGET"


async def test_a_policy_protects_its_team_even_while_it_is_switched_off(
    world: World, admin: Person
) -> None:
    team = await keep_team(world)
    other = await keep_team(world, name="Web")
    body = naming({"team": team}) | {"is_active": False}
    await world.call("POST", POLICIES, admin, expect=201, json=body)
    refusal = await world.call("DELETE", f"/v1/teams/{team}", admin, expect=409)
    assert refusal["details"]["paged_by"] == ["Nights"]
    await world.call("DELETE", f"/v1/teams/{other}", admin, expect=204)
