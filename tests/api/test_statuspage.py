"""`/api/v2/…` and `/v1/public/…`: shapes that other programs know, tags, and who may read them."""

from typing import Any

import pytest

from tests.api.publishing import (
    COMPONENTS,
    PAGE,
    V2,
    a_component,
    a_group,
    announce,
    hitting,
    post,
    publish,
    turn,
)
from tests.world import World

FILES = {
    "summary": {"page", "components", "incidents", "scheduled_maintenances", "status"},
    "status": {"page", "status"},
    "components": {"page", "components"},
    "incidents": {"page", "incidents"},
    "incidents/unresolved": {"page", "incidents"},
    "scheduled-maintenances": {"page", "scheduled_maintenances"},
    "scheduled-maintenances/upcoming": {"page", "scheduled_maintenances"},
    "scheduled-maintenances/active": {"page", "scheduled_maintenances"},
}
COMPONENT = {
    *("id", "name", "status", "created_at", "updated_at", "position", "description", "showcase"),
    *("start_date", "group_id", "page_id", "group", "only_show_if_degraded", "components"),
}
INCIDENT = {
    *("id", "name", "status", "created_at", "updated_at", "monitoring_at", "resolved_at"),
    *("impact", "shortlink", "started_at", "page_id", "incident_updates", "components"),
}
UPDATE = {
    *("id", "status", "body", "incident_id", "created_at", "updated_at", "display_at"),
    *("affected_components", "deliver_notifications"),
}


async def read(world: World, name: str) -> Any:
    return await world.call("GET", f"{V2}/{name}.json")


async def test_an_untouched_page_is_well(world: World) -> None:
    for name, parts in FILES.items():
        told = await read(world, name)
        assert set(told) == parts, name
        assert set(told["page"]) == {"id", "name", "url", "time_zone", "updated_at"}
    status = (await read(world, "status"))["status"]
    assert status == {"indicator": "none", "description": "All Systems Operational"}


async def test_they_tell_what_statuspage_tells(world: World) -> None:
    admin = await world.admin()
    group = await a_group(world, admin)
    shop = await a_component(world, admin, group_id=group["id"], only_show_if_degraded=True)
    mail = await a_component(world, admin, "Mail")
    incident = await world.declare(admin)
    made = await publish(
        world, admin, incident, impact="critical", components=hitting("major_outage", shop)
    )
    await post(world, admin, incident, status="monitoring", body="Mended, we watch.")
    works = await announce(world, admin, mail)
    over = await world.declare(admin)
    await publish(world, admin, over, title="Long over", status="resolved")

    told = await read(world, "summary")
    assert told["status"] == {"indicator": "critical", "description": "Major Service Outage"}
    named = {one["name"]: one for one in told["components"]}
    assert all(set(one) == COMPONENT for one in named.values())
    assert (named["Shop"]["group"], named["Shop"]["components"]) == (True, [str(shop["id"])])
    assert named["Checkout"]["group_id"] == named["Shop"]["id"]
    assert named["Checkout"]["status"] == named["Shop"]["status"] == "major_outage"
    assert named["Mail"]["group_id"] is None
    [shown] = told["incidents"]
    assert set(shown) == INCIDENT
    assert (shown["id"], shown["status"], shown["impact"]) == (
        made["code"],
        "monitoring",
        "critical",
    )
    assert shown["shortlink"].endswith(f"/status/incidents/{made['code']}")
    assert [one["status"] for one in shown["incident_updates"]] == ["monitoring", "investigating"]
    assert all(set(one) == UPDATE for one in shown["incident_updates"])
    assert shown["incident_updates"][1]["affected_components"] == [
        {
            "code": str(shop["id"]),
            "name": "Checkout",
            "old_status": "operational",
            "new_status": "major_outage",
        }
    ]
    [planned] = told["scheduled_maintenances"]
    assert set(planned) == INCIDENT | {"scheduled_for", "scheduled_until"}
    assert (planned["id"], planned["impact"], planned["status"]) == (
        works["code"],
        "maintenance",
        "scheduled",
    )

    names = [one["name"] for one in (await read(world, "incidents"))["incidents"]]
    assert sorted(names) == ["Checkout is slow", "Long over"]
    unresolved = (await read(world, "incidents/unresolved"))["incidents"]
    assert [one["name"] for one in unresolved] == ["Checkout is slow"]
    key = "scheduled_maintenances"
    assert len((await read(world, "scheduled-maintenances/upcoming"))[key]) == 1
    assert (await read(world, "scheduled-maintenances/active"))[key] == []
    world.clock.forward(minutes=61)
    await turn(world)
    assert (await read(world, "scheduled-maintenances/upcoming"))[key] == []
    [active] = (await read(world, "scheduled-maintenances/active"))[key]
    assert active["status"] == "in_progress"


