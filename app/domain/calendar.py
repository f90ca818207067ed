"""Calendars that come in: what they are for, when they are asked again, and what is kept. Pure.

A calendar that cannot be had or read changes nothing: what it said last stays true until it says
something else.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from app.domain.timeline import Interval

MOST_CALENDARS = 200
MOST_BYTES = 1_000_000
MOST_SHIFTS = 5_000  # of one calendar, recurrences told out
BACK = timedelta(days=31)  # how much of the past the first look takes in
AHEAD = timedelta(days=396)  # thirteen months
USUAL_PERIOD = timedelta(minutes=15)
LONGEST_WAIT = timedelta(hours=6)
JITTER = 0.2
READ_ANEW_EVERY = timedelta(days=1)  # the window moves on, although the calendar says the same
REFRESH_PAUSE = timedelta(seconds=30)  # between two looks that people ask for


class CalendarKind(StrEnum):
    """What a schedule takes from a calendar."""

    HOLIDAYS = "holidays"  # when layers rest, or work only
    ON_CALL = "on_call"  # who is on call when: a layer's shifts


class CalendarState(StrEnum):
    """How well a calendar is known."""

    WAITING = "waiting"  # it was never read yet
    OK = "ok"
    FAILING = "failing"  # what it said last counts


class Entry(NamedTuple):
    """What a calendar says of one time: what it is, and whose mail address it names."""

    starts_at: datetime
    ends_at: datetime
    summary: str
    mail: str | None


@dataclass(frozen=True)
class Copy:
    """What came when a calendar was fetched; without a body, it said that nothing has changed."""

    body: bytes | None = None
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True)
class Failed:
    """Why there is no copy."""

    error: str


def window(now: datetime) -> Interval:
    """The time that is read out of a calendar."""
    return Interval(now - BACK, now + AHEAD)


def wait(failures: int, *, period: timedelta, chance: float) -> timedelta:
    """How long until a calendar is asked again: twice as long after each failure, and never at
    the same moment as its neighbours."""
    grown: timedelta = min(period * 2.0 ** min(failures, 10), max(LONGEST_WAIT, period))
    return grown * (1 - JITTER / 2 + JITTER * chance)
