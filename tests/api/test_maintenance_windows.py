"""Maintenance windows: planned, begun, changed, ended and cancelled, and by whom."""

from typing import Any

from app.domain.user import Role
from tests.api.answers import faulty, refused, send
from tests.api.catalogue import WINDOWS, a_service, a_window, in_hours
from tests.conftest import Clock
from tests.world import Person, World


async def listed(world: World, who: Person, query: str = "") -> list[int]:
    answer = await world.call("GET", f"{WINDOWS}?{query}", who)
    return [window["id"] for window in answer["items"]]


async def test_a_window_begins_now_runs_and_is_over(world: World, clock: Clock) -> None:
    admin, ana = await world.admin(), await world.person()
    service, other = await a_service(world, admin), await a_service(world, admin, "API")
    made = await a_window(world, ana, service, other, description="Slow")
    assert made["services"] == [
        {"id": other["id"], "name": "API"},
        {"id": service["id"], "name": "checkout"},
    ]
    assert (made["title"], made["description"], made["status"]) == ("New disks", "Slow", "running")
    assert (made["created_by"], made["is_for_everything"]) == (ana.id, False)
    path = f"{WINDOWS}/{made['id']}"
    assert await world.call("GET", path, ana) == made
    clock.forward(hours=2)
    assert (await world.call("GET", path, ana))["status"] == "over"


async def test_a_window_to_come_is_moved_and_cancelled(world: World, clock: Clock) -> None:
    admin, ana = await world.admin(), await world.person()
    service, other = await a_service(world, admin), await a_service(world, admin, "API")
    made = await a_window(world, ana, service, starts_at=await in_hours(world, 1))
    path = f"{WINDOWS}/{made['id']}"
    assert made["status"] == "scheduled"
    await refused(world, "POST", f"{path}/end", ana, 409, "MAINTENANCE_WINDOW_NOT_BEGUN")
    body: dict[str, Any] = {
        "starts_at": await in_hours(world, 3),
        "ends_at": await in_hours(world, 4),
        "service_ids": [other["id"]],
    }
    moved = await world.call("PATCH", path, ana, json=body)
    assert [one["name"] for one in moved["services"]] == ["API"]
    assert moved["revision"] > made["revision"]
    clock.forward(hours=2)
    assert (await world.call("GET", path, ana))["status"] == "scheduled"
    await world.call("DELETE", path, ana, expect=204)
    gone = await world.call("GET", path, ana)
    assert (gone["status"], gone["cancelled_at"] is None) == ("cancelled", False)
    await world.call("DELETE", path, ana, expect=204)  # once more changes nothing
    assert await world.call("GET", path, ana) == gone
    await refused(world, "PATCH", path, ana, 409, "MAINTENANCE_WINDOW_OVER", json={"title": "x"})
    await refused(world, "POST", f"{path}/end", ana, 409, "MAINTENANCE_WINDOW_OVER")


async def test_a_window_that_is_on_is_ended_and_neither_moved_nor_cancelled(
    world: World, clock: Clock
) -> None:
    admin = await world.admin()
    made = await a_window(world, admin, await a_service(world, admin))
    path = f"{WINDOWS}/{made['id']}"
    await refused(world, "DELETE", path, admin, 409, "MAINTENANCE_WINDOW_BEGUN")
    later = {"starts_at": await in_hours(world, 1)}
    await refused(world, "PATCH", path, admin, 409, "MAINTENANCE_WINDOW_BEGUN", json=later)
    longer = await world.call("PATCH", path, admin, json={"ends_at": await in_hours(world, 9)})
    clock.forward(hours=3)
    ended = await world.call("POST", f"{path}/end", admin)
    assert (ended["status"], ended["ends_at"]) == ("over", longer["ends_at"])
    assert ended["ended_at"] is not None
    clock.forward(hours=1)
    assert await world.call("POST", f"{path}/end", admin) == ended  # it is over already
    await refused(world, "DELETE", path, admin, 409, "MAINTENANCE_WINDOW_BEGUN")
    body = {"ends_at": await in_hours(world, 9)}
    await refused(world, "PATCH", path, admin, 409, "MAINTENANCE_WINDOW_OVER", json=body)


async def test_times_that_cannot_be_are_refused_with_their_place(world: World) -> None:
    admin = await world.admin()
    service = await a_service(world, admin)

    async def fault(starts: float | None, ends: float) -> str:
        body = {
            "title": "x",
            "ends_at": await in_hours(world, ends),
            "service_ids": [service["id"]],
        }
        if starts is not None:
            body["starts_at"] = await in_hours(world, starts)
        code = "INVALID_MAINTENANCE_WINDOW"
        told = await refused(world, "POST", WINDOWS, admin, 422, code, json=body)
        return str(told["errors"][0]["path"])

    assert await fault(None, -1) == "ends_at"
    assert await fault(2, 1) == "ends_at"
    assert await fault(2, 2) == "ends_at"
    assert await fault(-1, 1) == "starts_at"
    assert await fault(None, 30 * 24 + 1) == "ends_at"
    assert await fault(367 * 24, 368 * 24) == "starts_at"
    assert await listed(world, admin) == []
    await a_window(world, admin, service, starts_at=await in_hours(world, -0.05))  # clocks differ
    made = await a_window(world, admin, service, starts_at=await in_hours(world, 1))
    path, code = f"{WINDOWS}/{made['id']}", "INVALID_MAINTENANCE_WINDOW"
    body = {"starts_at": await in_hours(world, -1)}
    await refused(world, "PATCH", path, admin, 422, code, json=body)
    body = {"ends_at": await in_hours(world, 0.5)}
    await refused(world, "PATCH", path, admin, 422, code, json=body)