@pytest.mark.parametrize("path", ["/v1/public/status", "/v1/public/uptime", f"{V2}/summary.json"])
async def test_whoever_has_it_is_not_sent_it_again(world: World, path: str) -> None:
    admin = await world.admin()
    component = await a_component(world, admin)
    first = await world.client.get(path)
    assert first.headers["Cache-Control"].startswith("public, max-age=")
    assert first.headers["Access-Control-Allow-Origin"] == "*"
    tag = {"If-None-Match": first.headers["ETag"]}
    again = await world.client.get(path, headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    head = await world.client.head(path)
    assert (head.status_code, head.headers["ETag"]) == (200, first.headers["ETag"])
    body = {"status": "major_outage"}
    await world.call("PATCH", f"{COMPONENTS}/{component['id']}", admin, json=body)
    changed = await world.client.get(path, headers=tag)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


async def test_a_crowd_is_answered_from_one_copy(world: World) -> None:
    """What nobody announced is not seen before the copy is a minute old."""
    admin = await world.admin()
    await a_component(world, admin)
    assert "Checkout" in (await world.client.get("/v1/public/status")).text
    await world.sql("UPDATE status_components SET name = 'Behind our back'")
    assert "Behind our back" not in (await world.client.get("/v1/public/status")).text
    world.clock.forward(minutes=1)
    assert "Behind our back" in (await world.client.get("/v1/public/status")).text


async def test_a_month_is_one_on_the_pages_clock(world: World) -> None:
    admin = await world.admin()
    await world.call("PATCH", PAGE, admin, json={"time_zone": "Asia/Tokyo"})
    for at in ("2026-09-30T14:59:59Z", "2026-09-30T15:00:00Z", "2026-10-31T15:00:00Z"):
        await publish(world, admin, await world.declare(admin), title=at, started_at=at)
    path = "/v1/public/incidents?month="
    october = await world.call("GET", f"{path}2026-10")
    assert [one["title"] for one in october["items"]] == ["2026-09-30T15:00:00Z"]
    refused = await world.call("GET", f"{path}0000-01", expect=422)
    assert refused["code"] in ("INVALID_INPUT", "VALIDATION_ERROR")
    await world.call("GET", f"{path}2026-13", expect=422)


async def test_the_history_is_read_by_cursor_and_nothing_comes_twice(world: World) -> None:
    admin = await world.admin()
    for number in range(5):
        await publish(world, admin, await world.declare(admin), title=f"Number {number}")
    found, query = [], "per_page=2"
    while True:
        page = await world.call("GET", f"/v1/public/incidents?{query}")
        found += [one["title"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        query = f"per_page=2&cursor={page['next_cursor']}"
    assert sorted(found) == [f"Number {number}" for number in range(5)]


async def test_errors_come_in_the_envelope(world: World) -> None:
    for path in ("/v1/public/incidents/nothing", f"{V2}/nothing.json"):
        refused = await world.call("GET", path, expect=404)
        assert set(refused) == {"code", "message", "request_id", "details"}
