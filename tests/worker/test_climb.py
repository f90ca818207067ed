"""What a climb writes: how urgent, held until when, and why each page is somebody's."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from app.services import ladder
from app.worker.escalation import Climber, climb_due
from tests.world import Person, Scripted, World


@pytest.fixture
async def admin(world: World) -> Person:
    return await world.admin()


async def promises(world: World) -> list[dict[str, Any]]:
    """All pages, in the order of their promises."""
    rows = await world.sql(
        "SELECT status, is_critical, due_at, ready_at, held_until, facts, loop, step, user_id"
        " FROM notifications WHERE kind = 'page' ORDER BY id"
    )
    return [row._asdict() for row in rows]


# --- Urgency ----------------------------------------------------------------------------


async def test_a_page_is_as_urgent_as_its_incident(world: World, admin: Person) -> None:
    await world.policy(admin, [(0, "admins")])
    for severity in ("high", "critical"):
        await world.declare(admin, severity=severity)
    await world.climb()
    assert sorted(page["is_critical"] for page in await promises(world)) == [False, True]


async def test_critical_steps_are_taken_before_a_flood_of_others(
    world: World, admin: Person
) -> None:
    await world.policy(admin, [(0, "admins")])
    for severity in ["low"] * 5 + ["critical"]:
        await world.declare(admin, severity=severity)
    await climb_due(world.database, batch=1)
    assert [page["is_critical"] for page in await promises(world)] == [True] + [False] * 5


async def test_how_late_each_step_was_is_told(world: World, admin: Person) -> None:
    await world.policy(admin, [(1, "admins")], final_delay_minutes=60)
    await world.declare(admin)
    told: list[timedelta] = []
    world.clock.forward(seconds=90)
    await Climber(world.database, on_step=told.append).climb_due()
    [lateness] = told
    assert timedelta(seconds=30) <= lateness < timedelta(seconds=60)


async def test_two_climbers_side_by_side_take_each_step_once(world: World, admin: Person) -> None:
    await world.policy(admin, [(0, "admins")], final_delay_minutes=60)
    for _ in range(12):
        await world.declare(admin)
    climbers = [Climber(world.database, batch=2) for _ in range(3)]
    taken = await asyncio.gather(*(climber.climb_due() for climber in climbers))
    taken.append(await climbers[0].climb_due())
    assert sum(taken) == 12
    assert len(await promises(world)) == 12


# --- Held in a storm --------------------------------------------------------------------


async def hold(world: World, *, minutes: float) -> Any:
    """Every first step's pages wait so long; until when."""
    until = await world.clock.now() + timedelta(minutes=minutes)
    await world.sql("UPDATE escalations SET held_until = :until", until=until)
    return until


async def test_the_first_step_of_a_held_incident_is_taken_and_its_pages_wait(
    world: World, admin: Person
) -> None:
    await world.policy(admin, [(0, "admins"), (3, "admins")])
    await world.declare(admin)
    until = await hold(world, minutes=4)
    mail = Scripted()
    await world.pass_time(mail)
    [page] = await promises(world)
    assert page["ready_at"] == page["held_until"] == until
    assert page["due_at"] < until
    assert mail.messages == []
    await world.pass_time(mail, minutes=3.1)  # the second step is its own: nothing holds it
    first, second = await promises(world)
    assert second["held_until"] is None
    assert second["due_at"] - first["due_at"] == timedelta(minutes=3)
    assert len(mail.messages) == 1
    await world.pass_time(mail, minutes=1)
    assert len(mail.messages) == 2


async def test_what_became_critical_is_not_held(world: World, admin: Person) -> None:
    await world.policy(admin, [(0, "admins")])
    incident = await world.declare(admin)
    await hold(world, minutes=1)
    await world.sql("UPDATE incidents SET severity = 'critical' WHERE id = :id", id=incident["id"])
    await world.climb()
    [page] = await promises(world)
    assert page["held_until"] is None
    assert page["ready_at"] == page["due_at"]


async def test_a_page_that_comes_after_the_hold_anyway_is_not_held(
    world: World, admin: Person
) -> None:
    await world.sql("UPDATE notification_rules SET delay_minutes = 5")
    await world.policy(admin, [(0, "admins")])
    await world.declare(admin)
    until = await hold(world, minutes=1)
    await world.climb()
    [page] = await promises(world)
    assert page["held_until"] is None
    assert page["ready_at"] == page["due_at"] > until


