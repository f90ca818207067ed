"""A monitor that must be heard of: silence opens an incident that pages, and a ping ends it."""

import pytest

from tests.heartbeats import incidents, listening, look, monitor, pass_time, ping, seen
from tests.world import Person, Scripted, World


@pytest.fixture
async def admin(world: World) -> Person:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    await listening(world)
    return admin


async def test_a_missed_ping_pages_and_the_next_one_resolves(world: World, admin: Person) -> None:
    mail = Scripted()
    made = await monitor(
        world, admin, service="database", severity="critical", description="See the runbook."
    )
    await ping(world, made)
    await pass_time(world, minutes=59)
    assert (await seen(world, admin, made))["state"] == "up"
    await pass_time(world, minutes=10)
    assert (await seen(world, admin, made))["state"] == "late"
    assert await incidents(world, admin) == []

    await pass_time(world, minutes=1)
    [incident] = await incidents(world, admin)
    assert incident["title"] == "“Nightly backup” has not been heard of"
    assert (incident["service"], incident["severity"]) == ("database", "critical")
    assert (incident["source"], incident["labels"]["heartbeat"]) == ("heartbeat", "Nightly backup")
    assert "within 10 minutes" in incident["description"]
    assert incident["description"].endswith("See the runbook.")
    shown = await seen(world, admin, made)
    assert (shown["state"], shown["incident_id"]) == ("down", incident["id"])
    await world.climb()
    await world.deliver(mail)
    assert mail.recipients == ["admin@example.org"]

    await pass_time(world, minutes=5)
    await ping(world, made)
    [incident] = await incidents(world, admin)
    assert incident["status"] == "resolved"
    assert (await world.timeline(admin, incident["id"]))[-1] == "resolved"
    shown = await seen(world, admin, made)
    assert (shown["state"], shown["incident_id"], shown["down_since"]) == ("up", None, None)
    [outage] = (await world.call("GET", f"/v1/heartbeats/{made['id']}/outages", admin))["items"]
    assert (outage["cause"], outage["incident_id"]) == ("missed", incident["id"])
    assert outage["ended_at"] is not None


async def test_whoever_was_never_pinged_waits(world: World, admin: Person) -> None:
    made = await monitor(world, admin)
    await pass_time(world, days=30)
    assert (await seen(world, admin, made))["state"] == "new"
    assert await incidents(world, admin) == []


async def test_an_outage_is_one_incident_until_it_ends(world: World, admin: Person) -> None:
    made = await monitor(world, admin)
    await ping(world, made)
    for _ in range(5):
        await pass_time(world, hours=2)
    assert len(await incidents(world, admin)) == 1
    await ping(world, made)
    await pass_time(world, hours=2)
    assert [one["status"] for one in await incidents(world, admin)] == ["resolved", "open"]


async def test_what_is_resolved_by_hand_and_stays_silent_opens_again(
    world: World, admin: Person
) -> None:
    """After a whole period: whoever resolved it shall not be paged by the next look."""
    made = await monitor(world, admin)
    await ping(world, made)
    await pass_time(world, minutes=71)
    await pass_time(world, minutes=68)
    [first] = await incidents(world, admin)
    await world.act(admin, first["id"], "resolve")
    await pass_time(world, minutes=69)
    assert len(await incidents(world, admin)) == 1
    await pass_time(world, minutes=2)
    [_, second] = await incidents(world, admin)
    assert second["title"] == "“Nightly backup” has still not been heard of"
    await ping(world, made)
    assert {one["status"] for one in await incidents(world, admin)} == {"resolved"}
    outages = (await world.call("GET", f"/v1/heartbeats/{made['id']}/outages", admin))["items"]
    assert [one["incident_id"] for one in outages] == [second["id"]]


