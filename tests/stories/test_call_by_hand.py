"""Calling certain people by hand, and going on by hand with steps that page who is on call."""

from typing import Any

import pytest

from tests.api.answers import refused
from tests.duties import assigned_to, keep_schedule, keep_service, keep_team, people_paged, turns
from tests.stories.storms import stories
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


async def quiet(world: World, admin: Person) -> int:
    """An incident that nobody is paged for yet."""
    await world.policy(admin, [(60, "admins")], final_delay_minutes=60)
    number: int = (await world.declare(admin))["id"]
    return number


async def test_whoever_is_on_call_somewhere_else_is_called_at_once(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    number = await quiet(world, admin)
    schedule = await keep_schedule(world, turns(ana))
    await world.act(ben, number, "escalate", json={"to": {"schedule": schedule}})
    await world.climb()
    assert await people_paged(world, number) == [ana.id]
    assert await assigned_to(world, admin, number) == ana.id
    [told] = await stories(world, admin, number, "escalated")
    assert told == "Ben called whoever is on call on a schedule."
    shown = await world.call("GET", f"/v1/incidents/{number}/escalation", admin)
    assert [(run["policy_name"], run["status"]) for run in shown["escalations"]] == [
        ("Primary", "active"),
        ("Called by Ben", "active"),
    ]


async def test_everybody_of_a_team_and_whoever_is_on_call_may_be_called(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    number = await quiet(world, admin)
    team = await keep_team(world, ana, ben)
    await keep_service(world, schedule=await keep_schedule(world, turns(ben)))
    await world.act(admin, number, "escalate", json={"to": {"team": team}})
    await world.climb()
    await world.act(admin, number, "escalate", json={"to": "on_call"})
    await world.climb()
    assert await people_paged(world, number) == [ana.id, ben.id, ben.id]


async def test_an_acknowledged_incident_opens_again(
    world: World, admin: Person, ana: Person
) -> None:
    number = await quiet(world, admin)
    await world.act(admin, number, "acknowledge")
    shown = await world.act(admin, number, "escalate", json={"to": {"user": ana.id}})
    assert shown["status"] == "open"
    await world.climb()
    assert await people_paged(world, number) == [ana.id]


async def test_if_they_do_not_answer_the_fallback_is_paged(
    world: World, admin: Person, ana: Person
) -> None:
    number = await quiet(world, admin)
    await world.act(admin, number, "escalate", json={"to": {"user": ana.id}})
    await world.climb()
    await world.pass_time(minutes=5)
    assert await people_paged(world, number) == [ana.id, admin.id]


async def test_a_new_severity_does_not_call_them_off(
    world: World, admin: Person, ana: Person
) -> None:
    number = await quiet(world, admin)
    await world.act(admin, number, "escalate", json={"to": {"user": ana.id}})
    path = f"/v1/incidents/{number}"
    await world.call("PATCH", path, admin, json={"severity": "critical"})
    await world.climb()
    assert await people_paged(world, number) == [ana.id]


@pytest.mark.parametrize(
    ("to", "code", "path"),
    [
        ({"schedule": 4711}, "INVALID_TARGET", "to.schedule"),
        ({"team": 4711}, "INVALID_TARGET", "to.team"),
        ({"user": 4711}, "INVALID_TARGET", "to.user"),
        ("everybody", "VALIDATION_ERROR", "to"),
        ({"schedule": "DB"}, "VALIDATION_ERROR", "to.schedule"),
    ],
)
async def test_whoever_is_called_must_be_there(
    world: World, admin: Person, to: Any, code: str, path: str
) -> None:
    number = await quiet(world, admin)
    url = f"/v1/incidents/{number}/escalate"
    details = await refused(world, "POST", url, admin, 422, code, json={"to": to})
    assert [fault["path"] for fault in details["errors"]] == [path]


async def test_one_goes_on_with_a_policy_or_calls_somebody(world: World, admin: Person) -> None:
    number = await quiet(world, admin)
    url = f"/v1/incidents/{number}/escalate"
    body = {"escalation_id": 1, "to": "admins"}
    await refused(world, "POST", url, admin, 422, "VALIDATION_ERROR", json=body)


async def test_climbing_by_hand_pages_who_is_on_call_next(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    await keep_service(world, schedule=await keep_schedule(world, turns(ana, ben)))
    await world.policy(admin, [(0, "on_call"), (60, "next_on_call")], final_delay_minutes=60)
    number = (await world.declare(admin))["id"]
    await world.climb()
    await world.act(admin, number, "escalate")
    await world.climb()
    first, second = await people_paged(world, number)
    assert {first, second} == {ana.id, ben.id}
