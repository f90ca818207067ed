"""A rehearsal with whoever is on call, with the clock moved: through hand-offs, gaps and turns."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.db.session import ReadSession, WriteSession, transaction_time
from app.domain.incident import Opening, Severity
from app.services import simulation
from app.services.simulation import Question
from tests.api.test_simulate import draft, pages, simulate
from tests.duties import go_to, keep_schedule, keep_service, keep_team, people_paged, turns
from tests.world import Person, World

MONDAY, TUESDAY = datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
async def admin(world: World) -> Person:
    return await world.admin()


@pytest.fixture
async def ana(world: World) -> Person:
    return await world.person(full_name="Ana")


@pytest.fixture
async def ben(world: World) -> Person:
    return await world.person("ben@example.org", full_name="Ben")


def warned(told: dict[str, Any], kind: str) -> list[str]:
    return [one["message"] for one in told["warnings"] if one["kind"] == kind]


async def test_minute_by_minute_through_a_hand_off_at_nine(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    shifts = [
        {"starts": "2026-11-30T09:00", "ends": "2026-12-01T09:00", "user": ana.id},
        {"starts": "2026-12-01T09:00", "ends": "2026-12-02T09:00", "user": ben.id},
    ]
    schedule = await keep_schedule(world, {"shifts": shifts}, time_zone="Europe/Berlin")
    await keep_service(world, schedule=schedule)
    following = {"schedule": schedule, "position": "next"}
    await world.policy(
        admin, [(0, "on_call"), (0, following), (1, "on_call"), (1, "on_call"), (1, following)]
    )
    nine = TUESDAY + timedelta(hours=8)  # in Berlin
    told = await simulate(world, ana, at=(nine - timedelta(minutes=1)).isoformat())
    assert pages(told)[:4] == [
        (0, "Ana", "sent"),
        (0, "Ben", "sent"),
        (1, "Ben", "sent"),
        (2, "Ben", "sent"),
    ]
    [empty] = warned(told, "step_reaches_nobody")
    assert empty == (
        "Step 5 of “Primary” reaches nobody; what comes next comes at once."
        " Nobody else is on call on “DB” next."
    )
    assert [line["because"] for line in told["lines"] if line["action"] == "assigned"] == [
        "Assigned to Ana, who is paged first."
    ]


async def test_a_gap_is_told_with_the_step_and_its_end(
    world: World, admin: Person, ana: Person
) -> None:
    layer = turns(ana, restrictions=[{"since": "09:00", "until": "17:00"}])
    await keep_service(world, schedule=await keep_schedule(world, layer))
    body = draft((0, {"user": ana.id}), (30, "on_call"), final_delay_minutes=1)
    told = await simulate(world, ana, at=(MONDAY + timedelta(hours=17)).isoformat(), policy=body)
    [empty] = warned(told, "step_reaches_nobody")
    assert empty.startswith("Step 2 of “Primary” reaches nobody")
    assert empty.endswith("Nobody is on call on “DB” until Tuesday 09:00 UTC.")
    told = await simulate(world, ana, at=(MONDAY + timedelta(hours=9)).isoformat(), policy=body)
    assert warned(told, "step_reaches_nobody") == []


async def test_a_target_that_means_nobody_beside_others_is_a_warning_of_its_own(
    world: World, admin: Person, ana: Person
) -> None:
    actions = [{"type": "notify", "target": target} for target in ("on_call", {"user": ana.id})]
    body = {"name": "Both", "steps": [{"delay_minutes": 0, "actions": actions}]}
    told = await simulate(world, ana, policy=body)
    assert warned(told, "target_is_empty") == [
        "Step 1 of “Both” wants more people. Service “database” is not in the catalogue."
    ]


async def test_turns_go_on_within_a_rehearsal_and_nobody_loses_theirs(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    team = await keep_team(world, ana, ben)
    target = {"team": team, "pick": "round_robin"}
    await world.policy(admin, [(0, target), (5, target), (5, target)], final_delay_minutes=60)
    for _ in range(2):
        told = await simulate(world, ana)
        assert [name for _, name, _ in pages(told)][:3] == ["Ana", "Ben", "Ana"]
    await world.declare(admin)
    await world.climb()
    assert await people_paged(world) == [ana.id]
    told = await simulate(world, ana)
    assert [name for _, name, _ in pages(told)][:3] == ["Ben", "Ana", "Ben"]


async def test_the_pager_takes_turns_while_a_rehearsal_is_open(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    await world.policy(admin, [(0, {"round_robin": [ana.id, ben.id]})], final_delay_minutes=60)
    await world.declare(admin)
    await world.climb()
    opening = Opening("Disk full", Severity.HIGH, "database", "A rehearsal.")
    async with world.database.sessions() as session:
        session.info["clock_shift"] = world.database.clock_shift
        rehearsal = WriteSession(ReadSession(session))
        now = await transaction_time(rehearsal)
        await simulation.rehearse(rehearsal, Question(opening), now=now)
        await world.declare(admin)  # its row of the ring is free
        await world.climb()
    assert await people_paged(world) == [ana.id, ben.id]


async def test_a_real_incident_is_rehearsed_with_whoever_will_be_on_call(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    await keep_service(world, schedule=await keep_schedule(world, turns(ana, ben)))
    await world.policy(admin, [(0, "on_call"), (60 * 24, "on_call")], final_delay_minutes=60)
    await go_to(world, 12)
    number = (await world.declare(admin))["id"]
    await world.climb()
    [first] = await people_paged(world)
    told = await simulate(world, admin, incident_id=number)
    [today, tomorrow, *_] = pages(told)
    names = {ana.id: "Ana", ben.id: "Ben"}
    assert tomorrow[1] != names[first]
    assert today[1] == names[first]
