"""Schedules in few words, for tests."""

from datetime import UTC, datetime, time
from typing import Any

from app.domain.on_call import Change
from app.domain.restriction import EVERY_DAY, Restriction
from app.domain.rotation import Rotation, RotationKind
from app.domain.schedule import ExplicitShifts, GivenShifts, Layer, Override, Schedule, WallShift
from app.domain.timeline import Interval, Shift

BERLIN = "Europe/Berlin"
ANA, BEN, CLEO, DORA = 1, 2, 3, 4
WORKDAYS = frozenset(range(5))


def wall(shown: str) -> datetime:
    """What a clock shows."""
    return datetime.fromisoformat(shown)


def utc(instant: str) -> datetime:
    return datetime.fromisoformat(instant).replace(tzinfo=UTC)


def span(since: str, until: str) -> Interval:
    """A time between two UTC instants."""
    return Interval(utc(since), utc(until))


def rotation(kind: str, anchor: str, *people: int, every: int = 1) -> Rotation:
    return Rotation(RotationKind(kind), wall(anchor), people or (ANA, BEN, CLEO), every)


def turning(kind: str, anchor: str, *people: int, every: int = 1, **fields: Any) -> Layer:
    """A layer in which people take turns."""
    return Layer(rotation(kind, anchor, *people, every=every), **fields)


def written(*shifts: tuple[str, str, int], **fields: Any) -> Layer:
    """A layer of explicit shifts on the wall clock."""
    return Layer(
        ExplicitShifts(tuple(WallShift(wall(s), wall(e), who) for s, e, who in shifts)), **fields
    )


def given(*shifts: tuple[str, str, int], **fields: Any) -> Layer:
    """A layer that another calendar gave, in UTC."""
    return Layer(GivenShifts(tuple(shift(*each) for each in shifts)), **fields)


def shift(since: str, until: str, user_id: int) -> Shift:
    return Shift(utc(since), utc(until), user_id)


def restricted(since: str, until: str, days: frozenset[int] = EVERY_DAY) -> Restriction:
    return Restriction(time.fromisoformat(since), time.fromisoformat(until), days)


def override(since: str, until: str, user_id: int, replaces: int | None = None) -> Override:
    return Override(utc(since), utc(until), user_id, replaces)


def berlin(*layers: Layer, **fields: Any) -> Schedule:
    return Schedule(BERLIN, layers, **fields)


def told(stretches: Any) -> list[tuple[str, str, Any]]:
    """Stretches, shifts or intervals, in UTC and to the minute."""
    return [
        (f"{start:%m-%d %H:%M}", f"{end:%m-%d %H:%M}", *rest) for start, end, *rest in stretches
    ]


def change(at: str, *people: int) -> Change:
    return Change(utc(at), people)
