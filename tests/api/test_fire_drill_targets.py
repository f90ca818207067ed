"""Drills of policies that page whoever is on call, in a team or in turn."""

import pytest

from tests.api.test_fire_drills import drill, paged
from tests.duties import keep_schedule, keep_service, keep_team, turns
from tests.world import Person, World


@pytest.fixture
async def admin(world: World) -> Person:
    return await world.admin()


@pytest.fixture
async def ana(world: World) -> Person:
    return await world.person(full_name="Ana")


@pytest.fixture
async def ben(world: World) -> Person:
    return await world.person("ben@example.org", full_name="Ben")


async def test_with_a_service_its_people_on_call_are_drilled(
    world: World, admin: Person, ana: Person
) -> None:
    await keep_service(world, schedule=await keep_schedule(world, turns(ana)))
    policy = await world.policy(admin, [(0, "next_on_call"), (5, "on_call")])
    made = await drill(world, admin, policy_id=policy["id"], service="database")
    assert await paged(world, admin, made) == [ana.id]
    shown = await world.call("GET", f"/v1/incidents/{made['incident_id']}", admin)
    assert shown["assigned_to"] is None  # a drill is nobody's


async def test_without_one_it_says_that_one_is_wanted(world: World, admin: Person) -> None:
    policy = await world.policy(admin, [(0, "on_call")])
    body = {"policy_id": policy["id"]}
    refusal = await world.call("POST", "/v1/fire-drills", admin, expect=409, json=body)
    assert refusal["message"] == (
        "It would page nobody. A drill is about no service; name one with `service`."
    )


async def test_a_service_without_a_schedule_is_told(world: World, admin: Person) -> None:
    await keep_service(world)
    policy = await world.policy(admin, [(0, "on_call")])
    body = {"policy_id": policy["id"], "service": "database"}
    refusal = await world.call("POST", "/v1/fire-drills", admin, expect=409, json=body)
    assert refusal["message"].endswith("Service “database” has no schedule.")


async def test_a_service_goes_with_a_policy(world: World, admin: Person) -> None:
    await world.call("POST", "/v1/fire-drills", admin, expect=422, json={"service": "database"})


async def test_schedules_and_teams_are_drilled_as_they_are(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    schedule = await keep_schedule(world, turns(ana))
    team = await keep_team(world, ana, ben)
    for number, (target, people) in enumerate(
        [({"schedule": schedule}, [ana.id]), ({"team": team}, [ana.id, ben.id])]
    ):
        policy = await world.policy(admin, [(0, target)], name=f"Policy {number}")
        made = await drill(world, admin, policy_id=policy["id"])
        assert sorted(await paged(world, admin, made)) == people


async def test_whose_turn_it_is_is_drilled_and_has_had_it(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    policy = await world.policy(admin, [(0, {"round_robin": [ana.id, ben.id]})])
    for person in (ana, ben):
        made = await drill(world, admin, policy_id=policy["id"])
        assert await paged(world, admin, made) == [person.id]
