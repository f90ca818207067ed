"""Components: who says how they are, what is kept of it, and what the page makes of it."""

import asyncio
from typing import Any

from app.db.session import transaction_time
from app.domain.status_component import ComponentStatus
from app.domain.user import Role
from app.services import status_component
from tests.api.catalogue import a_service
from tests.api.publishing import (
    COMPONENTS,
    GROUPS,
    a_component,
    a_group,
    hitting,
    post,
    publish,
    status_of,
)
from tests.world import World


async def spells(world: World, component: Any) -> list[Any]:
    return await world.sql(
        "SELECT status, starts_at, ends_at FROM component_spells WHERE component_id = :id"
        " ORDER BY starts_at",
        id=component["id"],
    )


async def test_the_worst_of_what_speaks_for_it_is_shown(world: World) -> None:
    admin = await world.admin()
    component = await a_component(world, admin)
    path = f"{COMPONENTS}/{component['id']}"
    first, second = await world.declare(admin), await world.declare(admin)
    await publish(world, admin, first, components=hitting("partial_outage", component))
    await publish(world, admin, second, components=hitting("major_outage", component))
    assert await status_of(world, component) == "major_outage"
    await world.call("PATCH", path, admin, json={"status": "operational"})
    assert await status_of(world, component) == "major_outage"
    await post(world, admin, second, status="resolved")
    assert await status_of(world, component) == "partial_outage"
    read = await world.call("PATCH", path, admin, json={"status": "degraded_performance"})
    assert (read["status"], read["set_status"]) == ("partial_outage", "degraded_performance")
    await post(world, admin, first, components=hitting("operational", component))
    assert await status_of(world, component) == "degraded_performance"


async def test_its_history_has_no_gap_and_no_overlap(world: World) -> None:
    admin = await world.admin()
    component = await a_component(world, admin)
    path = f"{COMPONENTS}/{component['id']}"
    for status in ("major_outage", "degraded_performance", "operational"):
        world.clock.forward(hours=1)
        await world.call("PATCH", path, admin, json={"status": status})
    found = await spells(world, component)
    assert [row.status for row in found] == [
        "operational",
        "major_outage",
        "degraded_performance",
        "operational",
    ]
    for i, row in enumerate(found[:-1]):
        assert row.ends_at == found[i + 1].starts_at
    assert found[-1].ends_at is None
    uptimes = await world.call("GET", "/v1/public/uptime")
    [mine] = uptimes["components"]
    assert sum(day["minutes"].get("major_outage", 0) for day in mine["days"]) == 60
    # An hour of three was down; the one that was slow counts as up.
    assert 66.6 <= mine["uptime"] <= 66.7


async def test_those_who_change_it_at_once_leave_one_history(world: World) -> None:
    admin = await world.admin()
    component = await a_component(world, admin)
    path = f"{COMPONENTS}/{component['id']}"
    words = ["major_outage", "partial_outage", "degraded_performance", "operational"] * 3
    [before] = await world.sql("SELECT version FROM status_pages")
    answers = await asyncio.gather(
        *(world.client.patch(path, json={"status": word}, headers=admin.headers) for word in words)
    )
    assert {answer.status_code for answer in answers} == {200}
    [after] = await world.sql("SELECT version FROM status_pages")
    assert after.version == before.version + len(words)
    found = await spells(world, component)
    for i, row in enumerate(found[:-1]):
        assert row.ends_at == found[i + 1].starts_at
    now = await world.call("GET", path, admin)
    assert found[-1].ends_at is None
    assert found[-1].status == now["status"]


async def test_what_is_well_may_stay_out_of_sight(world: World) -> None:
    admin = await world.admin()
    component = await a_component(world, admin, only_show_if_degraded=True)
    shown = await world.call("GET", "/v1/public/status")
    assert shown["groups"] == []
    path = f"{COMPONENTS}/{component['id']}"
    await world.call("PATCH", path, admin, json={"status": "partial_outage"})
    assert await status_of(world, component) == "partial_outage"


async def test_responders_set_the_status_and_nothing_else(world: World) -> None:
    admin, ana = await world.admin(), await world.person(role=Role.RESPONDER)
    component = await a_component(world, admin)
    path = f"{COMPONENTS}/{component['id']}"
    await world.call("PATCH", path, ana, json={"status": "partial_outage"})
    for body in ({"name": "x"}, {"status": "operational", "service_id": None}):
        refused = await world.call("PATCH", path, ana, expect=403, json=body)
        assert refused["code"] == "FORBIDDEN"


async def test_a_change_by_hand_is_told_to_subscribers_once(world: World) -> None:
    admin = await world.admin()
    component = await a_component(world, admin)
    path = f"{COMPONENTS}/{component['id']}"
    for _ in range(2):
        await world.call("PATCH", path, admin, json={"status": "partial_outage"})
    told = await world.sql("SELECT kind, component_id FROM public_notices")
    assert [tuple(row) for row in told] == [("component_status_changed", component["id"])]


async def test_the_public_never_learns_of_the_service_behind_it(world: World) -> None:
    admin = await world.admin()
    service = await a_service(world, admin, "internal-checkout-db")
    await a_component(world, admin, service_id=service["id"])
    for path in ("/v1/public/status", "/v1/public/components", "/api/v2/components.json"):
        told = (await world.client.get(path)).text
        assert "internal-checkout-db" not in told
        assert "service_id" not in told


async def test_a_group_that_goes_leaves_its_components(world: World) -> None:
    admin = await world.admin()
    group = await a_group(world, admin)
    component = await a_component(world, admin, group_id=group["id"])
    await world.call("DELETE", f"{GROUPS}/{group['id']}", admin, expect=204)
    path = f"{COMPONENTS}/{component['id']}"
    assert (await world.call("GET", path, admin))["group_id"] is None
    await world.call("DELETE", path, admin, expect=204)
    await world.call("GET", path, admin, expect=404)
    assert (await world.call("GET", "/v1/public/status"))["groups"] == []
    refused = await world.call(
        "POST", COMPONENTS, admin, expect=422, json={"name": "x", "group_id": group["id"]}
    )
    assert refused["details"]["errors"][0]["path"] == "group_id"


async def test_nobody_overwrites_what_they_have_not_seen(world: World) -> None:
    admin = await world.admin()
    component = await a_component(world, admin)
    path = f"{COMPONENTS}/{component['id']}"
    read = await world.client.get(path, headers=admin.headers)
    seen = {"If-Match": read.headers["ETag"]}
    await world.call("PATCH", path, admin, json={"name": "Pay"}, headers=seen)
    refused = await world.call(
        "PATCH", path, admin, expect=412, json={"name": "Paying"}, headers=seen
    )
    assert refused["details"]["current"]["name"] == "Pay"


async def test_the_pages_clock_never_goes_back(world: World) -> None:
    """A transaction's time is when it began; who waited for the page acts after who held it."""
    admin = await world.admin()
    component = await a_component(world, admin)
    path = f"{COMPONENTS}/{component['id']}"
    async with world.database.writing() as session:
        early = await transaction_time(session)
        world.clock.forward(minutes=5)
        await world.call("PATCH", path, admin, json={"status": "major_outage"})
        [before] = await world.sql("SELECT changed_at FROM status_pages")
        fields = {"status": ComponentStatus.PARTIAL_OUTAGE}
        await status_component.update(session, component["id"], fields, now=early)
    [after] = await world.sql("SELECT changed_at FROM status_pages")
    assert early < before.changed_at <= after.changed_at
    assert await status_of(world, component) == "partial_outage"
