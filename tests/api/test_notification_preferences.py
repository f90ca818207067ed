"""Switching channels on and off: one's own, and anybody's for an admin."""

import asyncio

import pytest

from app.domain.user import Role
from tests.api.answers import faulty, refused, send
from tests.world import Person, World

MINE = "/v1/notification-preferences"
ALL_ON = {"email": True, "sms": True, "push": True, "chat": True, "webhook": True}


@pytest.fixture
async def ana(world: World) -> Person:
    return await world.person(role=Role.VIEWER)


async def test_what_was_never_touched_is_on(world: World, ana: Person) -> None:
    assert (await world.call("GET", MINE, ana))["channels"] == ALL_ON


async def test_only_the_named_channels_are_switched(world: World, ana: Person) -> None:
    off = {"channels": {"sms": False, "chat": False}}
    put = await world.call("PUT", MINE, ana, json=off)
    assert put["channels"] == {**ALL_ON, "sms": False, "chat": False}
    await world.call("PUT", MINE, ana, json={"channels": {"sms": True, "email": False}})
    found = await world.call("GET", MINE, ana)
    assert found["channels"] == {**ALL_ON, "chat": False, "email": False}
    assert await world.call("PUT", MINE, ana, json={"channels": {}}) == found


async def test_switching_at_once_from_many_places_loses_nothing(world: World, ana: Person) -> None:
    bodies = [{"channels": {name: False}} for name in ALL_ON] * 2
    answers = await asyncio.gather(*(send(world, "PUT", MINE, ana, json=body) for body in bodies))
    assert {answer.status_code for answer in answers} == {200}
    assert (await world.call("GET", MINE, ana))["channels"] == dict.fromkeys(ALL_ON, False)


async def test_what_is_malformed_is_refused_where_it_stands(world: World, ana: Person) -> None:
    for channels, path in [
        ({"pigeon": True}, "channels.pigeon"),
        ({"sms": None}, "channels.sms"),
        ({"sms": "perhaps"}, "channels.sms"),
        ([], "channels"),
    ]:
        assert set(await faulty(world, "PUT", MINE, ana, json={"channels": channels})) == {path}
    assert set(await faulty(world, "PUT", MINE, ana, json={})) == {"channels"}


async def test_an_admin_switches_for_others_and_nobody_else_does(world: World, ana: Person) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    theirs = f"{MINE}/{ana.id}"
    body = {"channels": {"email": False}}
    await refused(world, "GET", theirs, ben, 403, "FORBIDDEN")
    await refused(world, "PUT", theirs, ben, 403, "FORBIDDEN", json=body)
    put = await world.call("PUT", theirs, admin, json=body)
    assert put == await world.call("GET", theirs, admin) == await world.call("GET", MINE, ana)
    assert put == await world.call("GET", f"{MINE}/me", ana)
    assert (await world.call("GET", MINE, admin))["channels"] == ALL_ON


async def test_a_deleted_account_has_no_switches(world: World, ana: Person) -> None:
    admin = await world.admin()
    await world.call("PUT", MINE, ana, json={"channels": {"sms": False}})
    await world.call("DELETE", f"/v1/users/{ana.id}", admin, expect=204)
    path = f"{MINE}/{ana.id}"
    await refused(world, "GET", path, admin, 404, "USER_NOT_FOUND")
    body = {"channels": {"sms": True}}
    await refused(world, "PUT", path, admin, 404, "USER_NOT_FOUND", json=body)
    assert await world.sql("SELECT id FROM notification_preferences") == []
