"""What a schedule is, and who is on call by it: one engine, without I/O. Pure.

From the bottom up:

1. A layer says who is on call by turns (a rotation), by explicit shifts on the wall clock, or by
   shifts that another calendar gave. Restrictions, holidays and its own start and end cut it.
2. Of several layers the highest with somebody on call wins, at each instant. They are listed
   from the lowest to the highest.
3. A temporary schedule replaces all layers for its time, its own gaps included; where two do,
   the later in the list wins.
4. Overrides come last, one after another, so the later in the list wins: an override puts
   one person on call, or replaces one person wherever they would be (a swap is two of those).

How the clock on the wall becomes instants, and what happens on the nights when it changes, is
said in `wall_clock`: a layer's start and end and every turn are hand-offs, one instant each;
explicit shifts and restrictions start at the first instant and end at the last. Time zones come
from the pinned data of `time_zone`. All results are half-open and in UTC, and a question about an
instant is a rendering of that instant: it cannot differ from a rendering of the year.

The work grows with the hand-offs, restricted days and overrides within the time that is asked
about, and not with how long ago a rotation began.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.domain.restriction import Restriction, hours
from app.domain.rotation import Rotation, turns
from app.domain.time_zone import zone
from app.domain.timeline import (
    Interval,
    Shift,
    Stretch,
    cut,
    joined,
    laid,
    over,
    union,
    within,
    without,
)
from app.domain.wall_clock import first_instant, last_instant, shown_at

NEAR = timedelta(days=2)  # further than any clock jumps


class WallShift(NamedTuple):
    """A shift as somebody wrote it down: on the wall clock."""

    starts: datetime
    ends: datetime
    user_id: int


@dataclass(frozen=True)
class ExplicitShifts:
    """A layer that lists its shifts on the wall clock; they may overlap."""

    shifts: tuple[WallShift, ...]


@dataclass(frozen=True)
class GivenShifts:
    """A layer whose shifts are instants already: those of another calendar."""

    shifts: tuple[Shift, ...]


class OnHolidays(StrEnum):
    """What holidays are to a layer."""

    WORKS = "works"  # days like any other
    RESTS = "rests"  # nobody is on call
    ONLY = "only"  # the only time somebody is


@dataclass(frozen=True)
class Layer:
    """One source of people on call, and when it counts.

    A rotation counts from its anchor on if `starts` does not say otherwise.
    """

    source: Rotation | ExplicitShifts | GivenShifts
    restrictions: tuple[Restriction, ...] = ()  # none: always
    starts: datetime | None = None  # on the wall, as is `ends`
    ends: datetime | None = None
    on_holidays: OnHolidays = OnHolidays.WORKS


@dataclass(frozen=True)
class Temporary:
    """A time in which the schedule is another one."""

    starts_at: datetime
    ends_at: datetime
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class Override:
    """A time in which somebody is on call instead: of everybody, or of one person."""

    starts_at: datetime
    ends_at: datetime
    user_id: int
    replaces: int | None = None


@dataclass(frozen=True)
class Schedule:
    """Everything that decides who is on call."""

    time_zone: str
    layers: tuple[Layer, ...]  # higher ones win, and come later
    holidays: tuple[Interval, ...] = ()
    temporaries: tuple[Temporary, ...] = ()
    overrides: tuple[Override, ...] = ()


def everyone(schedule: Schedule) -> frozenset[int]:
    """Everybody whom the schedule could put on call, now or ever."""
    layers = [*schedule.layers, *(each for one in schedule.temporaries for each in one.layers)]
    people = {override.user_id for override in schedule.overrides}
    for layer in layers:
        if isinstance(layer.source, Rotation):
            people.update(layer.source.participants)
        else:
            people.update(shift.user_id for shift in layer.source.shifts)
    return frozenset(people)


def swap(one: Shift, other: Shift) -> tuple[Override, Override]:
    """What makes two people take each other's shift; nobody else's time in them changes."""
    return (
        Override(one.starts_at, one.ends_at, other.user_id, replaces=one.user_id),
        Override(other.starts_at, other.ends_at, one.user_id, replaces=other.user_id),
    )


def render(schedule: Schedule, during: Interval) -> list[Stretch]:
    """Who is on call, from stretch to stretch, each as long as the same people are."""
    during = _in_utc(during)
    stretches = _layered(schedule, schedule.layers, during)
    taken, instead = _instead(schedule, during)
    if taken:
        stretches = sorted([*without(stretches, taken), *instead])
    for override in schedule.overrides:
        if (part := cut(override, during)) is not None:
            _put_over(stretches, override, part)
    return joined(stretches)


def _instead(schedule: Schedule, during: Interval) -> tuple[list[Interval], list[Stretch]]:
    """When temporary schedules take the place of the layers, and who is on call by them.

    The later wins, so each is asked only for what those after it leave: hundreds of them cost no
    more than one that lasts as long.
    """
    taken: list[Interval] = []
    instead: list[Stretch] = []
    for temporary in reversed(schedule.temporaries):
        if (part := cut(temporary, during)) is not None:
            for starts_at, ends_at, _ in without([Stretch(*part, ())], taken):
                piece = Interval(starts_at, ends_at)
                instead += _layered(schedule, temporary.layers, piece)
            taken = union([*taken, part])
    return taken, instead


def render_layers(schedule: Schedule, during: Interval) -> list[list[Stretch]]:
    """Who would be on call by each layer alone, in the order of the layers."""
    during = _in_utc(during)
    return [joined(_layer(schedule, layer, during)) for layer in schedule.layers]


def _in_utc(during: Interval) -> Interval:
    return Interval(during.starts_at.astimezone(UTC), during.ends_at.astimezone(UTC))


def _layered(schedule: Schedule, layers: Iterable[Layer], during: Interval) -> list[Stretch]:
    stretches: list[Stretch] = []
    for layer in layers:
        stretches = over(_layer(schedule, layer, during), stretches)
    return stretches


def _layer(schedule: Schedule, layer: Layer, during: Interval) -> list[Stretch]:
    clock = zone(schedule.time_zone)
    bounds = _bounds(layer, clock, during)
    if bounds is None:
        return []
    stretches = _source(layer, clock, bounds)
    if layer.restrictions:
        stretches = within(stretches, hours(layer.restrictions, clock, bounds))
    match layer.on_holidays:
        case OnHolidays.RESTS:
            return without(stretches, _holidays(schedule, bounds))
        case OnHolidays.ONLY:
            return within(stretches, _holidays(schedule, bounds))
        case OnHolidays.WORKS:
            return stretches


def _bounds(layer: Layer, clock: ZoneInfo, during: Interval) -> Interval | None:
    starts_at, ends_at = during
    starts = layer.starts
    if starts is None and isinstance(layer.source, Rotation):
        starts = layer.source.anchor
    if starts is not None:
        starts_at = max(starts_at, first_instant(starts, clock))
    if layer.ends is not None:
        ends_at = min(ends_at, first_instant(layer.ends, clock))
    return Interval(starts_at, ends_at) if starts_at < ends_at else None


def _holidays(schedule: Schedule, during: Interval) -> list[Interval]:
    parts = (cut(holiday, during) for holiday in schedule.holidays)
    return union(part for part in parts if part is not None)


def _source(layer: Layer, clock: ZoneInfo, during: Interval) -> list[Stretch]:
    match layer.source:
        case Rotation() as rotation:
            return list(turns(rotation, clock, during))
        case ExplicitShifts(written):
            return _cut_and_laid(_instants(written, clock, during), during)
        case GivenShifts(given):
            return _cut_and_laid(given, during)


def _instants(written: Iterable[WallShift], clock: ZoneInfo, during: Interval) -> Iterator[Shift]:
    since = shown_at(during.starts_at, clock) - NEAR
    until = shown_at(during.ends_at, clock) + NEAR
    for starts, ends, user_id in written:
        if starts < until and since < ends:  # spares the years of shifts that are past
            yield Shift(first_instant(starts, clock), last_instant(ends, clock), user_id)


def _cut_and_laid(shifts: Iterable[Shift], during: Interval) -> list[Stretch]:
    return laid(
        Shift(*part, shift.user_id) for shift in shifts if (part := cut(shift, during)) is not None
    )


def _put_over(stretches: list[Stretch], override: Override, part: Interval) -> None:
    # Only what the override touches is looked at: a year may hold hundreds of them.
    first = bisect_right(stretches, part.starts_at, key=_end)
    last = bisect_left(stretches, part.ends_at, lo=first, key=_start)
    touched = stretches[first:last]
    if override.replaces is None:
        instead: Sequence[Stretch] = [Stretch(*part, (override.user_id,))]
    else:
        instead = [_replaced(stretch, override) for stretch in within(touched, [part])]
    stretches[first:last] = sorted([*without(touched, [part]), *instead])


def _replaced(stretch: Stretch, override: Override) -> Stretch:
    if override.replaces not in stretch.people:
        return stretch
    people = (set(stretch.people) - {override.replaces}) | {override.user_id}
    return stretch._replace(people=tuple(sorted(people)))


def _start(stretch: Stretch) -> datetime:
    return stretch.starts_at


def _end(stretch: Stretch) -> datetime:
    return stretch.ends_at
