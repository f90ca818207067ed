"""`If-Match` where people say how they are reached: things that count no revisions."""

import asyncio
from typing import Any

import pytest

from app.crud import crud_user
from app.schemas.base import revision_of
from tests.api.answers import refused, send
from tests.reaching import methods_of
from tests.world import Person, World

RULES, SWITCHES = "/v1/users/me/notification-rules", "/v1/notification-preferences"
KINDS = ["rules", "switches", "method"]
WAITS = """
    SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def changes(
    world: World, ana: Person, kind: str
) -> tuple[str, str, dict[str, Any], dict[str, Any], str]:
    """How a thing is changed: by which call, to what, to what else; and the tag of what it is."""
    path = methods_of(ana)
    [mail] = (await world.call("GET", path, ana))["items"]
    if kind == "method":
        number = mail["id"]
        return "PATCH", f"{path}/{number}", {"label": "One"}, {"label": "Two"}, tag(mail)
    if kind == "switches":
        seen = tag(await world.call("GET", SWITCHES, ana))
        return "PUT", SWITCHES, {"channels": {"sms": False}}, {"channels": {"push": False}}, seen
    rule = {"contact_method_id": mail["id"]}
    one, two = ({"items": [{**rule, "delay_minutes": minutes}]} for minutes in (1, 2))
    return "PUT", RULES, one, two, tag(await world.call("GET", RULES, ana))


def tag(shown: dict[str, Any]) -> str:
    return f'"{shown["revision"]}"'


def if_match(tag: str) -> dict[str, str]:
    return {"If-Match": tag}


@pytest.mark.parametrize("kind", KINDS)
async def test_of_two_editors_one_is_told_what_the_other_did(world: World, kind: str) -> None:
    ana = await world.person()
    verb, path, one, two, seen = await changes(world, ana, kind)
    first = await send(world, verb, path, ana, json=one, headers=if_match(seen))
    assert first.status_code == 200
    assert tag(first.json()) != seen
    details = await refused(
        world, verb, path, ana, 412, "PRECONDITION_FAILED", json=two, headers=if_match(seen)
    )
    assert details["current"] == first.json()
    assert details["etag"] == first.headers["etag"]
    second = await send(world, verb, path, ana, json=two, headers=if_match(details["etag"]))
    assert second.status_code == 200


@pytest.mark.parametrize("kind", KINDS)
async def test_of_two_editors_at_once_one_is_told_what_the_other_did(
    world: World, kind: str
) -> None:
    ana = await world.person()
    verb, path, one, two, seen = await changes(world, ana, kind)
    async with world.database.writing() as session:
        await crud_user.lock(session, ana.id)
        editors = [
            asyncio.create_task(send(world, verb, path, ana, json=body, headers=if_match(seen)))
            for body in (one, two)
        ]
        while len(await world.sql(WAITS)) < len(editors):
            assert not any(editor.done() for editor in editors)
            await asyncio.sleep(0.01)
    assert sorted([(await editor).status_code for editor in editors]) == [200, 412]


@pytest.mark.parametrize("kind", KINDS)
async def test_without_a_condition_the_last_write_wins(world: World, kind: str) -> None:
    ana = await world.person()
    verb, path, one, two, _ = await changes(world, ana, kind)
    for body in (one, two):
        await world.call(verb, path, ana, json=body)


@pytest.mark.parametrize("kind", ["rules", "switches"])
async def test_what_one_has_is_not_sent_again(world: World, kind: str) -> None:
    ana = await world.person()
    verb, path, one, _, _ = await changes(world, ana, kind)
    seen = {"If-None-Match": (await send(world, "GET", path, ana)).headers["etag"]}
    answer = await send(world, "GET", path, ana, headers=seen)
    assert (answer.status_code, answer.content) == (304, b"")
    await world.call(verb, path, ana, json=one)
    assert (await send(world, "GET", path, ana, headers=seen)).status_code == 200


async def test_admins_take_turns_with_whom_they_switch(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    _, _, one, two, seen = await changes(world, ana, "switches")
    await world.call("PUT", SWITCHES, ana, json=one)
    theirs = f"{SWITCHES}/{ana.id}"
    details = await refused(
        world, "PUT", theirs, admin, 412, "PRECONDITION_FAILED", json=two, headers=if_match(seen)
    )
    assert details["current"] == await world.call("GET", theirs, admin)


async def test_a_contact_method_that_changed_is_not_removed(world: World) -> None:
    ana = await world.person()
    verb, path, one, _, seen = await changes(world, ana, "method")
    changed = await world.call(verb, path, ana, json=one)
    await refused(world, "DELETE", path, ana, 412, "PRECONDITION_FAILED", headers=if_match(seen))
    await world.call("DELETE", path, ana, expect=204, headers=if_match(tag(changed)))


async def test_what_is_not_there_is_not_found_whatever_the_condition(world: World) -> None:
    ana = await world.person()
    path = f"{methods_of(ana)}/999"
    for method, kw in (("PATCH", {"json": {"label": "x"}}), ("DELETE", {})):
        await refused(
            world, method, path, ana, 404, "CONTACT_METHOD_NOT_FOUND", headers=if_match('"1"'), **kw
        )


def test_the_number_follows_from_the_state_alone() -> None:
    assert revision_of({"a": 1, "b": None}) == revision_of({"b": None, "a": 1})
    numbers = {revision_of(*state) for state in ((1, None), (None, 1), (1,), ([1, None],))}
    assert len(numbers) == 4
    assert all(number < 2**53 for number in numbers)
