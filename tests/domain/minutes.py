"""Who is on call, minute by minute: slow, and right at a glance.

Shares no arithmetic with the engine. It writes down what the clock shows at each minute, and
reads every rule off that list: “the first minute that shows 02:30” is just that.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from app.domain.restriction import Restriction
from app.domain.rotation import Rotation, RotationKind
from app.domain.schedule import ExplicitShifts, Layer, OnHolidays, Schedule
from app.domain.time_zone import zone
from app.domain.timeline import Interval, Stretch

MINUTE = timedelta(minutes=1)
SINCE, UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)


class Minutes:
    """What the clock of a zone shows at each minute of a time."""

    def __init__(self, name: str, during: Interval) -> None:
        clock = zone(name)
        count = (during.ends_at - during.starts_at) // MINUTE
        self.instants = [during.starts_at + number * MINUTE for number in range(count)]
        self.shown = [instant.astimezone(clock).replace(tzinfo=None) for instant in self.instants]
        self._first: dict[datetime, int] = {}
        self._last: dict[datetime, int] = {}
        for number, shown in enumerate(self.shown):
            self._first.setdefault(shown, number)
            self._last[shown] = number

    def first(self, shown: datetime) -> int:
        """The first minute that shows this time; if none does, the first that is past it."""
        return self._first[shown] if shown in self._first else self._past(shown)

    def last(self, shown: datetime) -> int:
        """The last minute that shows this time; if none does, the first that is past it."""
        return self._last[shown] if shown in self._last else self._past(shown)

    def _past(self, shown: datetime) -> int:
        later = (number for number, seen in enumerate(self.shown) if seen > shown)
        return next(later, len(self.shown))


def people_by_minute(schedule: Schedule, minutes: Minutes) -> list[set[int]]:
    """Who is on call in each minute."""
    usual = _layered(schedule, schedule.layers, minutes)
    temporary = [(each, _layered(schedule, each.layers, minutes)) for each in schedule.temporaries]
    found = []
    for number, instant in enumerate(minutes.instants):
        people = usual[number]
        for each, instead in temporary:
            if each.starts_at <= instant < each.ends_at:
                people = instead[number]
        for override in schedule.overrides:
            if override.starts_at <= instant < override.ends_at:
                if override.replaces is None:
                    people = {override.user_id}
                elif override.replaces in people:
                    people = (people - {override.replaces}) | {override.user_id}
        found.append(people)
    return found


def by_minute(stretches: list[Stretch], minutes: Minutes) -> list[set[int]]:
    """The engine's answer, spread over the minutes."""
    found: list[set[int]] = [set() for _ in minutes.instants]
    for starts_at, ends_at, people in stretches:
        first, odd = divmod(starts_at - minutes.instants[0], MINUTE)
        last, odder = divmod(ends_at - minutes.instants[0], MINUTE)
        assert not odd
        assert not odder
        for number in range(first, last):
            assert not found[number], "two stretches share a minute"
            found[number] = set(people)
    return found


def _layered(schedule: Schedule, layers: tuple[Layer, ...], minutes: Minutes) -> list[set[int]]:
    found: list[set[int]] = [set() for _ in minutes.instants]
    for layer in layers:
        for number, people in enumerate(_layer(schedule, layer, minutes)):
            found[number] = people or found[number]
    return found


def _layer(schedule: Schedule, layer: Layer, minutes: Minutes) -> list[set[int]]:
    people = _source(layer, minutes)
    open_minutes = _restricted(layer.restrictions, minutes)
    starts = layer.starts
    if starts is None and isinstance(layer.source, Rotation):
        starts = layer.source.anchor
    since = 0 if starts is None else minutes.first(starts)
    until = len(people) if layer.ends is None else minutes.first(layer.ends)
    found = []
    for number, instant in enumerate(minutes.instants):
        is_holiday = any(day.starts_at <= instant < day.ends_at for day in schedule.holidays)
        counts = since <= number < until and open_minutes[number]
        if layer.on_holidays is OnHolidays.RESTS:
            counts = counts and not is_holiday
        elif layer.on_holidays is OnHolidays.ONLY:
            counts = counts and is_holiday
        found.append(people[number] if counts else set())
    return found


