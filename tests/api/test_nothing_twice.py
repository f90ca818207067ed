"""Saying a thing twice, or saying nothing, changes nothing more than saying it once."""

from tests.api.answers import send
from tests.world import World


async def test_what_is_kept_of_an_unreadable_body_is_no_more_than_the_body(world: World) -> None:
    key = await world.integration_key(await world.admin())
    body = b"[" + b",".join([b"5"] * 1000) + b" " * 60_000 + b"]"
    await send(world, "POST", "/v1/webhooks/alerts", content=body, headers={"X-API-Key": key})
    ((kept,),) = await world.sql("SELECT sum(length(raw_body)) FROM alerts")
    assert kept == len(body)


async def test_somebody_named_twice_is_assigned_once(world: World) -> None:
    ana = await world.person()
    made = await world.declare(ana, assignees=[ana.id, ana.id])
    assert (await world.timeline(ana, made["id"])).count("assigned") == 1


async def test_a_change_of_nothing_leaves_a_user_as_it_was(world: World) -> None:
    admin = await world.admin()
    before = await world.call("GET", "/v1/users/me", admin)
    same = {"time_zone": before["time_zone"]}
    assert await world.call("PATCH", f"/v1/users/{admin.id}", admin, json={}) == before
    assert await world.call("PATCH", f"/v1/users/{admin.id}", admin, json=same) == before


async def test_a_change_of_nothing_leaves_a_policy_and_an_integration_as_they_were(
    world: World,
) -> None:
    admin = await world.admin()
    await world.integration_key(admin)
    policy = await world.policy(admin, [(0, "admins")])
    [tool] = (await world.call("GET", "/v1/integrations", admin))["items"]
    path = f"/v1/escalation/policies/{policy['id']}"
    assert await world.call("PATCH", path, admin, json={"name": policy["name"]}) == policy
    path = f"/v1/integrations/{tool['id']}"
    assert await world.call("PATCH", path, admin, json={"is_active": True}) == tool
