"""What is of low urgency waits for the morning of its service: deferred, never dropped, never
louder than what is of high urgency. What is critical never waits."""

from datetime import datetime

import pytest

from tests.reaching import methods_of, rules_of
from tests.stories.maintained import (
    BERLIN_HOURS,
    LOW,
    ask_again,
    change,
    pages,
    put_clock,
    service,
    told,
    window,
)
from tests.world import Person, World

FRIDAY_NIGHT = "2027-01-29T23:00:00+01:00"
MONDAY = "2027-02-01T09:00:00+01:00"


@pytest.fixture
async def admin(world: World) -> Person:
    made = await world.admin()
    await world.policy(made, [(0, "admins"), (5, "admins")])
    return made


@pytest.fixture
async def office(world: World, admin: Person) -> int:
    """A service whose people work on weekdays in Berlin, on a Friday night."""
    made = await service(world, urgency=LOW, support_hours=BERLIN_HOURS)
    await put_clock(world, FRIDAY_NIGHT)
    return made


async def test_what_is_of_low_urgency_pages_on_monday_at_nine(
    world: World, admin: Person, office: int
) -> None:
    incident = await world.declare(admin, severity="low")
    number = incident["id"]
    [story] = await told(world, admin, number, "paging_waits")
    assert story.endswith("paging waits until Monday 09:00 Europe/Berlin.")
    await world.pass_time(hours=24)
    assert await pages(world, admin, number) == []
    await put_clock(world, "2027-02-01T08:59:59+01:00")
    await world.climb()
    assert await pages(world, admin, number) == []
    await put_clock(world, MONDAY)
    await world.climb()
    assert await pages(world, admin, number) == [datetime.fromisoformat(MONDAY)]
    await world.pass_time(minutes=5)
    assert len(await pages(world, admin, number)) == 2


@pytest.mark.parametrize("severity", ["high", "critical"])
async def test_what_is_of_high_urgency_pages_at_night(
    world: World, admin: Person, office: int, severity: str
) -> None:
    incident = await world.declare(admin, severity=severity)
    await world.climb()
    assert len(await pages(world, admin, incident["id"])) == 1


async def test_what_is_critical_never_waits_whatever_is_written_down(
    world: World, admin: Person
) -> None:
    hours = {"time_zone": "UTC", "hours": [{"since": "09:00", "until": "10:00", "days": ["mon"]}]}
    await service(world, urgency={"critical": "low"}, support_hours=hours)
    await put_clock(world, FRIDAY_NIGHT)
    incident = await world.declare(admin, severity="critical")
    await world.climb()
    assert len(await pages(world, admin, incident["id"])) == 1


async def test_within_support_hours_nothing_waits(world: World, admin: Person, office: int) -> None:
    await put_clock(world, "2027-02-01T16:59:59+01:00")
    incident = await world.declare(admin, severity="low")
    await world.climb()
    assert len(await pages(world, admin, incident["id"])) == 1


async def test_what_becomes_worse_pages_at_once(world: World, admin: Person, office: int) -> None:
    incident = await world.declare(admin, severity="low")
    path = f"/v1/incidents/{incident['id']}"
    await world.call("PATCH", path, admin, json={"severity": "medium"})
    await world.climb()
    assert await pages(world, admin, incident["id"]) == []
    assert len(await told(world, admin, incident["id"], "paging_waits")) == 1, "nothing has changed"
    await world.call("PATCH", path, admin, json={"severity": "high"})
    await world.climb()
    assert len(await pages(world, admin, incident["id"])) == 1


async def test_what_pages_already_is_not_called_back_by_a_milder_severity(
    world: World, admin: Person, office: int
) -> None:
    incident = await world.declare(admin, severity="high")
    await world.climb()
    path = f"/v1/incidents/{incident['id']}"
    await world.call("PATCH", path, admin, json={"severity": "low"})
    await world.pass_time(minutes=5)
    assert len(await pages(world, admin, incident["id"])) == 2


async def test_the_incident_says_how_urgent_it_is(world: World, admin: Person, office: int) -> None:
    incident = await world.declare(admin, severity="low")
    path = f"/v1/incidents/{incident['id']}"
    assert incident["urgency"] == "low"
    assert (await world.declare(admin, severity="high"))["urgency"] == "high"
    assert (await world.declare(admin, severity="low", service="website"))["urgency"] == "high"
    changed = await world.call("PATCH", path, admin, json={"severity": "critical"})
    assert changed["urgency"] == "high"
    changed = await world.call("PATCH", path, admin, json={"severity": "medium"})
    assert changed["urgency"] == "low"


async def test_a_service_that_gives_up_its_hours_pages_what_waited(
    world: World, admin: Person, office: int
) -> None:
    incident = await world.declare(admin, severity="low")
    await change(world, office, urgency={})
    await ask_again(world)
    assert len(await pages(world, admin, incident["id"])) == 1


