"""The questions people ask a schedule: who now, who next, when am I, where is a hole. Pure.

Each is a rendering of `schedule` looked at, so no two of them can disagree. What lies ahead is
looked for in ever larger steps up to a horizon: a schedule may go on for ever and never change.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from app.domain.schedule import Schedule, everyone, render
from app.domain.timeline import Interval, Shift, Stretch, shifts

INSTANT = timedelta.resolution
HORIZON = timedelta(days=2 * 366)
FIRST_LOOK = timedelta(days=8)  # most rotas change within a week


class Change(NamedTuple):
    """Who is on call from an instant on; nobody, if a gap begins."""

    at: datetime
    people: tuple[int, ...]


def on_call(schedule: Schedule, at: datetime) -> tuple[int, ...]:
    """Who is on call at an instant: usually one person, nobody in a gap."""
    now = render(schedule, Interval(at, at + INSTANT))
    return now[0].people if now else ()


def next_change(schedule: Schedule, at: datetime, *, horizon: timedelta = HORIZON) -> Change | None:
    """The first instant after `at` at which somebody else is on call, and who that is."""
    for during, stretches in _looks(schedule, at, horizon):
        for change in _changes(stretches, during):
            if change.at > at:
                return change
    return None


def relief(schedule: Schedule, at: datetime, *, horizon: timedelta = HORIZON) -> tuple[int, ...]:
    """Who is on call next and is not at `at`: whoever takes over then; nobody if nobody does."""
    present = set(on_call(schedule, at))
    for _, stretches in _looks(schedule, at, horizon):
        for stretch in stretches:
            fresh = tuple(user_id for user_id in stretch.people if user_id not in present)
            if fresh:
                return fresh
    return ()


def next_shift(
    schedule: Schedule, user_id: int, at: datetime, *, horizon: timedelta = HORIZON
) -> Shift | None:
    """The first shift of a person that starts after `at`, whole if it ends before the horizon.

    A shift that runs already is not the next one.
    """
    if user_id not in everyone(schedule):
        return None
    found = None
    for during, stretches in _looks(schedule, at, horizon):
        mine = [shift for shift in shifts(stretches) if shift.user_id == user_id]
        found = next((shift for shift in mine if shift.starts_at > at), None)
        if found is not None and found.ends_at < during.ends_at:
            return found
    return found


def _looks(
    schedule: Schedule, at: datetime, horizon: timedelta
) -> Iterator[tuple[Interval, list[Stretch]]]:
    length = min(FIRST_LOOK, horizon)
    while True:
        during = Interval(at, at + length)
        yield during, render(schedule, during)
        if length >= horizon:
            return
        length = min(4 * length, horizon)


def _changes(stretches: list[Stretch], during: Interval) -> Iterator[Change]:
    since = during.starts_at
    for stretch in stretches:
        if stretch.starts_at > since:
            yield Change(since, ())
        yield Change(stretch.starts_at, stretch.people)
        since = stretch.ends_at
    if since < during.ends_at:
        yield Change(since, ())
