"""What was promised after an incident, by whom and until when; when its owner is reminded. Pure.

A day is a day on the clock of whoever owns the item. Two reminders belong to it, each once: on the
morning before, and on the morning after if it is not done by then. A morning that has passed
already when the day is set is nobody's reminder.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

from app.domain.time_zone import zone
from app.domain.wall_clock import first_instant

MORNING = time(9)
DAY = timedelta(days=1)


class ActionItemState(StrEnum):
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    DROPPED = "dropped"  # decided against, which is an answer, too


class ActionItemPriority(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


UNFINISHED = (ActionItemState.OPEN, ActionItemState.IN_PROGRESS)


class ReminderKind(StrEnum):
    DUE = "due"  # tomorrow
    OVERDUE = "overdue"  # since yesterday


class ReminderState(StrEnum):
    PLANNED = "planned"
    TOLD = "told"
    WITHDRAWN = "withdrawn"  # it is done, somebody else's, due another day, or not to be heard


class Reminder(NamedTuple):
    kind: ReminderKind
    due_at: datetime


def reminders(due_on: date, time_zone: str, *, now: datetime) -> Iterator[Reminder]:
    """Those of a day that are still to come, on somebody's clock."""
    for kind in ReminderKind:
        due_at = reminded_at(kind, due_on, time_zone)
        if due_at is not None and due_at > now:
            yield Reminder(kind, due_at)


def reminded_at(kind: ReminderKind, due_on: date, time_zone: str) -> datetime | None:
    """The morning of a reminder; None where the calendar ends."""
    try:
        day = due_on - DAY if kind is ReminderKind.DUE else due_on + DAY
        return first_instant(datetime.combine(day, MORNING), zone(time_zone))
    except OverflowError:
        return None
