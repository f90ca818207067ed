"""Overrides and temporary schedules over HTTP: who wins, and that none of it changes the past."""

from datetime import datetime, timedelta
from typing import Any

from app.domain.user import Role
from tests.api.rotas import OFFICE, ids_on_call, schedule, weekly
from tests.world import Person, World


async def override(world: World, who: Person, schedule_id: int, **fields: Any) -> Any:
    path = f"/v1/schedules/{schedule_id}/overrides"
    return await world.call("POST", path, who, expect=fields.pop("expect", 201), json=fields)


def told(moment: datetime) -> str:
    return moment.isoformat()


async def test_an_override_puts_somebody_else_on_call_for_its_time(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    made = await schedule(world, admin, weekly(admin.id))
    now = await world.clock.now()
    first = await override(
        world,
        ben,
        made["id"],
        user_id=ben.id,
        starts_at=told(now + timedelta(hours=1)),
        ends_at=told(now + timedelta(hours=3)),
        reason="Dentist",
    )
    assert first["created_by"] == ben.id
    expected = [(0, admin.id), (1.5, ben.id), (3.5, admin.id)]
    for hours, who in expected:
        at = told(now + timedelta(hours=hours))
        assert await ids_on_call(world, admin, made["id"], at=at) == [who]


async def test_an_override_of_one_person_leaves_the_others(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    cleo = await world.person("cleo@example.org")
    made = await schedule(world, admin, weekly(admin.id))
    end = told(await world.clock.now() + timedelta(hours=3))
    fields = {"ends_at": end, "user_id": cleo.id}
    await override(world, admin, made["id"], **fields, replaces=ben.id)
    assert await ids_on_call(world, admin, made["id"]) == [admin.id]
    await override(world, admin, made["id"], **fields, replaces=admin.id)
    assert await ids_on_call(world, admin, made["id"]) == [cleo.id]


async def test_the_later_override_wins_and_taking_it_back_leaves_what_it_did(
    world: World,
) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    made = await schedule(world, admin, weekly(admin.id))
    begun = await world.clock.now()
    await override(
        world, admin, made["id"], user_id=admin.id, ends_at=told(begun + timedelta(hours=9))
    )
    later = await override(
        world, admin, made["id"], user_id=ben.id, ends_at=told(begun + timedelta(hours=9))
    )
    world.clock.forward(hours=2)
    assert await ids_on_call(world, admin, made["id"]) == [ben.id]
    path = f"/v1/schedules/{made['id']}/overrides"
    await world.call("DELETE", f"{path}/{later['id']}", ben, expect=204)
    await world.call("DELETE", f"{path}/{later['id']}", ben, expect=204)
    assert await ids_on_call(world, admin, made["id"]) == [admin.id]

    # It was Ben an hour ago, and it stays so.
    was = told(begun + timedelta(hours=1))
    assert await ids_on_call(world, admin, made["id"], at=was) == [ben.id]
    now = told(await world.clock.now())
    assert await ids_on_call(world, admin, made["id"], at=was, known_at=now) == [ben.id]
    ahead = told(begun + timedelta(hours=3))
    assert await ids_on_call(world, admin, made["id"], at=ahead, known_at=was) == [ben.id]
    assert await ids_on_call(world, admin, made["id"], at=ahead) == [admin.id]

    assert (await world.call("GET", path, admin))["total"] == 1
    shown = await world.call("GET", path, admin, params={"removed": True})
    assert [one["removed_by"] for one in shown["items"]] == [ben.id, None]


async def test_no_override_changes_the_past(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    made = await schedule(world, admin, weekly(admin.id))
    world.clock.forward(hours=5)
    now = await world.clock.now()
    before = told(now - timedelta(hours=3))
    since = await override(
        world,
        admin,
        made["id"],
        user_id=ben.id,
        starts_at=before,
        ends_at=told(now + timedelta(hours=3)),
    )
    assert datetime.fromisoformat(since["starts_at"]) >= now
    known = told(await world.clock.now())
    for query in ({"at": before}, {"at": before, "known_at": known}):
        assert await ids_on_call(world, admin, made["id"], **query) == [admin.id]
    refused = await override(
        world,
        admin,
        made["id"],
        user_id=ben.id,
        starts_at=before,
        ends_at=told(now - timedelta(hours=1)),
        expect=422,
    )
    assert refused["details"]["field"] == "ends_at"


async def test_an_override_needs_somebody_who_can_take_a_call(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    made = await schedule(world, admin, weekly(admin.id))
    await world.call("PATCH", f"/v1/users/{ben.id}", admin, json={"is_active": False})
    end = told(await world.clock.now() + timedelta(hours=3))
    for fields, field in (
        ({"user_id": ben.id}, "user_id"),
        ({"user_id": 999}, "user_id"),
        ({"user_id": admin.id, "replaces": 999}, "replaces"),
    ):
        refused = await override(world, admin, made["id"], **fields, ends_at=end, expect=422)
        assert refused["details"]["field"] == field
    same = {"user_id": admin.id, "replaces": admin.id, "ends_at": end}
    await override(world, admin, made["id"], **same, expect=422)
    viewer = await world.person("vera@example.org", Role.VIEWER)
    await override(world, viewer, made["id"], user_id=admin.id, ends_at=end, expect=403)
    long = told(await world.clock.now() + timedelta(days=500))
    await override(world, admin, made["id"], user_id=admin.id, ends_at=long, expect=422)
    for far in ("9999-12-31T23:00:00-05:00", "2300-01-01T00:00:00Z"):
        await override(world, admin, made["id"], user_id=admin.id, ends_at=far, expect=422)


async def test_overrides_are_those_of_their_schedule(world: World) -> None:
    admin = await world.admin()
    one = await schedule(world, admin, weekly(admin.id))
    two = await schedule(world, admin, weekly(admin.id), name="Networks")
    end = told(await world.clock.now() + timedelta(hours=3))
    made = await override(world, admin, one["id"], user_id=admin.id, ends_at=end)
    for method in ("GET", "DELETE"):
        path = f"/v1/schedules/{two['id']}/overrides/{made['id']}"
        await world.call(method, path, admin, expect=404)
    await override(world, admin, 99, user_id=admin.id, ends_at=end, expect=404)


async def test_a_temporary_schedule_replaces_all_layers_for_its_time(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    made = await schedule(world, admin, weekly(admin.id))
    now = await world.clock.now()
    path = f"/v1/schedules/{made['id']}/temporary-schedules"
    fields = {
        "starts_at": told(now + timedelta(days=1)),
        "ends_at": told(now + timedelta(days=9)),
        "layers": [weekly(ben.id)],
    }
    office = {**fields, "layers": [weekly(ben.id, restrictions=OFFICE)]}
    refused = await world.call("POST", path, admin, expect=409, json=office)
    assert refused["code"] == "SCHEDULE_HAS_GAPS"
    await world.call("POST", path, ben, expect=403, json=fields)
    temporary = await world.call("POST", path, admin, expect=201, json=fields)
    inside = told(now + timedelta(days=2))
    assert await ids_on_call(world, admin, made["id"], at=inside) == [ben.id]
    assert await ids_on_call(world, admin, made["id"]) == [admin.id]
    after = told(now + timedelta(days=9))
    assert await ids_on_call(world, admin, made["id"], at=after) == [admin.id]
    read = await world.call("GET", f"{path}/{temporary['id']}", admin)
    assert read == temporary
    assert (await world.call("GET", path, admin))["items"] == [temporary]
    await world.call("DELETE", f"{path}/{temporary['id']}", ben, expect=403)
    await world.call("DELETE", f"{path}/{temporary['id']}", admin, expect=204)
    assert await ids_on_call(world, admin, made["id"], at=inside) == [admin.id]