# --- Why --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "kind"),
    [("admins", "admins"), ("creator", "creator"), ("assignees", "assignees"), (None, "user")],
)
async def test_a_page_says_which_target_made_it_somebodys(
    target: str | None, kind: str, world: World, admin: Person
) -> None:
    await world.policy(admin, [(0, target or {"user": admin.id})])
    await world.declare(admin, assignees=[admin.id])
    await world.climb()
    [page] = await promises(world)
    assert page["facts"] == {"target": kind}


async def test_a_page_of_the_fallback_says_so(world: World, admin: Person) -> None:
    await world.declare(admin)
    await world.climb()
    [page] = await promises(world)
    assert page["facts"] == {"target": "fallback"}


async def test_a_page_says_by_how_much_its_rule_delays_it_and_what_moved_it(
    world: World, admin: Person
) -> None:
    await world.sql(
        "UPDATE notification_rules SET delay_minutes = 2.5,"
        " quiet_from = CAST(now() AT TIME ZONE 'UTC' - interval '1 hour' AS time),"
        " quiet_until = CAST(now() AT TIME ZONE 'UTC' + interval '1 hour' AS time)"
    )
    await world.policy(admin, [(0, "admins")])
    await world.declare(admin, severity="high")
    await world.declare(admin, severity="critical")
    await world.climb()
    critical, high = await promises(world)
    assert critical["facts"] == {"target": "admins", "after_minutes": 2.5}
    assert high["facts"].pop("quiet_until") == high["due_at"].isoformat()
    assert high["facts"] == {"target": "admins", "after_minutes": 2.5}
    assert high["due_at"] - critical["due_at"] > timedelta(minutes=50)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            "INSERT INTO notification_preferences (user_id, channel, is_enabled)"
            " VALUES (:u, 'email', false)",
            "has switched email off",
        ),
        (
            "UPDATE contact_methods SET verified_at = NULL WHERE user_id = :u",
            "has not verified the contact method for email",
        ),
        (
            "UPDATE notification_rules SET min_severity = 'critical' WHERE user_id = :u",
            "wants email only from critical up",
        ),
        ("DELETE FROM contact_methods WHERE user_id = :u", "has no rule for any channel"),
        ("UPDATE users SET is_active = false WHERE id = :u", "is deactivated"),
    ],
)
async def test_whoever_is_not_paged_is_on_record_with_the_reason(
    change: str, reason: str, world: World, admin: Person
) -> None:
    ana = await world.person()
    await world.policy(admin, [(0, {"user": ana.id})])
    await world.declare(admin, severity="high")
    await world.sql(change, u=ana.id)
    await world.climb()
    [[status, facts], *_] = await world.sql(
        "SELECT status, metadata FROM escalation_events ORDER BY id"
    )
    assert status == "reached_nobody"
    assert facts["skipped"] == [{"user_id": ana.id, "reason": reason}]


# --- Drills -----------------------------------------------------------------------------


async def test_a_drill_that_nobody_answers_ends_with_its_ladder(
    world: World, admin: Person
) -> None:
    """Nobody is called for a drill who was not meant to be."""
    await world.policy(admin, [(0, {"user": admin.id})])
    incident = await world.declare(admin)
    await world.sql("UPDATE incidents SET is_drill = true")
    await world.sql(
        "INSERT INTO fire_drills (incident_id, started_by) VALUES (:i, :u)",
        i=incident["id"],
        u=admin.id,
    )
    mail = Scripted()
    await world.pass_time(mail)
    assert len(mail.messages) == 1
    await world.pass_time(mail, minutes=20)
    [[missed, status, live]] = await world.sql(
        "SELECT d.missed_at IS NOT NULL, i.status, (SELECT count(*) FROM escalations"
        " WHERE status IN ('active', 'paused')) FROM fire_drills d JOIN incidents i"
        " ON i.id = d.incident_id"
    )
    assert (missed, status, live) == (True, "resolved", 0)
    story = await world.call("GET", f"/v1/incidents/{incident['id']}/timeline", admin)
    assert story["items"][-1]["description"] == "Nobody answered the drill."
    [[tallies]] = await world.sql("SELECT count(*) FROM incident_tallies WHERE is_open")
    assert tallies == 0
    assert len([page for page in await promises(world) if page["status"] == "pending"]) == 0
    assert len(mail.messages) == 1


async def test_taking_nothing_writes_nothing(world: World) -> None:
    async with world.database.writing() as session:
        now = await world.clock.now()
        assert await ladder.take(session, [], now=now, fallback_email=None) == {}
