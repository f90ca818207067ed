"""When somebody's summary is due and what time it tells of. Pure.

A summary has a day: the one on which it is due on the reader's own clock. It tells of what lies
between that hour of the day before (a week before, for a weekly one) and that hour of its day, so
a night on which a clock is changed makes it an hour longer or shorter, and nothing is told twice
or left out. Where a clock skips the hour, it is due at the jump.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from app.domain.time_zone import zone
from app.domain.timeline import Interval
from app.domain.wall_clock import first_instant, shown_at

DAY = timedelta(days=1)
USUAL_HOUR = 9


class DigestFrequency(StrEnum):
    OFF = "off"
    DAILY = "daily"
    WEEKLY = "weekly"


class DigestOutcome(StrEnum):
    SENT = "sent"
    EMPTY = "empty"  # nothing had happened, and nobody wanted to hear that


@dataclass(frozen=True)
class Wanted:
    """When somebody wants a summary. Of the week, 0 is Monday."""

    frequency: DigestFrequency = DigestFrequency.OFF
    hour: int = USUAL_HOUR
    weekday: int = 0
    even_when_empty: bool = False
    action_reminders: bool = True

    @property
    def every(self) -> timedelta:
        return 7 * DAY if self.frequency is DigestFrequency.WEEKLY else DAY


def due_at(day: date, hour: int, time_zone: str) -> datetime:
    """When the summary of a day is due."""
    return first_instant(datetime.combine(day, time(hour)), zone(time_zone))


def next_day(wanted: Wanted, time_zone: str, *, after: datetime) -> date:
    """The first day whose summary is due later than an instant."""
    day = shown_at(after, zone(time_zone)).date()
    while not _is_day(wanted, day) or due_at(day, wanted.hour, time_zone) <= after:
        day += DAY
    return day


def latest_day(wanted: Wanted, time_zone: str, *, now: datetime) -> date:
    """The last day whose summary is due by now: of several that were missed, only that is told."""
    day = shown_at(now, zone(time_zone)).date()
    while not _is_day(wanted, day) or due_at(day, wanted.hour, time_zone) > now:
        day -= DAY
    return day


def told_by(
    day: date, wanted: Wanted, time_zone: str, *, told_until: datetime | None = None
) -> Interval:
    """The time that the summary of a day tells of: from where the last one ended, if that was
    not long ago; somebody who chose another hour is told neither less nor the same again."""
    until = due_at(day, wanted.hour, time_zone)
    since = due_at(day - wanted.every, wanted.hour, time_zone)
    if told_until is not None and until - 2 * wanted.every < told_until < until:
        since = told_until
    return Interval(since, until)


def _is_day(wanted: Wanted, day: date) -> bool:
    return wanted.frequency is not DigestFrequency.WEEKLY or day.weekday() == wanted.weekday
