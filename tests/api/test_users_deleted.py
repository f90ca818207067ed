"""Closing an account: nothing pages it, nobody logs in to it, its history keeps its name."""

from tests.api.answers import refused, send
from tests.world import Scripted, World

LOGIN = "/v1/auth/login/access-token"


async def test_a_deleted_person_is_gone_and_the_address_is_free(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana Díaz")

    await world.call("DELETE", f"/v1/users/{ana.id}", admin, expect=204)

    assert (await send(world, "GET", "/v1/users/me", ana)).status_code == 401
    await refused(world, "GET", f"/v1/users/{ana.id}", admin, 404, "USER_NOT_FOUND")
    listed = await world.call("GET", "/v1/users", admin)
    assert ana.id not in {user["id"] for user in listed["items"]}
    credentials = {"username": ana.email, "password": "password"}
    await refused(world, "POST", LOGIN, None, 401, "WRONG_CREDENTIALS", json=credentials)
    again = await world.person("Ana@example.org")
    assert again.id != ana.id


async def test_a_deleted_person_cannot_come_back_by_any_door(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    path = f"/v1/users/{ana.id}"
    await world.call("DELETE", path, admin, expect=204)
    await refused(world, "PATCH", path, admin, 404, "USER_NOT_FOUND", json={"is_active": True})
    await refused(world, "DELETE", path, admin, 404, "USER_NOT_FOUND")
    body = {"email": ana.email}
    await world.call("POST", "/v1/auth/password-recovery", expect=202, json=body)
    assert await world.sql("SELECT 1 FROM notifications") == []


async def test_what_a_deleted_person_did_keeps_their_name(world: World) -> None:
    admin = await world.admin()
    ana = await world.person(full_name="Ana Díaz")
    number = (await world.declare(ana))["id"]
    await world.act(ana, number, "acknowledge")
    await world.call("DELETE", f"/v1/users/{ana.id}", admin, expect=204)

    incident = await world.call("GET", f"/v1/incidents/{number}", admin)
    assert [one["name"] for one in incident["assignments"]] == ["Ana Díaz"]
    assert incident["acknowledged_by"] == ana.id


async def test_a_deleted_person_can_be_taken_off_an_incident(world: World) -> None:
    admin = await world.admin()
    ana = await world.person(full_name="Ana Díaz")
    number = (await world.declare(ana, assignees=[ana.id]))["id"]
    await world.call("DELETE", f"/v1/users/{ana.id}", admin, expect=204)
    path = f"/v1/incidents/{number}/assignments/{ana.id}"
    assert (await world.call("DELETE", path, admin))["assignments"] == []


async def test_somebody_whom_an_active_policy_pages_is_not_deleted(world: World) -> None:
    admin = await world.admin()
    ana, bo = await world.person(), await world.person("bo@example.org")
    policy = await world.policy(admin, [(0, {"user": ana.id}), (5, {"user": admin.id})])
    path = f"/v1/users/{ana.id}"

    details = await refused(world, "DELETE", path, admin, 409, "USER_IS_A_TARGET")

    assert details["policies"] == ["Primary"]
    await world.call("DELETE", f"/v1/users/{bo.id}", admin, expect=204)
    retired = f"/v1/escalation/policies/{policy['id']}"
    await world.call("PATCH", retired, admin, json={"is_active": False})
    await world.call("DELETE", path, admin, expect=204)


async def test_the_last_admin_stays(world: World) -> None:
    admin = await world.admin()
    await refused(world, "DELETE", f"/v1/users/{admin.id}", admin, 409, "LAST_ADMIN")
    await world.admin("second@example.org")
    await world.call("DELETE", f"/v1/users/{admin.id}", admin, expect=204)


async def test_pages_that_wait_for_a_deleted_person_hand_over_at_once(world: World) -> None:
    """Their step runs on: silence is never success."""
    admin = await world.admin()
    ana = await world.person()
    policy = await world.policy(admin, [(0, "assignees"), (60, "admins")])
    number = (await world.declare(admin, assignees=[ana.id]))["id"]
    await world.climb()
    await world.call("DELETE", f"/v1/users/{ana.id}", admin, expect=204)

    await world.deliver(Scripted())
    assert await world.climb() == 1

    told = await world.timeline(admin, number)
    assert "escalation_hurried" in told
    assert policy["is_active"]
