"""Whose turn it is: people who hand over to one another at fixed times on the wall. Pure.

A rotation hangs on one hand-off, the anchor: there the first person takes over. Its date and
time say when every other hand-off is, so a weekly rotation changes on the anchor's weekday, a
monthly one on its day of the month (or the last day of a shorter month), each at the anchor's
time. Turns are counted in hand-offs from the anchor, forwards and backwards, on the wall clock:
“every 8 hours” from midnight is always 00:00, 08:00 and 16:00. Nothing else changes the count;
a turn that a restriction hides, or that the clock skips, is still that person's turn.

Each hand-off is computed from the anchor, never from the one before, so a question about a day
ten years on costs as much as one about today.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.domain.timeline import Interval, Stretch
from app.domain.wall_clock import first_instant, shown_at


class RotationKind(StrEnum):
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


LENGTHS = {
    RotationKind.HOURLY: timedelta(hours=1),
    RotationKind.DAILY: timedelta(days=1),
    RotationKind.WEEKLY: timedelta(weeks=1),
}


@dataclass(frozen=True)
class Rotation:
    """Who takes turns, in which order, and when they hand over."""

    kind: RotationKind
    anchor: datetime  # on the wall: the first person takes over
    participants: tuple[int, ...]
    every: int = 1

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"a rotation changes every 1 or more, not every {self.every}")

    def handoff(self, number: int) -> datetime:
        """When the turn of this number begins, on the wall."""
        if self.kind is RotationKind.MONTHLY:
            return _months_later(self.anchor, number * self.every)
        return self.anchor + number * self.every * LENGTHS[self.kind]

    def handoffs_until(self, shown: datetime) -> int:
        """The number of the turn when the clock shows this time, give or take what DST moves."""
        if self.kind is not RotationKind.MONTHLY:
            return (shown - self.anchor) // (self.every * LENGTHS[self.kind])
        years, months = shown.year - self.anchor.year, shown.month - self.anchor.month
        return (12 * years + months) // self.every


def turns(rotation: Rotation, zone: ZoneInfo, during: Interval) -> Iterator[Stretch]:
    """The turns within a time, one after another without a gap, cut to that time."""
    people = [(user_id,) for user_id in rotation.participants]
    if not people:
        return
    number = _turn_at(rotation, zone, during.starts_at)
    starts_at = during.starts_at
    while starts_at < during.ends_at:
        ends_at = min(_handoff(rotation, number + 1, zone), during.ends_at)
        if starts_at < ends_at:  # else the clock skipped this turn
            yield Stretch(starts_at, ends_at, people[number % len(people)])
        starts_at = ends_at
        number += 1


def _turn_at(rotation: Rotation, zone: ZoneInfo, at: datetime) -> int:
    number = rotation.handoffs_until(shown_at(at, zone))
    while _handoff(rotation, number, zone) > at:
        number -= 1
    while _handoff(rotation, number + 1, zone) <= at:
        number += 1
    return number


def _handoff(rotation: Rotation, number: int, zone: ZoneInfo) -> datetime:
    return first_instant(rotation.handoff(number), zone)


def _months_later(shown: datetime, months: int) -> datetime:
    years, month = divmod(shown.month - 1 + months, 12)
    year = shown.year + years
    last_day = monthrange(year, month + 1)[1]
    return shown.replace(year=year, month=month + 1, day=min(shown.day, last_day))
