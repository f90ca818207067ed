"""Starting fire drills: who may, whom they page, and how often."""

from typing import Any

import pytest

from app.domain.fire_drill import PER_POLICY
from app.domain.user import Role
from tests.world import Person, World

DRILLS = "/v1/fire-drills"


async def drill(world: World, who: Person, expect: int = 201, **body: Any) -> dict[str, Any]:
    made: dict[str, Any] = await world.call("POST", DRILLS, who, expect=expect, json=body)
    return made


async def read(world: World, who: Person, made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await world.call("GET", f"{DRILLS}/{made['id']}", who)
    return found


async def paged(world: World, who: Person, made: dict[str, Any]) -> list[int]:
    """Whom the drill pages once its step is taken."""
    await world.climb()
    return [page["user_id"] for page in (await read(world, who, made))["pages"]]


async def method_of(world: World, who: Person) -> int:
    [(key,)] = await world.sql("SELECT id FROM contact_methods WHERE user_id = :u", u=who.id)
    return int(key)


async def test_anybody_drills_themselves_by_their_own_rules(world: World) -> None:
    await world.admin()
    viewer = await world.person("v@example.org", Role.VIEWER, full_name="Vera")
    made = await drill(world, viewer)
    assert made["state"] == "running"
    assert (made["started_by"], made["policy_id"], made["contact_method_id"]) == (
        viewer.id, None, None,
    )  # fmt: skip
    assert await paged(world, viewer, made) == [viewer.id]
    incident = await world.call("GET", f"/v1/incidents/{made['incident_id']}", viewer)
    assert incident["title"] == "Fire drill: does a page reach Vera?"
    assert (incident["severity"], incident["service"]) == ("critical", "tocsin")


async def test_a_policy_is_drilled_at_its_first_step_that_reaches_somebody(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    gone = await world.person("gone@example.org")
    ben = await world.person("ben@example.org")
    acts = [
        {"type": "set_severity", "severity": "low"},
        {"type": "webhook", "url": "https://hooks.example.org/x"},
        {"type": "comment", "text": "Look."},
        {"type": "assign", "target": {"user": ana.id}},
        {"type": "set_status", "status": "acknowledged"},
        {"type": "notify", "target": {"user": ana.id}, "message": "Wake up."},
    ]
    policy = await world.policy(
        admin,
        [],
        conditions={"service": ["nothing"]},
        steps=[
            {"delay_minutes": 0, "actions": [{"type": "comment", "text": "x"}]},
            {"delay_minutes": 5, "actions": [{"type": "notify", "target": {"user": gone.id}}]},
            {"delay_minutes": 5, "actions": acts},
            {"delay_minutes": 5, "actions": [{"type": "notify", "target": {"user": ben.id}}]},
        ],
    )
    await world.call("PATCH", f"/v1/users/{gone.id}", admin, json={"is_active": False})

    made = await drill(world, ben, policy_id=policy["id"])
    whom = await paged(world, ben, made)

    assert (made["policy_id"], made["policy_name"]) == (policy["id"], "Primary")
    assert whom == [ana.id]
    incident = await world.call("GET", f"/v1/incidents/{made['incident_id']}", ben)
    assert (incident["status"], incident["severity"], incident["assignments"]) == (
        "open", "critical", [],
    )  # fmt: skip
    messages = await world.sql("SELECT message FROM notifications")
    assert messages == [("Wake up.",)]
    assert await world.sql("SELECT * FROM incident_comments") == []


async def test_the_drills_own_message_is_what_is_said(world: World) -> None:
    admin = await world.admin()
    policy = await world.policy(admin, [(0, "admins")])
    made = await drill(world, admin, policy_id=policy["id"], message="The monthly drill.")
    assert await paged(world, admin, made) == [admin.id]
    assert await world.sql("SELECT message FROM notifications") == [("The monthly drill.",)]


async def test_an_address_gets_one_page_whatever_the_rules_say(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    await world.call("PUT", "/v1/users/me/notification-rules", ana, json={"items": []})
    method = await method_of(world, ana)

    made = await drill(world, admin, contact_method_id=method)

    (page,) = made["pages"]
    assert (page["user_id"], page["contact_method_id"], page["status"]) == (
        ana.id, method, "pending",
    )  # fmt: skip
    await world.climb()
    assert len((await read(world, ana, made))["pages"]) == 1


async def test_who_may_drill_whom(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    viewer = await world.person("v@example.org", Role.VIEWER)
    policy = await world.policy(admin, [(0, "admins")])

    refused = await drill(world, viewer, 403, policy_id=policy["id"])
    assert refused["code"] == "FORBIDDEN"
    hidden = await drill(world, ana, 404, contact_method_id=await method_of(world, admin))
    assert hidden["code"] == "CONTACT_METHOD_NOT_FOUND"
    assert (await drill(world, ana, 404, policy_id=999_999))["code"] == "POLICY_NOT_FOUND"
    assert (await drill(world, ana, 422, policy_id=1, contact_method_id=1))["code"] == (
        "VALIDATION_ERROR"
    )
    await drill(world, ana, policy_id=policy["id"])
    await drill(world, viewer, contact_method_id=await method_of(world, viewer))


async def test_a_drill_that_would_page_nobody_is_refused_with_the_reasons(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana")
    policy = await world.policy(admin, [(0, {"user": ana.id}), (5, "assignees")])
    off = {"channels": {"email": False}}
    await world.call("PUT", "/v1/notification-preferences", ana, json=off)

    for body in ({}, {"policy_id": policy["id"]}):
        refused = await drill(world, ana, 409, **body)
        assert refused["code"] == "DRILL_REACHES_NOBODY"
        assert refused["message"] == "It would page nobody. Ana has switched email off."
    assert await world.sql("SELECT * FROM incidents") == []
    inactive = await world.person("old@example.org")
    method = await method_of(world, inactive)
    await world.call("PATCH", f"/v1/users/{inactive.id}", admin, json={"is_active": False})
    assert (await drill(world, admin, 422, contact_method_id=method))["code"] == "USER_INACTIVE"


async def test_quiet_hours_and_severities_do_not_swallow_a_drill(world: World) -> None:
    ana = await world.person("ana@example.org", time_zone="UTC")
    now = await world.clock.now()
    item = {
        "contact_method_id": await method_of(world, ana),
        "min_severity": "critical",
        "quiet_from": f"{now:%H:%M}",
        "quiet_until": f"{(now.hour + 2) % 24:02}:{now:%M}",
    }
    await world.call("PUT", "/v1/users/me/notification-rules", ana, json={"items": [item]})
    made = await drill(world, ana)
    await world.climb()
    (page,) = (await read(world, ana, made))["pages"]
    assert page["due_at"] == made["started_at"]


async def test_drills_are_listed_newest_first_and_incidents_without_them(world: World) -> None:
    admin = await world.admin()
    first, second = await drill(world, admin), await drill(world, admin)
    real = await world.declare(admin)

    listed = await world.call("GET", DRILLS, admin)
    assert [one["id"] for one in listed["items"]] == [second["id"], first["id"]]
    assert listed["total"] == 2
    incidents = await world.call("GET", "/v1/incidents", admin)
    assert [one["id"] for one in incidents["items"]] == [real["id"]]
    drills = await world.call("GET", "/v1/incidents?drill=true", admin)
    assert [one["id"] for one in drills["items"]] == [second["incident_id"], first["incident_id"]]
    missing = await world.call("GET", f"{DRILLS}/999999", admin, expect=404)
    assert missing["code"] == "FIRE_DRILL_NOT_FOUND"


async def test_no_policy_starts_on_a_drill_even_when_it_changes(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")], name="All")
    made = await drill(world, admin)
    path = f"/v1/incidents/{made['incident_id']}"
    await world.call("PATCH", path, admin, json={"severity": "high", "service": "database"})
    runs = (await world.call("GET", f"{path}/escalation", admin))["escalations"]
    assert [(run["policy_name"], run["policy_id"]) for run in runs] == [("Fire drill", None)]


async def test_a_policy_is_drilled_only_so_often(world: World) -> None:
    admin = await world.admin()
    policy = await world.policy(admin, [(0, "admins")])
    for _ in range(PER_POLICY.limit):
        await drill(world, admin, policy_id=policy["id"])
    refused = await drill(world, admin, 429, policy_id=policy["id"])
    assert refused["details"]["retry_after"] > 3000
    await drill(world, admin)


@pytest.mark.parametrize("is_admin", [False, True])
async def test_nobody_is_pestered_at_an_address_that_is_not_proved(
    world: World, is_admin: bool
) -> None:
    """Codes and drills to one address count together, whoever has them sent."""
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    new = {"channel": "email", "address": "Stranger@example.org"}
    made = await world.call("POST", "/v1/users/me/contact-methods", ana, expect=201, json=new)
    method = made["id"]
    who = admin if is_admin else ana
    for _ in range(4):
        await drill(world, who, contact_method_id=method)
    refused = await drill(world, who, 429, contact_method_id=method)
    assert refused["message"].startswith("Too many codes were sent there lately.")