async def test_a_window_is_for_some_services_or_for_everything(world: World) -> None:
    admin = await world.admin()
    service = await a_service(world, admin)
    times = {"title": "x", "ends_at": await in_hours(world, 1)}
    for which in ({}, {"service_ids": [service["id"]], "is_for_everything": True}):
        assert await faulty(world, "POST", WINDOWS, admin, json={**times, **which})
    body = {**times, "service_ids": [service["id"], 999_999]}
    told = await refused(
        world, "POST", WINDOWS, admin, 422, "INVALID_MAINTENANCE_WINDOW", json=body
    )
    assert [fault["path"] for fault in told["errors"]] == ["service_ids[1]"]
    whole = await a_window(world, admin, is_for_everything=True)
    assert (whole["is_for_everything"], whole["services"]) == (True, [])
    path, body = f"{WINDOWS}/{whole['id']}", {"service_ids": [service["id"]]}
    await refused(world, "PATCH", path, admin, 422, "INVALID_MAINTENANCE_WINDOW", json=body)
    assert set(await faulty(world, "PATCH", path, admin, json={"service_ids": []})) == {
        "service_ids"
    }
    await refused(world, "GET", f"{WINDOWS}/999", admin, 404, "MAINTENANCE_WINDOW_NOT_FOUND")


async def test_only_admins_keep_everything_quiet(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    viewer = await world.person("viewer@example.org", Role.VIEWER)
    service = await a_service(world, admin)
    body = {"title": "x", "ends_at": await in_hours(world, 1), "is_for_everything": True}
    await refused(world, "POST", WINDOWS, ana, 403, "FORBIDDEN", json=body)
    whole = await a_window(world, admin, is_for_everything=True)
    path = f"{WINDOWS}/{whole['id']}"
    for method, there in (("PATCH", path), ("POST", f"{path}/end"), ("DELETE", path)):
        kw = {"json": {"title": "y"}} if method == "PATCH" else {}
        assert (await send(world, method, there, ana, **kw)).status_code == 403
    mine = await a_window(world, ana, service)
    other = await world.person("ben@example.org")
    ended = await world.call("POST", f"{WINDOWS}/{mine['id']}/end", other)  # of anybody's
    assert ended["status"] == "over"
    assert (await send(world, "GET", path, viewer)).status_code == 200


async def test_windows_are_found_by_status_service_and_start(world: World, clock: Clock) -> None:
    admin = await world.admin()
    one, two = await a_service(world, admin), await a_service(world, admin, "API")
    over = (await a_window(world, admin, one, lasts=1))["id"]
    ended = (await a_window(world, admin, one, lasts=5))["id"]
    await world.call("POST", f"{WINDOWS}/{ended}/end", admin)
    clock.forward(hours=1)
    running = (await a_window(world, admin, two))["id"]
    whole = (await a_window(world, admin, is_for_everything=True, lasts=3))["id"]
    later = await in_hours(world, 1)
    scheduled = (await a_window(world, admin, one, two, starts_at=later))["id"]
    cancelled = (await a_window(world, admin, one, starts_at=later))["id"]
    await world.call("DELETE", f"{WINDOWS}/{cancelled}", admin, expect=204)

    everything = [cancelled, scheduled, whole, running, ended, over]
    assert await listed(world, admin) == everything
    assert await listed(world, admin, "sort_by=ends_at&sort_order=asc&per_page=1") == [over]
    for status, expected in {
        "scheduled": [scheduled],
        "running": [whole, running],
        "over": [ended, over],
        "cancelled": [cancelled],
    }.items():
        assert await listed(world, admin, f"status={status}") == expected
    assert await listed(world, admin, "status=over&status=cancelled") == [cancelled, ended, over]
    mine = [scheduled, whole, running]
    assert await listed(world, admin, f"service_id={two['id']}") == mine
    since = later.replace("+", "%2B")
    assert await listed(world, admin, f"since={since}") == [cancelled, scheduled]
    assert await listed(world, admin, f"until={since}") == everything[2:]


async def test_nobody_overwrites_a_window_that_they_have_not_seen(world: World) -> None:
    admin = await world.admin()
    made = await a_window(world, admin, await a_service(world, admin))
    path = f"{WINDOWS}/{made['id']}"
    seen = (await send(world, "GET", path, admin)).headers["etag"]
    await world.call("PATCH", path, admin, json={"title": "Other"})
    late = {"headers": {"If-Match": seen}}
    told = await refused(world, "POST", f"{path}/end", admin, 412, "PRECONDITION_FAILED", **late)
    assert (told["current"]["title"], told["current"]["status"]) == ("Other", "running")
