"""What is counted of incidents, pages and duties, and by which clock. Pure.

Hours, days and nights are those of the wall: of the zone that a caller names, or of each person's
own. To count by them PostgreSQL is told by how much the clock is ahead of UTC, and from when to
when (`Ahead`), so that the pinned time-zone data decides there, too.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from app.domain.time_zone import zone
from app.domain.timeline import Interval, Stretch, union
from app.domain.wall_clock import first_instant, shown_at

USUAL_SPAN = timedelta(days=30)
LONGEST_SPAN = timedelta(days=366)
NIGHT_BEGINS, NIGHT_ENDS = 22, 7  # on the clock of whoever is woken
SATURDAY = 5
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LOOK_EVERY = timedelta(days=1)  # no clock is changed twice in so short a time
HOUR = timedelta(hours=1)


class Per(StrEnum):
    """How long the parts are that a trend is told in."""

    DAY = "day"
    WEEK = "week"  # from Monday on
    MONTH = "month"


class Ahead(NamedTuple):
    """From when to when a zone's clock is ahead of UTC by so many seconds."""

    starts_at: datetime
    ends_at: datetime
    seconds: int


@dataclass(frozen=True)
class Taken:
    """How long something took, in whole seconds: of how many, and in the mean, middle and tail."""

    count: int = 0
    mean: float | None = None
    median: int | None = None
    p90: int | None = None


def together(taken: Collection[Taken]) -> Taken:
    """The mean of several: what lies in the middle cannot be told from the middles."""
    count = sum(one.count for one in taken)
    if not count:
        return Taken()
    return Taken(count, round(sum(one.count * (one.mean or 0) for one in taken) / count, 1))


@lru_cache(maxsize=512)
def ahead(zone_name: str, during: Interval) -> tuple[Ahead, ...]:
    """How far a zone's clock is ahead of UTC, from one change to the next."""
    found: list[Ahead] = []
    since = during.starts_at
    offset = _offset(zone_name, since)
    look = since
    while look < during.ends_at:
        following = min(look + LOOK_EVERY, during.ends_at)
        later = _offset(zone_name, following)
        if later != offset:
            change = _change(zone_name, look, following)
            found.append(Ahead(since, change, offset))
            since, offset = change, later
        look = following
    if since < during.ends_at:
        found.append(Ahead(since, during.ends_at, offset))
    return tuple(found)


def _offset(zone_name: str, at: datetime) -> int:
    offset = at.astimezone(zone(zone_name)).utcoffset()
    assert offset is not None
    return offset // timedelta(seconds=1)


