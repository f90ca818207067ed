"""Calling for people by hand: the answers, the refusals, and what the timeline says.

Who is paged when in the end is told in the stories (`tests/stories/test_by_hand.py`).
"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.api.answers import faulty, refused
from tests.conftest import Clock
from tests.world import Person, World

INCIDENTS = "/v1/incidents"


async def runs(world: World, who: Person, number: int) -> dict[str, dict[str, Any]]:
    """The incident's latest escalation of each policy, by its name."""
    found = await world.call("GET", f"{INCIDENTS}/{number}/escalation", who)
    return {run["policy_name"]: run for run in found["escalations"]}


async def last_entry(world: World, who: Person, number: int) -> dict[str, Any]:
    found = await world.call("GET", f"{INCIDENTS}/{number}/timeline", who)
    entry: dict[str, Any] = found["items"][-1]
    return entry


async def start(world: World, who: Person, number: int, policy_id: int) -> dict[str, Any]:
    body = {"policy_id": policy_id}
    answer: dict[str, Any] = await world.act(who, number, "escalations", expect=201, json=body)
    return answer


async def idle_policy(world: World, admin: Person, **fields: Any) -> int:
    """A policy that no incident of these tests matches."""
    body = {"name": "By hand", "conditions": {"service": "nothing"}, **fields}
    policy = await world.policy(admin, [(5, "admins")], **body)
    return int(policy["id"])


# --- What comes next comes now ----------------------------------------------------------


async def test_what_comes_next_of_every_policy_is_due_now(world: World, clock: Clock) -> None:
    admin = await world.admin()
    ana = await world.person(full_name="Ana")
    for name in ("One", "Two"):
        await world.policy(admin, [(5, "admins"), (5, "admins")], name=name)
    number = (await world.declare(admin))["id"]

    answer = await world.act(ana, number, "escalate")

    assert answer["status"] == "open"
    found = await runs(world, admin, number)
    for run in found.values():
        assert datetime.fromisoformat(run["next_step_at"]) <= await clock.now()
    entry = await last_entry(world, admin, number)
    assert entry["event_type"] == "escalated"
    assert entry["description"] == "Ana escalated it."
    assert entry["user_id"] == ana.id
    assert entry["metadata"] == {"escalations": [run["id"] for run in found.values()]}


async def test_one_of_them_can_be_chosen(world: World, clock: Clock) -> None:
    admin = await world.admin()
    for name in ("One", "Two"):
        await world.policy(admin, [(5, "admins")], name=name)
    number = (await world.declare(admin))["id"]
    before = await runs(world, admin, number)

    body = {"escalation_id": before["Two"]["id"]}
    await world.act(admin, number, "escalate", json=body)

    after = await runs(world, admin, number)
    assert after["One"] == before["One"]
    assert datetime.fromisoformat(after["Two"]["next_step_at"]) <= await clock.now()


@pytest.mark.parametrize("kw", [{}, {"json": {}}, {"json": {"escalation_id": None}}])
async def test_the_body_may_be_left_out(world: World, kw: dict[str, Any]) -> None:
    admin = await world.admin()
    number = (await world.declare(admin))["id"]
    await world.act(admin, number, "escalate", **kw)


async def test_a_faulty_body_is_told_where_it_is_wrong(world: World) -> None:
    admin = await world.admin()
    number = (await world.declare(admin))["id"]
    path = f"{INCIDENTS}/{number}"
    for body, where in (({"escalation_id": 0}, "escalation_id"), ({"all": True}, "all")):
        assert where in await faulty(world, "POST", f"{path}/escalate", admin, json=body)
    for empty in ({}, {"policy_id": None}, {"policy_id": "Primary"}):
        assert set(await faulty(world, "POST", f"{path}/escalations", admin, json=empty)) == {
            "policy_id"
        }


async def test_another_incidents_escalation_is_not_found(world: World) -> None:
    admin = await world.admin()
    number, other = [(await world.declare(admin))["id"] for _ in range(2)]
    stranger = (await runs(world, admin, other))["fallback"]["id"]
    for unknown in (stranger, 999_999):
        path = f"{INCIDENTS}/{number}"
        body = {"escalation_id": unknown}
        await refused(
            world, "POST", f"{path}/escalate", admin, 404, "ESCALATION_NOT_FOUND", json=body
        )
        there = f"{path}/escalations/{unknown}/cancel"
        await refused(world, "POST", there, admin, 404, "ESCALATION_NOT_FOUND")


