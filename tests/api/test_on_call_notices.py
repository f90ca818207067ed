"""What people want to be told of their duty."""

from typing import Any

import pytest

from tests.api.answers import faulty, refused, send
from tests.world import World

MINE = "/v1/users/me/on-call-notices"
USUAL = {
    "start": True,
    "end": False,
    "change": True,
    "reminder_minutes": 60,
    "channels": ["email", "push", "chat"],
}


def wishes(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if name != "revision"}


async def test_the_usual_until_somebody_says_otherwise(world: World) -> None:
    ana = await world.person()
    assert wishes(await world.call("GET", MINE, ana)) == USUAL
    changed = await world.call("PUT", MINE, ana, json={"end": True, "channels": ["sms", "sms"]})
    assert wishes(changed) == {**USUAL, "end": True, "channels": ["sms"]}
    off = await world.call("PUT", MINE, ana, json={"reminder_minutes": None})
    assert wishes(off) == {**wishes(changed), "reminder_minutes": None}
    assert await world.call("GET", MINE, ana) == off


async def test_an_admin_may_for_others_and_nobody_else(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    ben = await world.person("ben@example.org")
    path = f"/v1/users/{ana.id}/on-call-notices"
    await refused(world, "PUT", path, ben, 403, "FORBIDDEN", json={"end": True})
    assert (await world.call("PUT", path, admin, json={"end": True}))["end"] is True
    assert (await world.call("GET", MINE, ana))["end"] is True
    code = "USER_NOT_FOUND"
    await refused(world, "PUT", "/v1/users/999/on-call-notices", admin, 404, code, json={})
    await refused(world, "GET", "/v1/users/999/on-call-notices", admin, 404, code)


async def test_nobody_overwrites_what_they_have_not_seen(world: World) -> None:
    ana = await world.person()
    seen = (await world.call("GET", MINE, ana))["revision"]
    await world.call("PUT", MINE, ana, json={"end": True})
    headers = {"If-Match": f'"{seen}"'}
    late = await send(world, "PUT", MINE, ana, json={"start": False}, headers=headers)
    assert late.status_code == 412
    assert late.json()["details"]["current"]["end"] is True


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"start": None}, "start"),
        ({"channels": []}, "channels"),
        ({"channels": ["pigeon"]}, "channels[0]"),
        ({"reminder_minutes": 0}, "reminder_minutes"),
        ({"reminder_minutes": 1441}, "reminder_minutes"),
        ({"ends": True}, "ends"),
    ],
)
async def test_what_cannot_be_is_refused(world: World, body: dict[str, Any], path: str) -> None:
    ana = await world.person()
    assert path in await faulty(world, "PUT", MINE, ana, json=body)
    assert wishes(await world.call("GET", MINE, ana)) == USUAL
