"""Public maintenance begins and ends by itself, or by hand, and never twice."""

import asyncio
from datetime import timedelta
from typing import Any

from app.worker.public_page import PublicPages
from tests.api.publishing import (
    MAINTENANCES,
    a_component,
    announce,
    hitting,
    publish,
    status_of,
    turn,
)
from tests.world import World


async def test_it_begins_and_ends_at_its_times(world: World) -> None:
    admin = await world.admin()
    component = await a_component(world, admin)
    made = await announce(world, admin, component)
    assert (made["status"], await status_of(world, component)) == ("scheduled", "operational")
    shown = await world.call("GET", "/v1/public/status")
    assert [one["title"] for one in shown["maintenances"]] == ["New disks"]
    world.clock.forward(minutes=61)
    await turn(world)
    assert await status_of(world, component) == "under_maintenance"
    shown = await world.call("GET", "/v1/public/status")
    assert (shown["level"], shown["headline"]) == (
        "maintenance",
        "Checkout is under maintenance.",
    )
    world.clock.forward(minutes=60)
    await turn(world)
    assert await status_of(world, component) == "operational"
    done = await world.call("GET", f"/v1/public/maintenances/{made['code']}")
    assert done["status"] == "completed"
    assert [one["status"] for one in done["updates"]] == ["completed", "in_progress", "scheduled"]
    kinds = [row.kind for row in await world.sql("SELECT kind FROM public_notices ORDER BY id")]
    assert kinds == ["maintenance_created"] + ["maintenance_status_changed"] * 2
    types = await world.sql("SELECT type FROM events WHERE audience = 'public' ORDER BY id")
    assert [row.type for row in types] == [
        "maintenance.created",
        "component.status_changed",
        "maintenance.status_changed",
        "maintenance.update_posted",
        "component.status_changed",
        "maintenance.status_changed",
        "maintenance.update_posted",
    ]


async def test_replicas_that_come_together_begin_it_once(world: World) -> None:
    admin = await world.admin()
    for _ in range(4):
        await announce(world, admin)
    world.clock.forward(minutes=61)
    loops = [PublicPages(world.database) for _ in range(4)]
    for _ in range(8):
        await asyncio.gather(*(loop.round() for loop in loops))
    begun = await world.sql(
        "SELECT public_maintenance_id, count(*) AS times FROM public_updates"
        " WHERE status = 'in_progress' GROUP BY 1"
    )
    assert sorted(row.times for row in begun) == [1, 1, 1, 1]


async def test_a_loop_that_slept_through_all_of_it_tells_both_ends(world: World) -> None:
    admin = await world.admin()
    made = await announce(world, admin)
    world.clock.forward(hours=9)
    await turn(world)
    done = await world.call("GET", f"/v1/public/maintenances/{made['code']}")
    assert [one["status"] for one in done["updates"]] == ["completed", "in_progress", "scheduled"]


async def test_what_shall_not_begin_by_itself_does_not(world: World) -> None:
    admin = await world.admin()
    made = await announce(world, admin, starts_itself=False, ends_itself=False)
    path = f"{MAINTENANCES}/{made['id']}"
    world.clock.forward(hours=9)
    await turn(world)
    assert (await world.call("GET", path, admin))["status"] == "scheduled"
    for status in ("in_progress", "verifying", "in_progress", "completed"):
        body = {"body": "So it goes.", "status": status}
        await world.call("POST", f"{path}/updates", admin, expect=201, json=body)
    body = {"body": "Once more.", "status": "in_progress"}
    refused = await world.call("POST", f"{path}/updates", admin, expect=400, json=body)
    assert refused["details"]["allowed"] == []
    refused = await world.call("PATCH", path, admin, expect=409, json={"title": "x"})
    assert refused["code"] == "MAINTENANCE_OVER"


async def test_other_times_are_told_and_must_make_sense(world: World) -> None:
    admin = await world.admin()
    made = await announce(world, admin)
    path = f"{MAINTENANCES}/{made['id']}"
    now: Any = await world.clock.now()
    later = (now + timedelta(hours=5)).isoformat()
    await world.call("PATCH", path, admin, json={"scheduled_until": later})
    kinds = [row.kind for row in await world.sql("SELECT kind FROM public_notices ORDER BY id")]
    assert kinds == ["maintenance_created", "maintenance_updated"]
    body = {"scheduled_for": (now + timedelta(hours=6)).isoformat()}
    refused = await world.call("PATCH", path, admin, expect=422, json=body)
    assert refused["details"]["errors"][0]["path"] == "scheduled_until"
    world.clock.forward(minutes=61)
    await turn(world)
    refused = await world.call("PATCH", path, admin, expect=409, json=body)
    assert refused["code"] == "MAINTENANCE_BEGUN"


async def test_an_outage_during_maintenance_is_an_outage(world: World) -> None:
    admin = await world.admin()
    component = await a_component(world, admin)
    await announce(world, admin, component)
    world.clock.forward(minutes=61)
    await turn(world)
    incident = await world.declare(admin)
    await publish(world, admin, incident, components=hitting("major_outage", component))
    assert await status_of(world, component) == "major_outage"
    body = {"public_update": {"body": "Mended."}}
    await world.act(admin, incident["id"], "resolve", json=body)
    assert await status_of(world, component) == "under_maintenance"


async def test_what_is_withdrawn_leaves_nothing_behind(world: World) -> None:
    admin = await world.admin()
    component = await a_component(world, admin)
    made = await announce(world, admin, component)
    world.clock.forward(minutes=61)
    await turn(world)
    await world.call("DELETE", f"{MAINTENANCES}/{made['id']}", admin, expect=204)
    assert await status_of(world, component) == "operational"
    await world.call("GET", f"/v1/public/maintenances/{made['code']}", expect=404)
    world.clock.forward(hours=9)
    await turn(world)
    assert (await world.call("GET", "/v1/public/status"))["maintenances"] == []