async def test_nothing_more_comes_of_an_escalation_that_is_over(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(5, "admins")])
    number = (await world.declare(admin))["id"]
    run = (await runs(world, admin, number))["Primary"]["id"]
    await world.act(admin, number, f"escalations/{run}/cancel")
    before = await world.timeline(admin, number)

    path = f"{INCIDENTS}/{number}/escalate"
    body = {"escalation_id": run}
    details = await refused(world, "POST", path, admin, 409, "ESCALATION_OVER", json=body)

    assert details == {"status": "cancelled"}
    assert await world.timeline(admin, number) == before


async def test_a_resolved_incident_calls_nobody(world: World) -> None:
    admin = await world.admin()
    policy = await idle_policy(world, admin)
    number = (await world.declare(admin))["id"]
    await world.act(admin, number, "resolve")
    path = f"{INCIDENTS}/{number}"
    await refused(world, "POST", f"{path}/escalate", admin, 409, "INCIDENT_RESOLVED")
    body = {"policy_id": policy}
    await refused(world, "POST", f"{path}/escalations", admin, 409, "INCIDENT_RESOLVED", json=body)
    assert (await world.timeline(admin, number))[-1] == "resolved"


async def test_an_acknowledged_incident_opens_again(world: World) -> None:
    admin = await world.admin()
    ana = await world.person(full_name="Ana")
    await world.policy(admin, [(5, "admins")])
    number = (await world.declare(admin))["id"]
    await world.act(ana, number, "acknowledge")

    opened = await world.act(ana, number, "escalate")

    assert (opened["status"], opened["acknowledged_at"]) == ("open", None)
    assert opened["assigned_to"] == ana.id  # it stays in their hands
    entry = await last_entry(world, admin, number)
    assert entry["description"] == "Ana escalated it. It is open again."
    assert (await runs(world, admin, number))["Primary"]["status"] == "active"


@pytest.mark.parametrize("is_acknowledged", [False, True])
async def test_a_snooze_ends(world: World, clock: Clock, *, is_acknowledged: bool) -> None:
    admin = await world.admin()
    for name in ("One", "Two"):
        await world.policy(admin, [(5, "admins")], name=name)
    number = (await world.declare(admin))["id"]
    if is_acknowledged:
        await world.act(admin, number, "acknowledge")
    await world.act(admin, number, "snooze", json={"minutes": 600})

    body = {"escalation_id": (await runs(world, admin, number))["One"]["id"]}
    awake = await world.act(admin, number, "escalate", json=body)

    assert (awake["status"], awake["snoozed_until"]) == ("open", None)
    assert "The snooze is over." in (await last_entry(world, admin, number))["description"]
    found = await runs(world, admin, number)
    assert datetime.fromisoformat(found["One"]["next_step_at"]) <= await clock.now()
    # The other one goes on in its own time, not when the snooze would have ended.
    left = datetime.fromisoformat(found["Two"]["next_step_at"]) - await clock.now()
    assert timedelta(minutes=4) < left <= timedelta(minutes=5)


async def test_with_nothing_at_work_the_fallback_starts(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(5, "admins")])
    number = (await world.declare(admin))["id"]
    run = (await runs(world, admin, number))["Primary"]["id"]
    await world.act(admin, number, f"escalations/{run}/cancel")

    await world.act(admin, number, "escalate")

    assert (await runs(world, admin, number))["fallback"]["status"] == "active"
    assert (await world.timeline(admin, number))[-2:] == ["escalated", "escalation_started"]
    entry = await last_entry(world, admin, number)
    assert entry["description"] == "No policy is at work any more; paging the fallback."
    await world.climb()
    assert len(await world.notifications(admin, number)) == 1


# --- Another policy ---------------------------------------------------------------------


async def test_a_policy_starts_by_hand_whatever_its_conditions_say(
    world: World, clock: Clock
) -> None:
    admin = await world.admin()
    ana = await world.person(full_name="Ana")
    policy = await idle_policy(world, admin)
    number = (await world.declare(admin))["id"]

    run = await start(world, ana, number, policy)

    assert (run["policy_id"], run["status"], run["loop"]) == (policy, "active", 0)
    assert (run["next_step"], run["is_fallback"]) == (0, False)
    left = datetime.fromisoformat(run["next_step_at"]) - await clock.now()
    assert timedelta(minutes=4) < left <= timedelta(minutes=5)
    assert (await runs(world, admin, number))["By hand"] == run
    entry = await last_entry(world, admin, number)
    assert entry["description"] == "Ana put policy “By hand” to work."
    assert (entry["event_type"], entry["user_id"]) == ("escalated", ana.id)
    assert entry["metadata"] == {"started": run["id"], "policy_id": policy}


