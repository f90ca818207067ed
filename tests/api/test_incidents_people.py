"""Giving incidents to people, and what people say about them."""

import asyncio
from typing import Any

import pytest

from tests.api.answers import faulty, refused, send
from tests.world import World

INCIDENTS = "/v1/incidents"


def given(incident: dict[str, Any]) -> list[tuple[int, str]]:
    return [(a["user_id"], a["role"]) for a in incident["assignments"]]


async def test_an_assigned_incident_is_theirs(world: World) -> None:
    ana = await world.person("ana@example.org")
    ben = await world.person("ben@example.org", full_name="Ben Ng")
    number = (await world.declare(ana))["id"]

    shown = await world.act(ana, number, "assignments", json={"user_id": ben.id})

    assert (shown["assigned_to"], given(shown)) == (ben.id, [(ben.id, "responder")])
    assert shown["assignments"][0]["name"] == "Ben Ng"
    assert shown["status"] == "open"
    told = (await world.call("GET", f"{INCIDENTS}/{number}/timeline", ana))["items"][-1]
    assert told["description"] == "ana@example.org assigned Ben Ng as responder."
    assert told["metadata"] == {"assignee_id": ben.id, "role": "responder"}


async def test_assigning_the_same_again_changes_nothing(world: World) -> None:
    ana = await world.person()
    number = (await world.declare(ana))["id"]
    first = await world.act(ana, number, "assignments", json={"user_id": ana.id})
    told = await world.timeline(ana, number)
    assert await world.act(ana, number, "assignments", json={"user_id": ana.id}) == first
    assert await world.timeline(ana, number) == told


async def test_somebody_who_has_it_can_get_another_role(world: World) -> None:
    ana = await world.person()
    number = (await world.declare(ana, assignees=[ana.id]))["id"]
    body = {"user_id": ana.id, "role": "commander"}
    shown = await world.act(ana, number, "assignments", json=body)
    assert given(shown) == [(ana.id, "commander")]


async def test_an_observer_watches_and_does_not_have_it(world: World) -> None:
    ana, ben = await world.person("ana@example.org"), await world.person("ben@example.org")
    number = (await world.declare(ana, assignees=[ana.id]))["id"]
    body = {"user_id": ben.id, "role": "observer"}
    shown = await world.act(ana, number, "assignments", json=body)
    assert shown["assigned_to"] == ana.id
    assert given(shown) == [(ana.id, "responder"), (ben.id, "observer")]


async def test_acknowledging_keeps_the_role_that_one_has(world: World) -> None:
    ana = await world.person()
    number = (await world.declare(ana))["id"]
    await world.act(ana, number, "assignments", json={"user_id": ana.id, "role": "commander"})
    assert given(await world.act(ana, number, "acknowledge")) == [(ana.id, "commander")]


async def test_taking_it_off_somebodys_hands_gives_it_to_who_is_left(world: World) -> None:
    ana, ben = await world.person("ana@example.org"), await world.person("ben@example.org")
    number = (await world.declare(ana, assignees=[ana.id, ben.id]))["id"]

    path = f"{INCIDENTS}/{number}/assignments"
    shown = await world.call("DELETE", f"{path}/{ben.id}", ana)
    assert (shown["assigned_to"], given(shown)) == (ana.id, [(ana.id, "responder")])
    shown = await world.call("DELETE", f"{path}/{ana.id}", ana)
    assert (shown["assigned_to"], given(shown)) == (None, [])
    assert (await world.timeline(ana, number))[-2:] == ["unassigned", "unassigned"]


async def test_taking_it_off_somebody_who_does_not_have_it_changes_nothing(world: World) -> None:
    ana = await world.person()
    before = await world.declare(ana)
    for user_id in (ana.id, 999_999):
        path = f"{INCIDENTS}/{before['id']}/assignments/{user_id}"
        assert await world.call("DELETE", path, ana) == before