async def test_a_failure_opens_at_once_and_its_note_is_told(world: World, admin: Person) -> None:
    made = await monitor(world, admin)
    await ping(world, made, "fail", content="disk full\n")  # the first that is heard of it
    [incident] = await incidents(world, admin)
    assert incident["title"] == "“Nightly backup” reported a failure"
    assert incident["description"] == "disk full"
    await ping(world, made, "3")
    [incident] = await incidents(world, admin)
    assert incident["alert_count"] == 2
    await ping(world, made, "0")
    assert (await incidents(world, admin))[0]["status"] == "resolved"
    assert (await seen(world, admin, made))["state"] == "up"


async def test_a_start_moves_nothing_and_the_end_tells_how_long_it_took(
    world: World, admin: Person
) -> None:
    made = await monitor(world, admin)
    await ping(world, made)
    expected = (await seen(world, admin, made))["misses_at"]
    await pass_time(world, minutes=30)
    await ping(world, made, "start")
    assert (await seen(world, admin, made))["misses_at"] == expected
    await pass_time(world, minutes=12)
    await ping(world, made)
    assert (await seen(world, admin, made))["last_run_seconds"] == pytest.approx(720, abs=60)


async def test_one_that_is_paused_is_not_missed(world: World, admin: Person) -> None:
    made = await monitor(world, admin)
    path = f"/v1/heartbeats/{made['id']}"
    await ping(world, made)
    await world.call("PATCH", path, admin, json={"is_active": False})
    await pass_time(world, days=3)
    await ping(world, made, "fail")
    shown = await seen(world, admin, made)
    assert (shown["state"], shown["misses_at"]) == ("paused", None)
    assert await incidents(world, admin) == []
    await world.call("PATCH", path, admin, json={"is_active": True})
    await pass_time(world, minutes=69)
    assert await incidents(world, admin) == []
    await pass_time(world, minutes=2)
    assert len(await incidents(world, admin)) == 1


async def test_pausing_leaves_an_incident_to_people_and_a_ping_still_ends_it(
    world: World, admin: Person
) -> None:
    made = await monitor(world, admin)
    await ping(world, made)
    await pass_time(world, minutes=71)
    await world.call("PATCH", f"/v1/heartbeats/{made['id']}", admin, json={"is_active": False})
    await pass_time(world, days=1)
    assert [one["status"] for one in await incidents(world, admin)] == ["open"]
    await ping(world, made)
    assert [one["status"] for one in await incidents(world, admin)] == ["resolved"]


async def test_a_shorter_interval_counts_from_the_last_ping_and_leaves_the_grace(
    world: World, admin: Person
) -> None:
    made = await monitor(world, admin, interval_seconds=86_400)
    await ping(world, made)
    await pass_time(world, hours=5)
    path = f"/v1/heartbeats/{made['id']}"
    await world.call("PATCH", path, admin, json={"interval_seconds": 3600})
    await look(world)
    assert await incidents(world, admin) == []
    await pass_time(world, minutes=9)
    assert await incidents(world, admin) == []
    await pass_time(world, minutes=2)
    assert len(await incidents(world, admin)) == 1


async def test_whoever_pings_often_is_missed_in_time_all_the_same(
    world: World, admin: Person
) -> None:
    """The row’s due time is not written with each ping."""
    made = await monitor(world, admin)
    for _ in range(30):
        await ping(world, made)
        await pass_time(world, minutes=4)
    await pass_time(world, minutes=65)
    assert await incidents(world, admin) == []
    await pass_time(world, minutes=2)
    assert len(await incidents(world, admin)) == 1


async def test_a_monitor_that_is_deleted_leaves_its_incident(world: World, admin: Person) -> None:
    made = await monitor(world, admin)
    await ping(world, made)
    await pass_time(world, minutes=71)
    await world.call("DELETE", f"/v1/heartbeats/{made['id']}", admin, expect=204)
    assert [one["status"] for one in await incidents(world, admin)] == ["open"]
    assert (await world.client.get(made["ping"])).status_code == 404
