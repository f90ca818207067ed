"""Where a climber looks: from its mark on, and yet nothing below it is ever missed."""

from datetime import UTC, datetime, timedelta

import pytest

from app.crud import crud_escalation
from app.crud.crud_escalation import FROM_THE_START, Due, DueEscalation, DueIncident, Mark, NextDue
from app.domain.escalation import EscalationStatus
from app.domain.incident import IncidentStatus, Severity, Urgency
from app.worker.escalation import Climber
from app.worker.watermark import LATE_COMMITS, LOOK_EVERY, LOOK_SHARE, Watermark
from tests.world import World

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)
NOTHING = NextDue(None, None)


class Ticks:
    """A process's clock, at a test's command."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def watermark(ticks: Ticks) -> Watermark:
    return Watermark(ticks)


def due(key: int, *, minutes: float, is_critical: bool = False) -> Due:
    """A claimed step that has been due for so long."""
    since = NOW - timedelta(minutes=minutes)
    return Due(
        DueEscalation(
            EscalationStatus.ACTIVE, key, None, "x", False, is_critical, "[]", 0, 0, 5.0, None,
            None, None, loop=0, next_step=0, next_step_at=since, faults=0,
        ),
        DueIncident(
            IncidentStatus.OPEN, Severity.LOW, Urgency.LOW, key, None, None, None, None, False,
            service="web", assigned_to=None,
        ),
    )  # fmt: skip


def test_a_full_batch_leads_to_its_last_step(watermark: Watermark) -> None:
    batch = [due(3, minutes=9), due(7, minutes=8), due(4, minutes=8)]
    watermark.passed(batch, {}, limit=3, now=NOW)
    assert watermark.since.other == Mark(NOW - timedelta(minutes=8), 7)
    assert watermark.since.critical == Mark(NOW - LATE_COMMITS)


def test_what_a_batch_that_was_not_full_leaves_is_what_commits_late(watermark: Watermark) -> None:
    watermark.passed([due(3, minutes=9)], {}, limit=3, now=NOW)
    assert watermark.since == (Mark(NOW - LATE_COMMITS),) * 2


def test_where_what_is_critical_filled_the_batch_the_rest_was_not_looked_at(
    watermark: Watermark,
) -> None:
    watermark.passed([due(3, minutes=9, is_critical=True)], {}, limit=1, now=NOW)
    assert watermark.since.other == FROM_THE_START.other
    assert watermark.since.critical == Mark(NOW - timedelta(minutes=9), 3)


def test_what_it_wrote_itself_lowers_the_mark(watermark: Watermark) -> None:
    """A ladder that catches up is due again in the past."""
    soon = NOW - timedelta(hours=1)
    watermark.passed([due(3, minutes=90)], {False: soon}, limit=9, now=NOW)
    assert watermark.since.other == Mark(soon)
    assert watermark.since.critical == Mark(NOW - LATE_COMMITS)


def test_a_look_lowers_the_mark_and_never_raises_it(watermark: Watermark) -> None:
    watermark.passed([], {}, limit=9, now=NOW)
    found = NextDue(NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    watermark.look(found, took=0)
    assert watermark.since.critical == Mark(NOW - timedelta(hours=1))
    assert watermark.since.other == Mark(NOW - LATE_COMMITS)


def test_looks_come_every_second_and_never_take_more_than_their_share(
    watermark: Watermark, ticks: Ticks
) -> None:
    assert not watermark.wants_look()
    ticks.seconds += LOOK_EVERY
    assert watermark.wants_look()
    watermark.look(NOTHING, took=0.001)
    ticks.seconds += LOOK_EVERY
    assert watermark.wants_look()
    watermark.look(NOTHING, took=0.5)
    ticks.seconds += LOOK_SHARE * 0.5 - 0.01
    assert not watermark.wants_look()
    ticks.seconds += 0.01
    assert watermark.wants_look()


def test_a_round_without_a_look_owes_one_and_a_round_with_one_owes_none(
    watermark: Watermark, ticks: Ticks
) -> None:
    watermark.begin_round()
    assert watermark.owed_look is None  # it began at the start: nothing was left out
    watermark.passed([], {}, limit=9, now=NOW)
    ticks.seconds += 0.25
    watermark.begin_round()
    assert watermark.owed_look == pytest.approx(LOOK_EVERY - 0.25)
    ticks.seconds += LOOK_EVERY
    watermark.begin_round()
    watermark.look(NOTHING, took=0)
    assert watermark.owed_look is None


# --- The climber that uses it -----------------------------------------------------------


@pytest.fixture
async def late(world: World) -> tuple[World, int]:
    """An escalation that is due in an hour, in a world whose climber has been here."""
    admin = await world.admin()
    await world.policy(admin, [(60, "admins")])
    return world, (await world.declare(admin))["id"]


async def appears(world: World, incident_id: int, *, ago: timedelta) -> None:
    """A step is due since then, all of a sudden."""
    due_at = await world.clock.now() - ago
    await world.sql(
        "UPDATE escalations SET next_step_at = :at WHERE incident_id = :id",
        at=due_at, id=incident_id,
    )  # fmt: skip


async def test_what_commits_a_moment_late_is_taken_in_the_next_round(
    late: tuple[World, int], ticks: Ticks
) -> None:
    world, incident_id = late
    climber = Climber(world.database, watermark=Watermark(ticks))
    assert await climber.climb_due() == 0
    await appears(world, incident_id, ago=LATE_COMMITS / 2)
    assert await climber.climb_due() == 1


async def test_what_appears_far_below_the_mark_is_taken_after_the_next_look(
    late: tuple[World, int], ticks: Ticks
) -> None:
    world, incident_id = late
    climber = Climber(world.database, watermark=Watermark(ticks))
    assert await climber.climb_due() == 0
    await appears(world, incident_id, ago=timedelta(minutes=3))
    lead = await climber.round()
    assert lead is not None
    assert lead <= timedelta(seconds=LOOK_EVERY)  # it does not sleep until something else is due
    ticks.seconds += lead.total_seconds()
    assert await climber.climb_due() == 1
    assert await climber.round() is not None


async def test_a_quiet_night_is_slept_through(late: tuple[World, int], ticks: Ticks) -> None:
    """The looks do not keep a process awake that has nothing to do."""
    world, _ = late
    climber = Climber(world.database, watermark=Watermark(ticks))
    await climber.climb_due()
    ticks.seconds += 5
    lead = await climber.round()
    assert lead is not None
    assert lead > timedelta(minutes=50)


async def test_what_somebody_held_is_taken_as_soon_as_it_is_free(
    late: tuple[World, int], ticks: Ticks
) -> None:
    world, incident_id = late
    climber = Climber(world.database, watermark=Watermark(ticks))
    await climber.climb_due()
    await appears(world, incident_id, ago=timedelta(milliseconds=100))
    async with world.database.writing() as holder:
        await crud_escalation.live(holder, incident_id)
        lead = await climber.round()
        assert lead is not None
        assert timedelta() < lead < timedelta(milliseconds=100)
    assert await climber.climb_due() == 1


async def test_a_ladder_that_catches_up_is_climbed_at_once(world: World, ticks: Ticks) -> None:
    """Four steps are overdue; none of them waits for a look."""
    admin = await world.admin()
    await world.policy(admin, [(5, "admins")] * 4)
    await world.declare(admin)
    climber = Climber(world.database, watermark=Watermark(ticks))
    assert await climber.climb_due() == 0
    world.clock.forward(minutes=60)
    assert await climber.climb_due() >= 4