async def test_a_policy_runs_once_at_a_time(world: World) -> None:
    admin = await world.admin()
    policy = await idle_policy(world, admin)
    number = (await world.declare(admin))["id"]
    first = await start(world, admin, number, policy)
    path = f"{INCIDENTS}/{number}/escalations"
    body = {"policy_id": policy}
    details = await refused(world, "POST", path, admin, 409, "ALREADY_RUNNING", json=body)
    assert details == {"escalation_id": first["id"]}

    await world.act(admin, number, f"escalations/{first['id']}/cancel")
    assert (await start(world, admin, number, policy))["id"] != first["id"]


async def test_a_refused_start_leaves_an_acknowledged_incident_in_peace(world: World) -> None:
    admin = await world.admin()
    policy = await world.policy(admin, [(5, "admins")])
    number = (await world.declare(admin))["id"]
    before = await world.act(admin, number, "acknowledge")
    path = f"{INCIDENTS}/{number}/escalations"
    body = {"policy_id": policy["id"]}
    await refused(world, "POST", path, admin, 409, "ALREADY_RUNNING", json=body)
    assert await world.call("GET", f"{INCIDENTS}/{number}", admin) == before


async def test_a_policy_that_is_off_or_not_there_does_not_start(world: World) -> None:
    admin = await world.admin()
    policy = await idle_policy(world, admin, is_active=False)
    number = (await world.declare(admin))["id"]
    path = f"{INCIDENTS}/{number}/escalations"
    body = {"policy_id": policy}
    await refused(world, "POST", path, admin, 409, "POLICY_INACTIVE", json=body)
    await refused(
        world, "POST", path, admin, 404, "POLICY_NOT_FOUND", json={"policy_id": policy + 1}
    )


async def test_a_policy_started_by_hand_opens_what_was_acknowledged_and_snoozed(
    world: World,
) -> None:
    admin = await world.admin()
    policy = await idle_policy(world, admin)
    number = (await world.declare(admin))["id"]
    await world.act(admin, number, "acknowledge")
    await world.act(admin, number, "snooze", json={"minutes": 60})

    await start(world, admin, number, policy)

    opened = await world.call("GET", f"{INCIDENTS}/{number}", admin)
    assert (opened["status"], opened["snoozed_until"]) == ("open", None)
    said = (await last_entry(world, admin, number))["description"]
    assert said.endswith("to work. It is open again. The snooze is over.")


async def test_what_was_started_by_hand_outlives_a_change_of_severity(world: World) -> None:
    admin = await world.admin()
    policy = await idle_policy(world, admin)
    await world.policy(admin, [(5, "admins")], conditions={"severity": "high"})
    number = (await world.declare(admin))["id"]
    await start(world, admin, number, policy)

    await world.call("PATCH", f"{INCIDENTS}/{number}", admin, json={"severity": "low"})

    found = await runs(world, admin, number)
    assert {name: run["status"] for name, run in found.items()} == {
        "Primary": "cancelled",
        "By hand": "active",
    }


# --- Stopping one -----------------------------------------------------------------------


async def test_one_policy_is_stopped_and_the_others_go_on(world: World) -> None:
    admin = await world.admin()
    ana = await world.person(full_name="Ana")
    for name in ("One", "Two"):
        await world.policy(admin, [(0, "admins"), (5, "admins")], name=name)
    number = (await world.declare(admin))["id"]
    await world.climb()
    before = await runs(world, admin, number)

    stopped = await world.act(ana, number, f"escalations/{before['One']['id']}/cancel")

    assert (stopped["status"], stopped["next_step_at"]) == ("cancelled", None)
    assert stopped["finished_at"] is not None
    assert await runs(world, admin, number) == {**before, "One": stopped}
    states = {
        page["escalation_id"]: page["status"] for page in await world.notifications(admin, number)
    }
    assert states == {before["One"]["id"]: "cancelled", before["Two"]["id"]: "pending"}
    entry = await last_entry(world, admin, number)
    assert (entry["event_type"], entry["user_id"]) == ("escalation_cancelled", ana.id)
    assert entry["description"] == "Ana stopped “One”."

    again = await world.act(ana, number, f"escalations/{stopped['id']}/cancel")
    assert again == stopped
    assert await last_entry(world, admin, number) == entry


async def test_stopping_the_last_one_says_that_nothing_pages_any_more(world: World) -> None:
    admin = await world.admin()
    number = (await world.declare(admin))["id"]
    run = (await runs(world, admin, number))["fallback"]["id"]
    await world.act(admin, number, f"escalations/{run}/cancel")
    said = (await last_entry(world, admin, number))["description"]
    assert said == (
        "admin@example.org stopped the fallback. Nothing pages for this incident any more."
    )
