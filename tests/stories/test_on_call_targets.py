"""Steps that page whoever is on call: for the service, by a schedule, now and next."""

from typing import Any

import pytest

from tests.duties import (
    assigned_to,
    deactivate,
    go_to,
    keep_schedule,
    keep_service,
    people_paged,
    turns,
)
from tests.stories.storms import stories
from tests.world import Person, Scripted, World


@pytest.fixture
async def admin(world: World) -> Person:
    return await world.admin()


@pytest.fixture
async def ana(world: World) -> Person:
    return await world.person(full_name="Ana")


@pytest.fixture
async def ben(world: World) -> Person:
    return await world.person("ben@example.org", full_name="Ben")


async def on_call_now(world: World, *people: Person) -> Person:
    """Who of these, taking turns from day to day since Monday the 5th, is on call now."""
    [(days,)] = await world.sql(
        "SELECT floor(extract(epoch FROM CAST(:now AS timestamptz) - '2026-01-05T09:00Z') / 86400)",
        now=await world.clock.now(),
    )
    return people[int(days) % len(people)]


async def test_an_incident_pages_whoever_is_on_call_for_its_service_and_is_theirs(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    await keep_service(world, schedule=await keep_schedule(world, turns(ana, ben)))
    await world.policy(admin, [(0, "on_call")])
    number = (await world.declare(admin))["id"]
    mail = Scripted()
    await world.pass_time(mail)
    on_duty = await on_call_now(world, ana, ben)
    assert mail.recipients == [on_duty.email]
    assert await assigned_to(world, admin, number) == on_duty.id
    [page] = await world.notifications(admin, number)
    assert page["target"] == "on_call"
    assert "who is on call on “DB”" in page["story"][0]["text"]


async def test_whoever_is_on_call_when_the_step_is_taken_is_paged_however_late_it_is(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    await keep_service(world, schedule=await keep_schedule(world, turns(ana, ben)))
    await world.policy(admin, [(0, "on_call")])
    await go_to(world, 8, 59)
    before = await on_call_now(world, ana, ben)
    await world.declare(admin)
    world.clock.forward(minutes=1)
    await world.climb()
    [paged] = await people_paged(world)
    assert {paged, before.id} == {ana.id, ben.id}


@pytest.mark.parametrize(
    ("minutes", "first"), [(8 * 60 + 59, "before"), (9 * 60, "after"), (9 * 60 + 1, "after")]
)
async def test_a_hand_off_is_an_instant(
    world: World, admin: Person, ana: Person, ben: Person, minutes: int, first: str
) -> None:
    await keep_service(world, schedule=await keep_schedule(world, turns(ana, ben)))
    await world.policy(admin, [(0, "on_call")])
    await go_to(world, 8, 58)
    before = await on_call_now(world, ana, ben)
    world.clock.forward(minutes=minutes - (8 * 60 + 58))
    await world.declare(admin)
    await world.climb()
    assert (await people_paged(world) == [before.id]) is (first == "before")


async def test_the_next_person_is_who_takes_over(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    schedule = await keep_schedule(world, turns(ana, ben))
    await keep_service(world, schedule=schedule)
    target = {"schedule": schedule, "position": "next"}
    await world.policy(admin, [(0, {"schedule": schedule}), (5, target), (5, "next_on_call")])
    number = (await world.declare(admin))["id"]
    await go_to(world, 12)
    await world.climb()
    now = await on_call_now(world, ana, ben)
    other = ben if now is ana else ana
    assert (await people_paged(world, number))[:3] == [now.id, other.id, other.id]


async def test_who_has_it_keeps_it(world: World, admin: Person, ana: Person, ben: Person) -> None:
    """Only what nobody has is given to whoever is paged."""
    schedule = await keep_schedule(world, turns(ana))
    await world.policy(admin, [(0, {"schedule": schedule})])
    number = (await world.declare(admin, assignees=[ben.id]))["id"]
    await world.climb()
    assert await people_paged(world, number) == [ana.id]
    assert await assigned_to(world, admin, number) == ben.id


async def test_whoever_acknowledges_has_it_then(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    schedule = await keep_schedule(world, turns(ana))
    await world.policy(admin, [(0, {"schedule": schedule})])
    number = (await world.declare(admin))["id"]
    await world.climb()
    assert await assigned_to(world, admin, number) == ana.id
    await world.act(ben, number, "acknowledge")
    assert await assigned_to(world, admin, number) == ben.id


async def test_everybody_on_call_is_paged_and_has_it(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    shifts = [
        {"starts": "2026-01-01T00:00", "ends": "2036-01-01T00:00", "user": person.id}
        for person in (ana, ben)
    ]
    await keep_service(world, schedule=await keep_schedule(world, {"shifts": shifts}))
    await world.policy(admin, [(0, "on_call")])
    number = (await world.declare(admin))["id"]
    await world.climb()
    assert sorted(await people_paged(world, number)) == [ana.id, ben.id]
    shown = await world.call("GET", f"/v1/incidents/{number}", admin)
    assert {one["user_id"] for one in shown["assignments"]} == {ana.id, ben.id}
    assert shown["assigned_to"] == ana.id
    [told] = await stories(world, admin, number, "assigned")
    assert told == "Assigned to Ana, Ben, who are paged first."


# --- Nobody -------------------------------------------------------------------------------


OFFICE_HOURS = {"restrictions": [{"since": "09:00", "until": "17:00"}]}
NOBODY: list[tuple[Any, str]] = [
    ("gap", "Nobody is on call on “DB” until 09:00 UTC."),
    ("years ahead", "Nobody is on call on “DB”."),
    ("empty", "Nobody is on call on “DB”."),
    ("no schedule", "Service “database” has no schedule."),
    ("unknown", "Service “database” is not in the catalogue."),
]


@pytest.mark.parametrize(("case", "why"), NOBODY)
async def test_a_step_with_nobody_on_call_says_why_and_hands_over_at_once(
    world: World, admin: Person, ana: Person, ben: Person, case: str, why: str
) -> None:
    layers = {
        "gap": [turns(ana, **OFFICE_HOURS)],
        "years ahead": [turns(ana, starts="2036-01-01T00:00")],
        "empty": [],
    }
    if case in layers:
        await keep_service(world, schedule=await keep_schedule(world, *layers[case]))
    if case == "no schedule":
        await keep_service(world)
    await world.policy(admin, [(0, "on_call"), (60, {"user": ben.id})])
    await go_to(world, 3)
    number = (await world.declare(admin))["id"]
    await world.climb()
    [told] = await stories(world, admin, number, "escalation_reached_nobody")
    assert told == (f"Step 1 of “Primary” reached nobody; what comes next comes at once. {why}")
    assert await people_paged(world, number) == [ben.id]
    assert await assigned_to(world, admin, number) is None
    events = await world.call("GET", f"/v1/incidents/{number}/escalation", admin)
    first = events["events"][0]
    assert (first["status"], first["metadata"]["vacancies"]) == ("reached_nobody", [why])


async def test_a_schedule_that_was_deleted_since_reaches_nobody(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    schedule = await keep_schedule(world, turns(ana))
    await world.policy(admin, [(0, {"schedule": schedule}), (60, {"user": ben.id})])
    number = (await world.declare(admin))["id"]
    await world.sql("UPDATE schedules SET deleted_at = now()")
    await world.climb()
    assert await people_paged(world, number) == [ben.id]


async def test_somebody_on_call_who_is_deactivated_hands_over_too(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    schedule = await keep_schedule(world, turns(ana))
    await world.policy(admin, [(0, {"schedule": schedule}), (60, {"user": ben.id})])
    number = (await world.declare(admin))["id"]
    await deactivate(world, ana)
    await world.climb()
    [told] = await stories(world, admin, number, "escalation_reached_nobody")
    assert told.endswith("Ana is deactivated.")
    assert await people_paged(world, number) == [ben.id]


async def test_an_empty_target_beside_one_that_reaches_somebody_is_told_too(
    world: World, admin: Person, ana: Person
) -> None:
    actions = [{"type": "notify", "target": target} for target in ("on_call", {"user": ana.id})]
    await world.policy(admin, [], steps=[{"delay_minutes": 0, "actions": actions}])
    number = (await world.declare(admin))["id"]
    await world.climb()
    [told] = await stories(world, admin, number, "escalation_step")
    assert told.endswith("Service “database” is not in the catalogue.")
    assert await assigned_to(world, admin, number) is None  # nobody's turn it was


async def test_people_on_call_can_be_assigned_without_being_paged(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    schedule = await keep_schedule(world, turns(ana))
    actions = [
        {"type": "assign", "target": {"schedule": schedule}},
        {"type": "notify", "target": {"user": ben.id}},
    ]
    await world.policy(admin, [], steps=[{"delay_minutes": 0, "actions": actions}])
    number = (await world.declare(admin))["id"]
    await world.climb()
    assert await people_paged(world, number) == [ben.id]
    assert await assigned_to(world, admin, number) == ana.id