async def test_nobody_unknown_or_deactivated_can_be_assigned(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    path = f"{INCIDENTS}/{(await world.declare(admin))['id']}/assignments"
    await world.call("PATCH", f"/v1/users/{ana.id}", admin, json={"is_active": False})
    body = {"user_id": 999_999}
    await refused(world, "POST", path, admin, 404, "USER_NOT_FOUND", json=body)
    details = await refused(
        world, "POST", path, admin, 422, "USER_INACTIVE", json={"user_id": ana.id}
    )
    assert details == {"user_id": ana.id}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "user_id"),
        ({"user_id": None}, "user_id"),
        ({"user_id": 0}, "user_id"),
        ({"user_id": 2**63}, "user_id"),
        ({"user_id": 1, "role": "king"}, "role"),
        ({"user_id": 1, "role": None}, "role"),
    ],
)
async def test_a_faulty_assignment_is_told_where_it_is_wrong(
    world: World, body: dict[str, Any], path: str
) -> None:
    ana = await world.person()
    number = (await world.declare(ana))["id"]
    faults = await faulty(world, "POST", f"{INCIDENTS}/{number}/assignments", ana, json=body)
    assert set(faults) == {path}


async def test_many_who_are_assigned_at_once_all_have_it(world: World) -> None:
    people = [await world.person(f"p{n}@example.org") for n in range(6)]
    number = (await world.declare(people[0]))["id"]
    path = f"{INCIDENTS}/{number}/assignments"
    answers = await asyncio.gather(
        *(send(world, "POST", path, people[0], json={"user_id": who.id}) for who in people)
    )
    assert {answer.status_code for answer in answers} == {200}
    shown = await world.call("GET", f"{INCIDENTS}/{number}", people[0])
    assert {user_id for user_id, _ in given(shown)} == {who.id for who in people}


# --- Comments ---------------------------------------------------------------------------


async def test_a_comment_is_kept_and_told(world: World) -> None:
    ana = await world.person(full_name="Ana Díaz")
    number = (await world.declare(ana))["id"]
    path = f"{INCIDENTS}/{number}/comments"

    body = {"content": "Failing over.\n\n<b>Now</b> 🔔"}
    made = await world.call("POST", path, ana, expect=201, json=body)

    assert (made["content"], made["user_id"], made["incident_id"]) == (
        body["content"],
        ana.id,
        number,
    )
    assert (await world.call("GET", path, ana))["items"] == [made]
    told = (await world.call("GET", f"{INCIDENTS}/{number}/timeline", ana))["items"][-1]
    assert told["description"] == "Ana Díaz commented."
    assert told["metadata"] == {"comment_id": made["id"]}


async def test_comments_are_read_in_their_order_page_by_page(world: World) -> None:
    ana = await world.person()
    path = f"{INCIDENTS}/{(await world.declare(ana))['id']}/comments"
    for n in range(5):
        await world.call("POST", path, ana, expect=201, json={"content": f"Number {n}"})

    met: list[str] = []
    query = "per_page=2"
    while True:
        page = await world.call("GET", f"{path}?{query}", ana)
        assert page["total"] == 5
        met += [comment["content"] for comment in page["items"]]
        if page["next_cursor"] is None:
            break
        query = f"per_page=2&cursor={page['next_cursor']}"
    assert met == [f"Number {n}" for n in range(5)]


async def test_a_comment_leaves_the_incident_as_it_was(world: World) -> None:
    ana = await world.person()
    before = await world.declare(ana)
    path = f"{INCIDENTS}/{before['id']}/comments"
    await world.call("POST", path, ana, expect=201, json={"content": "Hm."})
    assert await world.call("GET", f"{INCIDENTS}/{before['id']}", ana) == before


async def test_a_resolved_incident_can_still_be_commented_on(world: World) -> None:
    ana = await world.person()
    number = (await world.declare(ana))["id"]
    await world.act(ana, number, "resolve")
    body = {"content": "It was the cable."}
    await world.call("POST", f"{INCIDENTS}/{number}/comments", ana, expect=201, json=body)


async def test_a_faulty_comment_is_refused(world: World) -> None:
    ana = await world.person()
    path = f"{INCIDENTS}/{(await world.declare(ana))['id']}/comments"
    for content in ("", "  \n ", "c" * 10_001, "a\x00", None, 5):
        assert set(await faulty(world, "POST", path, ana, json={"content": content})) == {"content"}
    assert (await world.call("GET", path, ana))["total"] == 0


async def test_comments_of_one_incident_are_not_those_of_another(world: World) -> None:
    ana = await world.person()
    one, other = (await world.declare(ana))["id"], (await world.declare(ana))["id"]
    body = {"content": "Here."}
    await world.call("POST", f"{INCIDENTS}/{one}/comments", ana, expect=201, json=body)
    assert (await world.call("GET", f"{INCIDENTS}/{other}/comments", ana))["items"] == []
    assert "commented" not in await world.timeline(ana, other)