async def test_what_waits_is_as_urgent_as_its_service_has_it_by_then(
    world: World, admin: Person, office: int
) -> None:
    """Urgency picks the rules by which somebody is paged."""
    [mail] = (await world.call("GET", methods_of(admin), admin))["items"]
    rule = {"contact_method_id": mail["id"], "urgency": "high"}
    await world.call("PUT", rules_of(admin), admin, json={"items": [rule]})
    incident = await world.declare(admin, severity="low")
    await change(world, office, urgency={})
    await ask_again(world)
    shown = await world.call("GET", f"/v1/incidents/{incident['id']}", admin)
    assert shown["urgency"] == "high"
    assert len(await pages(world, admin, incident["id"])) == 1
    assert await told(world, admin, incident["id"], "edited") == [
        "Service “database” has changed: it is of high urgency now."
    ]


async def test_what_pages_already_keeps_the_urgency_that_it_began_with(
    world: World, admin: Person, office: int
) -> None:
    """A service that changes its mind decides about what is to come, and calls nobody back."""
    incident = await world.declare(admin, severity="high")
    await world.climb()
    await change(world, office, urgency={"high": "low"})
    await ask_again(world)
    await world.pass_time(minutes=5)
    shown = await world.call("GET", f"/v1/incidents/{incident['id']}", admin)
    assert shown["urgency"] == "high"
    assert len(await pages(world, admin, incident["id"])) == 2
    assert (await world.declare(admin, severity="high"))["urgency"] == "low"


async def test_maintenance_that_ends_at_night_does_not_wake_what_is_of_low_urgency(
    world: World, admin: Person, office: int
) -> None:
    await window(world, office, hours=2)
    low = await world.declare(admin, severity="low")
    high = await world.declare(admin, severity="high")
    await world.pass_time(hours=2.1)
    assert len(await pages(world, admin, high["id"])) >= 1
    assert await pages(world, admin, low["id"]) == []
    stories = await told(world, admin, low["id"], "paging_waits")
    assert ["maintenance" in stories[0], "Monday 09:00" in stories[1]] == [True, True]
    await put_clock(world, MONDAY)
    await world.climb()
    assert len(await pages(world, admin, low["id"])) >= 1


async def test_an_answer_that_expires_at_night_pages_in_the_morning(
    world: World, admin: Person
) -> None:
    await world.policy(admin, [(0, "admins")], name="Short", ack_timeout_minutes=60)
    await service(world, urgency=LOW, support_hours=BERLIN_HOURS)
    await put_clock(world, "2027-01-29T16:30:00+01:00")
    incident = await world.declare(admin, severity="low")
    await world.climb()
    before = len(await pages(world, admin, incident["id"]))
    await world.act(admin, incident["id"], "acknowledge")
    await world.pass_time(hours=1.5)
    assert len(await pages(world, admin, incident["id"])) == before
    await put_clock(world, MONDAY)
    await world.climb()
    assert len(await pages(world, admin, incident["id"])) > before


@pytest.mark.parametrize(
    ("night", "morning"),
    [
        ("2027-03-27T22:00:00+01:00", "2027-03-28T09:00:00+02:00"),
        ("2027-10-30T22:00:00+02:00", "2027-10-31T09:00:00+01:00"),
    ],
)
async def test_on_the_nights_on_which_clocks_change_it_is_nine_on_the_wall(
    world: World, admin: Person, night: str, morning: str
) -> None:
    hours = {"time_zone": "Europe/Berlin", "hours": [{"since": "09:00", "until": "17:00"}]}
    await service(world, urgency=LOW, support_hours=hours)
    await put_clock(world, night)
    incident = await world.declare(admin, severity="low")
    await put_clock(world, morning)
    await world.climb()
    assert (await pages(world, admin, incident["id"]))[:1] == [datetime.fromisoformat(morning)]


async def test_a_pinned_policy_runs_besides_those_that_match(world: World, admin: Person) -> None:
    never = {"severity": "critical"}
    pinned = await world.policy(admin, [(0, "admins")], name="Pinned", conditions=never)
    await service(world, policy_id=pinned["id"])

    async def policies(incident_id: int) -> list[str]:
        path = f"/v1/incidents/{incident_id}/escalation"
        answer = await world.call("GET", path, admin)
        live = [one for one in answer["escalations"] if one["status"] == "active"]
        return sorted(one["policy_name"] for one in live)

    incident = await world.declare(admin)
    other = await world.declare(admin, service="website")
    assert await policies(incident["id"]) == ["Pinned", "Primary"]
    assert await policies(other["id"]) == ["Primary"]
    for number, name in ((incident["id"], "website"), (other["id"], "database")):
        await world.call("PATCH", f"/v1/incidents/{number}", admin, json={"service": name})
    assert await policies(incident["id"]) == ["Primary"]
    assert await policies(other["id"]) == ["Pinned", "Primary"]
