"""Pausing paging, and ending the pause."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.api.answers import faulty, refused
from tests.conftest import Clock
from tests.world import Person, World

INCIDENTS = "/v1/incidents"


async def declared(world: World, who: Person) -> tuple[int, str]:
    number: int = (await world.declare(who))["id"]
    return number, f"{INCIDENTS}/{number}/snooze"


async def test_a_snooze_lasts_so_many_minutes(world: World, clock: Clock) -> None:
    ana = await world.person()
    _, path = await declared(world, ana)

    snoozed = await world.call("POST", path, ana, json={"minutes": 30})

    left = datetime.fromisoformat(snoozed["snoozed_until"]) - await clock.now()
    assert timedelta(minutes=29) < left <= timedelta(minutes=30)
    assert snoozed["status"] == "open"
    assert snoozed["revision"] == 2


async def test_a_snooze_lasts_until_a_time_in_any_zone(world: World, clock: Clock) -> None:
    ana = await world.person()
    _, path = await declared(world, ana)
    until = (await clock.now() + timedelta(hours=3)).replace(microsecond=0, tzinfo=None)

    for text in (f"{until.isoformat()}Z", until.isoformat()):
        snoozed = await world.call("POST", path, ana, json={"until": text})
        assert snoozed["snoozed_until"] == f"{until.isoformat()}Z"
    east = (until + timedelta(hours=5, minutes=30)).isoformat() + "+05:30"
    snoozed = await world.call("POST", path, ana, json={"until": east})
    assert snoozed["snoozed_until"] == f"{until.isoformat()}Z"


async def test_nobody_is_paged_before_a_snooze_ends(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(5, "admins")])
    number, path = await declared(world, admin)
    await world.call("POST", path, admin, json={"minutes": 60})

    await world.pass_time(minutes=59)
    assert await world.notifications(admin, number) == []
    await world.pass_time(minutes=2)

    assert len(await world.notifications(admin, number)) == 1
    assert (await world.timeline(admin, number))[-3:] == [
        "snoozed",
        "snooze_ended",
        "escalation_step",
    ]


async def test_ending_a_snooze_lets_paging_go_on_where_it_stood(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(5, "admins")])
    number, path = await declared(world, admin)
    await world.call("POST", path, admin, json={"minutes": 600})

    awake = await world.call("DELETE", path, admin)

    assert awake["snoozed_until"] is None
    await world.pass_time(minutes=4)
    assert await world.notifications(admin, number) == []
    await world.pass_time(minutes=2)
    assert len(await world.notifications(admin, number)) == 1


async def test_ending_a_snooze_that_is_none_changes_nothing(world: World) -> None:
    ana = await world.person()
    number, path = await declared(world, ana)
    before = await world.call("GET", f"{INCIDENTS}/{number}", ana)
    told = await world.timeline(ana, number)
    assert await world.call("DELETE", path, ana) == before
    assert await world.timeline(ana, number) == told


async def test_an_acknowledged_incident_opens_again_when_its_snooze_ends(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    number, path = await declared(world, admin)
    await world.act(admin, number, "acknowledge")
    await world.call("POST", path, admin, json={"minutes": 10})

    await world.pass_time(minutes=11)
    await world.climb()

    shown = await world.call("GET", f"{INCIDENTS}/{number}", admin)
    assert (shown["status"], shown["snoozed_until"]) == ("open", None)
    assert len(await world.notifications(admin, number)) == 1


async def test_a_resolved_incident_cannot_be_snoozed(world: World) -> None:
    ana = await world.person()
    number, path = await declared(world, ana)
    await world.act(ana, number, "resolve")
    await refused(world, "POST", path, ana, 409, "INCIDENT_RESOLVED", json={"minutes": 5})
    assert (await world.call("DELETE", path, ana))["status"] == "resolved"


async def test_resolving_ends_a_snooze(world: World) -> None:
    ana = await world.person()
    number, path = await declared(world, ana)
    await world.call("POST", path, ana, json={"minutes": 5})
    assert (await world.act(ana, number, "resolve"))["snoozed_until"] is None


@pytest.mark.parametrize("minutes", [-60 * 24, -1, 0, 60 * 24 * 30 + 1])
async def test_the_end_lies_in_the_future_and_within_thirty_days(
    world: World, clock: Clock, minutes: float
) -> None:
    ana = await world.person()
    _, path = await declared(world, ana)
    until = (await clock.now() + timedelta(minutes=minutes)).isoformat()
    details = await refused(world, "POST", path, ana, 422, "INVALID_INPUT", json={"until": until})
    assert details == {"field": "until"}


FAULTY: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"until": None}, ""),
    ({"minutes": 5, "until": "2100-01-01T00:00:00Z"}, ""),
    ({"minutes": 0}, "minutes"),
    ({"minutes": -5}, "minutes"),
    ({"minutes": 30 * 24 * 60 + 1}, "minutes"),
    ({"minutes": "soon"}, "minutes"),
    ({"until": "tomorrow"}, "until"),
    ({"until": "2026-02-30T00:00:00Z"}, "until"),
    ({"until": "9999-12-31T23:59:59-23:59"}, "until"),
    ({"until": "0001-01-01T00:00:00+23:00"}, "until"),
    ({"until": 1e300}, "until"),
    ({"for": "5m"}, "for"),
]


async def test_a_faulty_snooze_is_told_where_it_is_wrong(world: World) -> None:
    ana = await world.person()
    _, path = await declared(world, ana)
    for body, where in FAULTY:
        faults = await faulty(world, "POST", path, ana, json=body)
        assert where in faults, body


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
async def test_a_snooze_needs_a_real_number(world: World, number: bytes) -> None:
    ana = await world.person()
    _, path = await declared(world, ana)
    sent = {"content": b'{"minutes": %b}' % number, "headers": {"Content-Type": "application/json"}}
    assert set(await faulty(world, "POST", path, ana, **sent)) == {"minutes"}