def _change(zone_name: str, before: datetime, after: datetime) -> datetime:
    """The first second at which the clock is what it is at `after`."""
    wanted = _offset(zone_name, after)
    whole = before.replace(microsecond=0)
    low, high = 0, -(-(after - whole) // timedelta(seconds=1))
    while low < high:
        middle = (low + high) // 2
        if _offset(zone_name, whole + timedelta(seconds=middle)) == wanted:
            high = middle
        else:
            low = middle + 1
    return whole + timedelta(seconds=low)


def parts(during: Interval, per: Per, zone_name: str) -> list[Interval]:
    """The days, weeks or months of the wall that make up a time; the outer ones may be cut."""
    clock = zone(zone_name)
    day = _begun(shown_at(during.starts_at, clock).date(), per)
    found = []
    while (starts_at := first_instant(datetime.combine(day, time()), clock)) < during.ends_at:
        day = _next(day, per)
        ends_at = first_instant(datetime.combine(day, time()), clock)
        part = Interval(max(starts_at, during.starts_at), min(ends_at, during.ends_at))
        if part.starts_at < part.ends_at:
            found.append(part)
    return found


def _begun(day: date, per: Per) -> date:
    match per:
        case Per.DAY:
            return day
        case Per.WEEK:
            return day - timedelta(days=day.weekday())
        case Per.MONTH:
            return day.replace(day=1)


def _next(day: date, per: Per) -> date:
    match per:
        case Per.DAY:
            return day + timedelta(days=1)
        case Per.WEEK:
            return day + timedelta(days=7)
        case Per.MONTH:
            return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def before(during: Interval) -> Interval:
    """The time that is as long, and ends where this one begins."""
    return Interval(during.starts_at - (during.ends_at - during.starts_at), during.starts_at)


# --- Being on call


@dataclass
class Duty:
    """How long somebody was on call, and how much of it when others sleep or rest."""

    total: timedelta = field(default=timedelta())
    night: timedelta = field(default=timedelta())
    weekend: timedelta = field(default=timedelta())


def duties(
    renderings: Iterable[Sequence[Stretch]], zones: Mapping[int, str], during: Interval
) -> dict[int, Duty]:
    """By person: how long they were on call by any of the timelines.

    Whoever is on call by two at once is so once. Nights and weekends are those of their own zone;
    somebody without one lives in UTC.
    """
    times: dict[int, list[Interval]] = {}
    for stretches in renderings:
        for stretch in stretches:
            for user_id in stretch.people:
                times.setdefault(user_id, []).append(Interval(stretch.starts_at, stretch.ends_at))
    return {
        user_id: _duty(union(found), zones.get(user_id, "UTC"), during)
        for user_id, found in sorted(times.items())
    }


def _duty(times: Sequence[Interval], zone_name: str, during: Interval) -> Duty:
    night, weekend = _unsocial(zone_name, during)
    return Duty(
        sum((one.ends_at - one.starts_at for one in times), timedelta()),
        _shared(times, night),
        _shared(times, weekend),
    )


@lru_cache(maxsize=128)
def _unsocial(
    zone_name: str, during: Interval
) -> tuple[tuple[Interval, ...], tuple[Interval, ...]]:
    """The nights and the weekends of a zone, in order."""
    clock = zone(zone_name)
    nights, weekends = [], []
    day = shown_at(during.starts_at, clock).date() - timedelta(days=2)
    last = shown_at(during.ends_at, clock).date()
    while day <= last:
        tomorrow = day + timedelta(days=1)
        nights.append(
            Interval(
                first_instant(datetime.combine(day, time(NIGHT_BEGINS)), clock),
                first_instant(datetime.combine(tomorrow, time(NIGHT_ENDS)), clock),
            )
        )
        if day.weekday() >= SATURDAY:
            weekends.append(
                Interval(
                    first_instant(datetime.combine(day, time()), clock),
                    first_instant(datetime.combine(tomorrow, time()), clock),
                )
            )
        day = tomorrow
    return tuple(nights), tuple(weekends)


def _shared(times: Sequence[Interval], others: Sequence[Interval]) -> timedelta:
    """How long both last together; each is in order and apart."""
    total, place = timedelta(), 0
    for one in times:
        while place < len(others) and others[place].ends_at <= one.starts_at:
            place += 1
        look = place
        while look < len(others) and others[look].starts_at < one.ends_at:
            other = others[look]
            total += min(one.ends_at, other.ends_at) - max(one.starts_at, other.starts_at)
            look += 1
    return total


def share(part: float, whole: float) -> float:
    """What part of it is of the whole, between 0 and 1; of nothing, nothing."""
    return round(part / whole, 4) if whole else 0.0


def shares(duties_: Collection[Duty]) -> list[tuple[float, float, float]]:
    """What part of all hours, of all nights and of all weekends each has."""
    whole = [
        sum((getattr(one, name) for one in duties_), timedelta())
        for name in ("total", "night", "weekend")
    ]
    return [
        (
            share(one.total / HOUR, whole[0] / HOUR),
            share(one.night / HOUR, whole[1] / HOUR),
            share(one.weekend / HOUR, whole[2] / HOUR),
        )
        for one in duties_
    ]
