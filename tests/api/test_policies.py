"""Making, changing and deleting escalation policies."""

import asyncio
from typing import Any

from tests.api.answers import faulty, refused, send
from tests.world import Person, World

POLICIES = "/v1/escalation/policies"
STEPS = [{"delay_minutes": 0, "actions": [{"type": "notify", "target": "admins"}]}]


async def make(world: World, admin: Person, **fields: Any) -> dict[str, Any]:
    body = {"name": "Nights", "steps": STEPS, **fields}
    made: dict[str, Any] = await world.call("POST", POLICIES, admin, expect=201, json=body)
    return made


async def test_a_policy_comes_back_as_it_was_given(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    steps = [
        {
            "delay_minutes": 0.5,
            "actions": [
                {
                    "type": "notify",
                    "target": {"user": ana.id},
                    "channels": ["email", "webhook"],
                    "message": "Wake up 🔔",
                },
                {"type": "assign", "target": "creator"},
                {"type": "set_status", "status": "acknowledged"},
                {"type": "set_severity", "severity": "critical"},
                {"type": "webhook", "url": "https://hooks.example.org/x"},
                {"type": "comment", "text": "Nobody answered."},
            ],
        },
        {"delay_minutes": 10080, "actions": [{"type": "notify", "target": "assignees"}]},
    ]
    fields = {
        "description": "For the night.",
        "conditions": {"severity": ["critical", "P2"], "not": {"tags": ["test"]}},
        "steps": steps,
        "repeat": 3,
        "final_delay_minutes": 2.5,
        "is_active": False,
    }

    made = await make(world, admin, **fields)

    assert {name: made[name] for name in fields} == fields
    assert (made["name"], made["revision"]) == ("Nights", 1)
    read = await world.call("GET", f"{POLICIES}/{made['id']}", ana)
    assert read == made | {"findings": None}  # those are told to whoever saves


async def test_a_policy_needs_a_name_and_one_step(world: World) -> None:
    made = await make(world, await world.admin())
    assert (made["conditions"], made["repeat"], made["is_active"]) == ({}, 0, True)
    assert (made["description"], made["final_delay_minutes"]) == (None, 5)


async def test_severity_in_a_step_is_understood_by_its_other_names(world: World) -> None:
    action = {"type": "set_severity", "severity": "SEV1"}
    made = await make(world, await world.admin(), steps=[{"delay_minutes": 0, "actions": [action]}])
    assert made["steps"][0]["actions"] == [{"type": "set_severity", "severity": "critical"}]


async def test_each_field_can_be_changed_by_itself(world: World) -> None:
    admin = await world.admin()
    before = await make(world, admin)
    other = [{"delay_minutes": 7, "actions": [{"type": "comment", "text": "Hm."}]}]
    changes: list[dict[str, Any]] = [
        {"name": "Days"},
        {"description": "By day."},
        {"description": None},
        {"conditions": {"service": ["web"]}},
        {"steps": other},
        {"repeat": 20},
        {"final_delay_minutes": 0},
        {"is_active": False},
    ]
    for change in changes:
        after = await world.call("PATCH", f"{POLICIES}/{before['id']}", admin, json=change)
        touched = {"revision": before["revision"] + 1, "updated_at": after["updated_at"]}
        assert after == {**before, **change, **touched}
        before = after


async def test_what_cannot_be_nothing_refuses_null(world: World) -> None:
    admin = await world.admin()
    path = f"{POLICIES}/{(await make(world, admin))['id']}"
    names = {"name", "conditions", "steps", "repeat", "final_delay_minutes", "is_active"}
    assert set(await faulty(world, "PATCH", path, admin, json=dict.fromkeys(names))) == names


async def test_a_name_is_given_once(world: World) -> None:
    admin = await world.admin()
    await make(world, admin, name="Nights")
    other = await make(world, admin, name="Days")
    body = {"name": "Nights", "steps": STEPS}
    details = await refused(world, "POST", POLICIES, admin, 409, "POLICY_NAME_TAKEN", json=body)
    assert details == {"field": "name"}
    path, body = f"{POLICIES}/{other['id']}", {"name": "Nights"}
    await refused(world, "PATCH", path, admin, 409, "POLICY_NAME_TAKEN", json=body)
    await world.call("PATCH", path, admin, json={"name": "Days"})


async def test_policies_are_listed_in_the_order_of_making(world: World) -> None:
    admin = await world.admin()
    ids = [(await make(world, admin, name=f"Number {n}"))["id"] for n in range(3)]
    page = await world.call("GET", f"{POLICIES}?per_page=2", admin)
    rest = await world.call("GET", f"{POLICIES}?per_page=2&cursor={page['next_cursor']}", admin)
    assert [policy["id"] for policy in page["items"] + rest["items"]] == ids
    assert page["total"] == 3


async def test_a_policy_that_is_not_there_is_not_found(world: World) -> None:
    admin = await world.admin()
    path = f"{POLICIES}/999999"
    await refused(world, "GET", path, admin, 404, "POLICY_NOT_FOUND")
    await refused(world, "PATCH", path, admin, 404, "POLICY_NOT_FOUND", json={})
    await refused(world, "DELETE", path, admin, 404, "POLICY_NOT_FOUND")


async def test_what_runs_keeps_the_steps_it_began_with(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    policy = await make(
        world,
        admin,
        steps=[{"delay_minutes": 5, "actions": [{"type": "notify", "target": {"user": ana.id}}]}],
    )
    number = (await world.declare(admin))["id"]

    await world.call("PATCH", f"{POLICIES}/{policy['id']}", admin, json={"steps": STEPS})
    await world.pass_time(minutes=6)

    assert [n["user_id"] for n in await world.notifications(admin, number)] == [ana.id]


async def test_deleting_a_policy_keeps_what_runs_and_its_history(world: World) -> None:
    admin = await world.admin()
    policy = await world.policy(admin, [(0, "admins"), (5, "admins")], name="Doomed")
    number = (await world.declare(admin))["id"]
    await world.pass_time()

    await world.call("DELETE", f"{POLICIES}/{policy['id']}", admin, expect=204)
    await world.pass_time(minutes=6)

    shown = await world.call("GET", f"/v1/incidents/{number}/escalation", admin)
    (run,) = shown["escalations"]
    assert (run["policy_id"], run["policy_name"], run["status"]) == (None, "Doomed", "active")
    assert [event["step"] for event in shown["events"]] == [0, 1]
    assert len(await world.notifications(admin, number)) == 2
    path = f"{POLICIES}/{policy['id']}"
    await refused(world, "GET", path, admin, 404, "POLICY_NOT_FOUND")
    await refused(world, "DELETE", path, admin, 404, "POLICY_NOT_FOUND")


async def test_a_deleted_policy_starts_no_more_and_frees_its_name(world: World) -> None:
    admin = await world.admin()
    policy = await make(world, admin)
    await world.call("DELETE", f"{POLICIES}/{policy['id']}", admin, expect=204)
    number = (await world.declare(admin))["id"]
    shown = await world.call("GET", f"/v1/incidents/{number}/escalation", admin)
    assert [run["is_fallback"] for run in shown["escalations"]] == [True]
    await make(world, admin)


async def test_a_policy_that_is_not_active_starts_nothing(world: World) -> None:
    admin = await world.admin()
    await make(world, admin, is_active=False)
    number = (await world.declare(admin))["id"]
    shown = await world.call("GET", f"/v1/incidents/{number}/escalation", admin)
    assert [run["is_fallback"] for run in shown["escalations"]] == [True]


async def test_two_changes_at_once_both_happen(world: World) -> None:
    admin = await world.admin()
    path = f"{POLICIES}/{(await make(world, admin))['id']}"
    answers = await asyncio.gather(
        send(world, "PATCH", path, admin, json={"repeat": 7}),
        send(world, "PATCH", path, admin, json={"description": "Both."}),
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    shown = await world.call("GET", path, admin)
    assert (shown["repeat"], shown["description"], shown["revision"]) == (7, "Both.", 3)
