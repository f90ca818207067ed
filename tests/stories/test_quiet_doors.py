"""Waiting, as people set it up and look at it: over the API, and rehearsed."""

from datetime import timedelta
from typing import Any

import pytest

from tests.stories.maintained import BERLIN_HOURS, LOW, ask_again, pages, put_clock
from tests.world import Person, World

WINDOWS = "/v1/maintenance-windows"
FRIDAY_NIGHT = "2027-01-29T22:00:00Z"


@pytest.fixture
async def admin(world: World) -> Person:
    made = await world.admin()
    await world.policy(made, [(0, "admins")], final_delay_minutes=600)
    return made


async def catalogued(world: World, admin: Person, **fields: Any) -> dict[str, Any]:
    body = {"name": "database", **fields}
    made: dict[str, Any] = await world.call("POST", "/v1/services", admin, expect=201, json=body)
    return made


async def planned(world: World, admin: Person, service: dict[str, Any]) -> str:
    """The address of a window that is on for two hours."""
    ends_at = await world.clock.now() + timedelta(hours=2)
    body = {
        "title": "New disks",
        "ends_at": ends_at.isoformat(),
        "service_ids": [service["id"]],
    }
    made = await world.call("POST", WINDOWS, admin, expect=201, json=body)
    return f"{WINDOWS}/{made['id']}"


async def simulated(world: World, admin: Person, **question: Any) -> dict[str, Any]:
    incident = {"severity": "low", "service": "database"}
    answer: dict[str, Any] = await world.call(
        "POST", "/v1/escalation/simulate", admin, json={"incident": incident, **question}
    )
    return answer


async def test_a_window_that_somebody_ends_pages_what_waited(world: World, admin: Person) -> None:
    window = await planned(world, admin, await catalogued(world, admin))
    incident = await world.declare(admin)
    path = f"/v1/incidents/{incident['id']}/escalation"
    [waiting] = (await world.call("GET", path, admin))["escalations"]
    assert waiting["waits_for"] == "maintenance"
    assert waiting["waits_until"] == waiting["next_step_at"]
    await world.call("POST", f"{window}/end", admin)
    await ask_again(world)
    assert len(await pages(world, admin, incident["id"])) == 1
    [paging] = (await world.call("GET", path, admin))["escalations"]
    assert (paging["waits_for"], paging["waits_until"]) == (None, None)


async def test_a_service_that_leaves_a_window_pages_what_waited(
    world: World, admin: Person
) -> None:
    window = await planned(world, admin, await catalogued(world, admin))
    other = await catalogued(world, admin, name="website")
    incident = await world.declare(admin)
    await world.call("PATCH", window, admin, json={"service_ids": [other["id"]]})
    await ask_again(world)
    assert len(await pages(world, admin, incident["id"])) == 1


@pytest.mark.parametrize(
    "change", [{"urgency": {}}, {"support_hours": None}, {"name": "databases"}]
)
async def test_a_service_that_keeps_nobody_waiting_any_more_pages_what_waited(
    world: World, admin: Person, change: dict[str, Any]
) -> None:
    made = await catalogued(world, admin, urgency=LOW, support_hours=BERLIN_HOURS)
    await put_clock(world, FRIDAY_NIGHT)
    incident = await world.declare(admin, severity="low")
    await world.climb()
    assert await pages(world, admin, incident["id"]) == []
    await world.call("PATCH", f"/v1/services/{made['id']}", admin, json=change)
    await ask_again(world)
    assert len(await pages(world, admin, incident["id"])) == 1


async def test_a_service_that_is_deleted_keeps_nobody_waiting(world: World, admin: Person) -> None:
    made = await catalogued(world, admin, urgency=LOW, support_hours=BERLIN_HOURS)
    await put_clock(world, FRIDAY_NIGHT)
    incident = await world.declare(admin, severity="low")
    await world.call("DELETE", f"/v1/services/{made['id']}", admin, expect=204)
    await ask_again(world)
    assert len(await pages(world, admin, incident["id"])) == 1


async def test_a_rehearsal_waits_for_the_morning_too(world: World, admin: Person) -> None:
    await catalogued(world, admin, urgency=LOW, support_hours=BERLIN_HOURS)
    answer = await simulated(world, admin, at=FRIDAY_NIGHT)
    lines = [(line["action"], line["at"]) for line in answer["lines"]]
    assert ("paging_waits", FRIDAY_NIGHT) in lines
    assert next(at for action, at in lines if action == "page") == "2027-02-01T08:00:00Z"


async def test_a_rehearsal_of_what_waits_goes_on_as_it_stands(world: World, admin: Person) -> None:
    await catalogued(world, admin, urgency=LOW, support_hours=BERLIN_HOURS)
    await put_clock(world, FRIDAY_NIGHT)
    incident = await world.declare(admin, severity="low")
    answer = await world.call(
        "POST", "/v1/escalation/simulate", admin, json={"incident_id": incident["id"]}
    )
    lines = [(line["action"], line["at"]) for line in answer["lines"]]
    assert next(at for action, at in lines if action == "page") == "2027-02-01T08:00:00Z"


async def test_a_rehearsal_says_that_a_pinned_policy_matches(world: World, admin: Person) -> None:
    never = {"severity": "critical"}
    pinned = await world.policy(admin, [(0, "admins")], name="Pinned", conditions=never)
    await catalogued(world, admin, policy_id=pinned["id"])
    answer = await simulated(world, admin)
    assert {one["name"]: one["matches"] for one in answer["policies"]} == {
        "Pinned": True,
        "Primary": True,
    }
    paging = {line["policy"] for line in answer["lines"] if line["action"] == "page"}
    assert paging >= {"Pinned", "Primary"}
