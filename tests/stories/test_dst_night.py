"""A night on which the clock changes, in three zones: the page goes to whoever has the pager.

Berlin jumps from 02:00 to 03:00, New York has the hour from 01:00 twice, and Lord Howe goes back
by half an hour. Each rota hands over in the middle of that, and an incident is opened at each
minute that matters.
"""

from datetime import UTC, datetime

import pytest

from tests.api.rotas import ids_on_call
from tests.world import Person, Scripted, World

# The zone, its daily hand-off, and what happens: an instant, and who must be paged then.
NIGHTS = {
    "Europe/Berlin": (
        "2027-03-27T02:30",
        [
            ("2027-03-28T00:59:59", "ana"),  # 01:59:59
            ("2027-03-28T01:00:00", "ben"),  # 03:00, the instant of the jump
            ("2027-03-28T01:30:00", "ben"),  # 03:30
            ("2027-03-29T00:29:59", "ben"),  # 02:29:59 on the next day
            ("2027-03-29T00:30:00", "ana"),  # 02:30
        ],
    ),
    "America/New_York": (
        "2027-11-06T01:30",
        [
            ("2027-11-07T05:29:59", "ana"),  # 01:29:59, for the first time
            ("2027-11-07T05:30:00", "ben"),  # 01:30, for the first time: the hand-off
            ("2027-11-07T06:15:00", "ben"),  # 01:15, for the second time
            ("2027-11-07T06:30:00", "ben"),  # 01:30, for the second time: no hand-off
            ("2027-11-08T06:29:59", "ben"),  # 01:29:59 on the next day
            ("2027-11-08T06:30:00", "ana"),
        ],
    ),
    "Australia/Lord_Howe": (
        "2027-04-03T01:45",
        [
            ("2027-04-03T14:44:59", "ana"),  # 01:44:59, for the first time
            ("2027-04-03T14:45:00", "ben"),  # 01:45, for the first time: the hand-off
            ("2027-04-03T15:00:00", "ben"),  # 01:30 again: the clock went back by half an hour
            ("2027-04-03T15:15:00", "ben"),  # 01:45, for the second time
            ("2027-04-04T15:14:59", "ben"),  # 01:44:59 on the next day
            ("2027-04-04T15:15:00", "ana"),
        ],
    ),
}


async def _set_clock(world: World, instant: str) -> None:
    there = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    world.clock.forward(seconds=(there - await world.clock.now()).total_seconds())


async def _rota(world: World, admin: Person, zone: str, handoff: str, people: list[int]) -> int:
    rotation = {"kind": "daily", "handoff": handoff, "participants": people}
    body = {
        "name": zone,
        "time_zone": zone,
        "layers": [{"rotation": rotation}],
        "allow_gaps": True,
    }
    made = await world.call("POST", "/v1/schedules", admin, expect=201, json=body)
    number: int = made["id"]
    return number


@pytest.mark.parametrize("zone", NIGHTS)
async def test_whoever_has_the_pager_is_paged(world: World, zone: str) -> None:
    handoff, moments = NIGHTS[zone]
    admin = await world.admin()
    ana, ben = await world.person("ana@example.org"), await world.person("ben@example.org")
    number = await _rota(world, admin, zone, handoff, [ana.id, ben.id])
    await world.policy(admin, [(0, {"schedule": number})])
    people = {"ana": ana, "ben": ben}
    for instant, name in moments:
        # A second before or after would be somebody else, and the world's own clock runs on.
        await _set_clock(world, instant)
        asked = f"{instant}Z"
        assert await ids_on_call(world, admin, number, at=asked) == [people[name].id], instant
        await _paged(world, admin, instant, people, name)


async def _paged(
    world: World, admin: Person, instant: str, people: dict[str, Person], name: str
) -> None:
    if instant.endswith(":59"):
        # Whoever pages takes longer than the second that is left: some minutes earlier it is.
        world.clock.forward(minutes=-5)
    login = await world.login(admin.id)
    incident = await world.declare(login, title=f"Disk full at {instant}")
    mail = Scripted()
    await world.climb()
    await world.deliver(mail)
    assert mail.recipients == [people[name].email], instant
    await world.act(login, incident["id"], "resolve")


async def test_round_the_clock_nobody_is_missing_and_nobody_too_many(world: World) -> None:
    admin = await world.admin()
    people = [(await world.person(f"p{n}@example.org")).id for n in range(3)]
    for zone, (handoff, _) in NIGHTS.items():
        number = await _rota(world, admin, zone, handoff, people)
        query = {"since": "2027-03-28T00:00:00Z", "until": "2027-12-01T00:00:00Z"}
        login = await world.login(admin.id)
        path = f"/v1/schedules/{number}/shifts"
        shown = await world.call("GET", path, login, params=query)
        begun = f"{handoff[:10]}T00:00:00Z"
        assert [gap for gap in shown["gaps"] if gap["starts_at"] > begun] == [], zone
        assert shown["overlaps"] == [], zone
        ends = [one["ends_at"] for one in shown["final"][:-1]]
        assert ends == [one["starts_at"] for one in shown["final"][1:]], zone
