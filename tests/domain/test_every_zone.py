"""Every zone and every night from 2020 to 2035 on which its clock changes, minute by minute."""

from datetime import datetime, timedelta

import pytest

from app.domain.restriction import Restriction
from app.domain.rotation import Rotation, RotationKind
from app.domain.schedule import (
    ExplicitShifts,
    Layer,
    Override,
    Schedule,
    WallShift,
    render,
)
from app.domain.time_zone import time_zones
from app.domain.timeline import Interval, gaps, overlaps
from tests.domain.minutes import MINUTE, Minutes, by_minute, people_by_minute, transitions
from tests.domain.rotas import ANA, BEN, CLEO, DORA

AROUND = timedelta(hours=8)
# Before the anchor, so that the night falls on a hand-off of the rotation.
TURNS = {
    RotationKind.HOURLY: timedelta(hours=9),
    RotationKind.DAILY: timedelta(days=5),
    RotationKind.WEEKLY: timedelta(weeks=3),
    RotationKind.MONTHLY: timedelta(days=31),
}


@pytest.mark.stress
@pytest.mark.parametrize("year", range(2020, 2036))
def test_no_zone_has_a_night_on_which_anybody_is_missing_or_too_many(year: int) -> None:
    nights = [
        (name, jump)
        for name in sorted(time_zones())
        for jump in transitions(name)
        if jump.year == year
    ]
    assert len(nights) > 100
    _judge(nights)


def test_a_few_zones_and_nights_stand_for_all() -> None:
    few = ("Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Africa/Casablanca")
    _judge([(name, jump) for name in few for jump in transitions(name)[12:16]])


def _judge(nights: list[tuple[str, datetime]]) -> None:
    """The engine is asked about every zone, the minutes once for all whose clocks agree."""
    told: dict[tuple[datetime, ...], list[list[set[int]]]] = {}
    for name, jump in nights:
        during = Interval(jump - AROUND, jump + AROUND)
        minutes = Minutes(name, during)
        schedules = _schedules(name, jump, minutes)
        clock = (jump, *minutes.shown)
        if clock not in told:
            told[clock] = [people_by_minute(schedule, minutes) for schedule in schedules]
        for schedule, people in zip(schedules, told[clock], strict=True):
            stretches = render(schedule, during)
            assert by_minute(stretches, minutes) == people, (name, jump, schedule)
            if len(schedule.layers) == 1:
                assert gaps(stretches, during) == [], (name, jump)
                assert overlaps(stretches) == [], (name, jump)


def _schedules(name: str, jump: datetime, minutes: Minutes) -> list[Schedule]:
    """Of each kind a rotation alone, and one below restrictions, a shift and an override."""
    # Right before the clock jumps it shows this; a quarter of an hour on comes never, or twice.
    quarter = minutes.shown[AROUND // MINUTE - 1] + 16 * MINUTE
    explicit = Layer(ExplicitShifts((WallShift(quarter, quarter + 20 * MINUTE, BEN),)))
    cover = Override(jump - 30 * MINUTE, jump + 5 * MINUTE, DORA, replaces=ANA)
    hours = (
        Restriction((quarter - 90 * MINUTE).time(), quarter.time()),
        Restriction((quarter + 10 * MINUTE).time(), (quarter + 99 * MINUTE).time()),
    )
    found = []
    for kind, back in TURNS.items():
        alone = Layer(Rotation(kind, quarter - back, (ANA, BEN, CLEO)))
        other = Layer(Rotation(kind, quarter - back, (CLEO, DORA), every=2), hours)
        found.append(Schedule(name, (alone,)))
        found.append(Schedule(name, (alone, other, explicit), overrides=(cover,)))
    return found
