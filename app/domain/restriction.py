"""When a layer counts: hours of the day on days of the week, on the wall clock. Pure.

Hours that end at or before the time they start end the next day, so 22:00–06:00 crosses midnight
and 09:00–09:00 lasts a whole day; the days are those on which they start. They start and end as
`wall_clock` has it for what is written down: from the first instant to the last.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.domain.timeline import Interval, cut, union
from app.domain.wall_clock import first_instant, last_instant, shown_at

DAY = timedelta(days=1)
EVERY_DAY = frozenset(range(7))


@dataclass(frozen=True)
class Restriction:
    """Hours of the day, on the days of the week (Monday is 0) on which they start."""

    since: time
    until: time
    days: frozenset[int] = EVERY_DAY

    @property
    def is_overnight(self) -> bool:
        return self.until <= self.since


def hours(restrictions: Iterable[Restriction], zone: ZoneInfo, during: Interval) -> list[Interval]:
    """The times within `during` that any of the restrictions leaves, in order and apart."""
    # Hours that started yesterday may still run, and a clock may be a day off UTC or skip one.
    day = shown_at(during.starts_at, zone).date() - 2 * DAY
    last = shown_at(during.ends_at, zone).date()
    rules = list(restrictions)
    found = []
    while day <= last:
        for rule in rules:
            if day.weekday() in rule.days:
                ends_on = day + DAY if rule.is_overnight else day
                whole = Interval(
                    first_instant(datetime.combine(day, rule.since), zone),
                    last_instant(datetime.combine(ends_on, rule.until), zone),
                )
                if (part := cut(whole, during)) is not None:
                    found.append(part)
        day += DAY
    return union(found)