def _source(layer: Layer, minutes: Minutes) -> list[set[int]]:
    found: list[set[int]] = [set() for _ in minutes.instants]
    if isinstance(layer.source, Rotation):
        return _turns(layer.source, minutes)
    if isinstance(layer.source, ExplicitShifts):
        for starts, ends, user_id in layer.source.shifts:
            for number in range(minutes.first(starts), minutes.last(ends)):
                found[number].add(user_id)
        return found
    for starts_at, ends_at, user_id in layer.source.shifts:
        for number, instant in enumerate(minutes.instants):
            if starts_at <= instant < ends_at:
                found[number].add(user_id)
    return found


def _turns(rotation: Rotation, minutes: Minutes) -> list[set[int]]:
    """At each minute, everybody hands over who must."""
    found: list[set[int]] = []
    handoffs = list(_handoffs(rotation, minutes.shown[0], max(minutes.shown)))
    begins = [minutes.first(shown) for _, shown in handoffs]
    passed = 0
    for minute in range(len(minutes.shown)):
        while passed < len(handoffs) and begins[passed] <= minute:
            passed += 1
        number = handoffs[passed - 1][0]
        found.append({rotation.participants[number % len(rotation.participants)]})
    return found


def _handoffs(
    rotation: Rotation, since: datetime, until: datetime
) -> Iterator[tuple[int, datetime]]:
    """Every hand-off from well before the time on, found by walking there from the anchor."""
    number = 0
    long_ago = since - timedelta(days=2)  # no clock jumps that far
    while _handoff(rotation, number) > long_ago:
        number -= 1
    while _handoff(rotation, number + 1) < long_ago:
        number += 1
    while (begins := _handoff(rotation, number)) <= until:
        yield number, begins
        number += 1


def _handoff(rotation: Rotation, number: int) -> datetime:
    steps = number * rotation.every
    match rotation.kind:
        case RotationKind.HOURLY:
            return rotation.anchor + timedelta(hours=steps)
        case RotationKind.DAILY:
            return rotation.anchor + timedelta(days=steps)
        case RotationKind.WEEKLY:
            return rotation.anchor + timedelta(days=7 * steps)
        case RotationKind.MONTHLY:
            return _months_on(rotation.anchor, steps)


def _months_on(anchor: datetime, months: int) -> datetime:
    year, month = anchor.year, anchor.month
    for _ in range(abs(months)):
        month += 1 if months > 0 else -1
        if month == 13:
            year, month = year + 1, 1
        if month == 0:
            year, month = year - 1, 12
    for day in range(anchor.day, 0, -1):
        try:
            return anchor.replace(year=year, month=month, day=day)
        except ValueError:
            continue  # this month has no such day
    raise AssertionError("unreachable")


def _restricted(restrictions: tuple[Restriction, ...], minutes: Minutes) -> list[bool]:
    if not restrictions:
        return [True] * len(minutes.instants)
    is_open = [False] * len(minutes.instants)
    first = minutes.shown[0].date() - timedelta(days=2)
    last = max(minutes.shown).date() + timedelta(days=2)
    for restriction in restrictions:
        for day in _days(first, last):
            if day.weekday() not in restriction.days:
                continue
            ends_on = day if restriction.until > restriction.since else day + timedelta(days=1)
            starts = minutes.first(datetime.combine(day, restriction.since))
            ends = minutes.last(datetime.combine(ends_on, restriction.until))
            for number in range(starts, ends):
                is_open[number] = True
    return is_open


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


@cache
def transitions(name: str) -> tuple[datetime, ...]:
    """Every minute from 2020 to 2035 at which the clock of a zone jumps."""
    clock = zone(name)
    days = (UNTIL - SINCE).days
    found = []
    for number in range(days):
        since = SINCE + timedelta(days=number)
        until = since + timedelta(days=1)
        offset = _offset(since, clock)
        if _offset(until, clock) != offset:
            while until - since > MINUTE:
                middle = since + (until - since) // MINUTE // 2 * MINUTE
                since, until = (
                    (middle, until) if _offset(middle, clock) == offset else (since, middle)
                )
            found.append(until)
    return tuple(found)


def _offset(instant: datetime, clock: ZoneInfo) -> timedelta | None:
    return instant.astimezone(clock).utcoffset()
