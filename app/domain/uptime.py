"""How long a component was well: the days of a page, and a percentage with a written formula.

Of the time that a component was there, what was under maintenance as announced does not count at
all. Of the rest a major outage counts as down in full, a partial one by `PARTIAL_WEIGHT`, degraded
performance not at all: the service answered, if slowly. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.domain.status_component import ComponentStatus

DAYS = 90
PARTIAL_WEIGHT = 0.3  # as on other status pages, so that figures can be compared
WEIGHTS = {ComponentStatus.MAJOR_OUTAGE: 1.0, ComponentStatus.PARTIAL_OUTAGE: PARTIAL_WEIGHT}

Seconds = Mapping[ComponentStatus, float]


@dataclass(frozen=True)
class Day:
    """A day on the wall of the page, [starts_at, ends_at); today ends now."""

    on: date
    starts_at: datetime
    ends_at: datetime


def days(now: datetime, place: ZoneInfo, *, count: int = DAYS) -> list[Day]:
    """The days up to this instant, oldest first. Where clocks change, one is longer or shorter."""
    today = now.astimezone(place).date()
    found = []
    for back in range(count - 1, -1, -1):
        on = today - timedelta(days=back)
        ends_at = now if back == 0 else _midnight(on + timedelta(days=1), place)
        found.append(Day(on, _midnight(on, place), ends_at))
    return found


def _midnight(on: date, place: ZoneInfo) -> datetime:
    return datetime.combine(on, time(), place).astimezone(UTC)


def uptime(spent: Iterable[Seconds]) -> float | None:
    """Per cent of the time that counts; None where none does. Never 100 where anything was down:
    it is cut, and not rounded, after four places."""
    total: dict[ComponentStatus, float] = {}
    for seconds in spent:
        for status, length in seconds.items():
            total[status] = total.get(status, 0.0) + length
    counted = sum(
        length
        for status, length in total.items()
        if status is not ComponentStatus.UNDER_MAINTENANCE
    )
    if counted <= 0:
        return None
    down = sum(total.get(status, 0.0) * weight for status, weight in WEIGHTS.items())
    share = 1 - down / counted
    return int(share * 1_000_000) / 10_000
