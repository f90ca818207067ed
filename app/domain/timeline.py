"""Stretches of time and who is on call in them: cut, laid over one another, joined. Pure.

Every interval is half-open, [starts_at, ends_at), between aware instants in UTC. A timeline is a
list of stretches in the order of time that do not touch one another's time; what it leaves out
is a gap. Each function takes and returns such lists, in one pass.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol, TypeVar


class Timed(Protocol):
    """Whatever has a start and an end."""

    @property
    def starts_at(self) -> datetime: ...

    @property
    def ends_at(self) -> datetime: ...


AnyTimed = TypeVar("AnyTimed", bound=Timed)


class Interval(NamedTuple):
    """A time from one instant up to another, which is no longer part of it."""

    starts_at: datetime
    ends_at: datetime


class Shift(NamedTuple):
    """A time that one person is on call without a break."""

    starts_at: datetime
    ends_at: datetime
    user_id: int


class Difference(NamedTuple):
    """A time in which one timeline has other people on call than the other."""

    starts_at: datetime
    ends_at: datetime
    before: tuple[int, ...]
    after: tuple[int, ...]


class Stretch(NamedTuple):
    """A time in which the same people are on call."""

    starts_at: datetime
    ends_at: datetime
    people: tuple[int, ...]


def cut(timed: Timed, during: Interval) -> Interval | None:
    """The part of it that lies within, if there is one, in UTC wherever it came from."""
    starts_at = max(timed.starts_at, during.starts_at).astimezone(UTC)
    ends_at = min(timed.ends_at, during.ends_at).astimezone(UTC)
    return Interval(starts_at, ends_at) if starts_at < ends_at else None


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """Every instant of any of them, once."""
    found: list[Interval] = []
    for interval in sorted(intervals):
        if found and interval.starts_at <= found[-1].ends_at:
            found[-1] = Interval(found[-1].starts_at, max(found[-1].ends_at, interval.ends_at))
        elif interval.starts_at < interval.ends_at:
            found.append(interval)
    return found


def within(stretches: Iterable[Stretch], bounds: Sequence[Timed]) -> list[Stretch]:
    """What of a timeline lies within the bounds, which are in order and apart."""
    found: list[Stretch] = []
    for starts_at, ends_at, people, near in _near(stretches, bounds):
        for bound in near:
            since, until = max(starts_at, bound.starts_at), min(ends_at, bound.ends_at)
            found.append(Stretch(since, until, people))
    return found


def without(stretches: Iterable[Stretch], holes: Sequence[Timed]) -> list[Stretch]:
    """What of a timeline lies outside the holes, which are in order and apart."""
    left: list[Stretch] = []
    for starts_at, ends_at, people, near in _near(stretches, holes):
        since = starts_at
        for hole in near:
            if since < hole.starts_at:
                left.append(Stretch(since, hole.starts_at, people))
            since = hole.ends_at
        if since < ends_at:
            left.append(Stretch(since, ends_at, people))
    return left


def over(upper: Sequence[Stretch], lower: Iterable[Stretch]) -> list[Stretch]:
    """The upper timeline, and in its gaps the lower one."""
    return sorted([*upper, *without(lower, upper)])


def gaps(stretches: Sequence[Stretch], during: Interval) -> list[Interval]:
    """The times in which nobody is on call."""
    return [Interval(*gap[:2]) for gap in without([Stretch(*during, ())], stretches)]


def overlaps(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The times in which more than one person is on call."""
    return [stretch for stretch in stretches if len(stretch.people) > 1]


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same timeline, with a new stretch only where the people change."""
    found: list[Stretch] = []
    for stretch in stretches:
        if found and found[-1].ends_at == stretch.starts_at and found[-1].people == stretch.people:
            found[-1] = found[-1]._replace(ends_at=stretch.ends_at)
        else:
            found.append(stretch)
    return found


def laid(shifts: Iterable[Shift]) -> list[Stretch]:
    """The timeline that shifts make together; those at the same time share it."""
    changes: dict[datetime, list[tuple[int, int]]] = {}
    for starts_at, ends_at, user_id in shifts:
        if starts_at < ends_at:
            changes.setdefault(starts_at, []).append((user_id, 1))
            changes.setdefault(ends_at, []).append((user_id, -1))
    stretches = []
    duties: dict[int, int] = {}
    since: datetime | None = None
    for at in sorted(changes):
        if since is not None and duties:
            stretches.append(Stretch(since, at, tuple(sorted(duties))))
        since = at
        for user_id, change in changes[at]:
            duties[user_id] = duties.get(user_id, 0) + change
        duties = {user_id: count for user_id, count in duties.items() if count}
    return stretches


def shifts(stretches: Iterable[Stretch]) -> list[Shift]:
    """Who is on call from when to when: one shift for each unbroken time of each person."""
    found: list[Shift] = []
    running: dict[int, Shift] = {}
    for starts_at, ends_at, people in stretches:
        for user_id in people:
            shift = running.get(user_id)
            if shift is not None and shift.ends_at == starts_at:
                running[user_id] = shift._replace(ends_at=ends_at)
                continue
            if shift is not None:
                found.append(shift)
            running[user_id] = Shift(starts_at, ends_at, user_id)
    return sorted([*found, *running.values()])


def differences(before: Sequence[Stretch], after: Sequence[Stretch]) -> list[Difference]:
    """Where two timelines disagree, and how: what an edit changes for whom."""
    found: list[Difference] = []
    for since, until, old, new in sorted(_side_by_side(before, after)):
        if old == new:
            continue
        last = found[-1] if found else None
        if last is not None and (last.ends_at, last.before, last.after) == (since, old, new):
            found[-1] = last._replace(ends_at=until)
        else:
            found.append(Difference(since, until, old, new))
    return found


def _side_by_side(before: Sequence[Stretch], after: Sequence[Stretch]) -> Iterator[Difference]:
    for starts_at, ends_at, old, near in _near(before, after):
        for each in near:
            since, until = max(starts_at, each.starts_at), min(ends_at, each.ends_at)
            yield Difference(since, until, old, each.people)
    yield from (Difference(*gone, ()) for gone in without(before, after))
    yield from (Difference(*new[:2], (), new.people) for new in without(after, before))


def _near(
    stretches: Iterable[Stretch], others: Sequence[AnyTimed]
) -> Iterator[tuple[datetime, datetime, tuple[int, ...], list[AnyTimed]]]:
    # Each stretch with those of the others that share time with it.
    first = 0
    for starts_at, ends_at, people in stretches:
        while first < len(others) and others[first].ends_at <= starts_at:
            first += 1
        last = first
        while last < len(others) and others[last].starts_at < ends_at:
            last += 1
        yield starts_at, ends_at, people, list(others[first:last])
