"""What people are told of their own duty, and when: it begins, it ends, it comes, it changed. Pure.

A schedule is looked at now and then, and at once after an edit. Each look renders what lies
`AHEAD` and plans everything that is to be told of it, so that the next look need not come before
`LOOK_EVERY`. What the look before knew is kept: where the next day is another one now, those whose
duty changed are told.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from app.domain.notification import Channel
from app.domain.timeline import Interval, Stretch, differences, shifts, union, within

LOOK_EVERY = timedelta(hours=12)
CHANGES_WITHIN = timedelta(hours=24)
LONGEST_LEAD = timedelta(hours=24)  # of a reminder
AHEAD = LOOK_EVERY + max(CHANGES_WITHIN, LONGEST_LEAD)
USUAL_CHANNELS = (Channel.EMAIL, Channel.PUSH, Channel.CHAT)
USUAL_LEAD = 60


class NoticeKind(StrEnum):
    START = "start"
    END = "end"
    REMINDER = "reminder"
    CHANGE = "change"


class NoticeState(StrEnum):
    PLANNED = "planned"
    TOLD = "told"
    WITHDRAWN = "withdrawn"  # it is no longer so, or nobody wants to hear it


@dataclass(frozen=True)
class Wishes:
    """What a person wants to be told of their duty, and over which channels."""

    start: bool = True
    end: bool = False
    change: bool = True
    reminder_minutes: int | None = USUAL_LEAD
    channels: tuple[Channel, ...] = USUAL_CHANNELS

    def wants(self, kind: NoticeKind) -> bool:
        match kind:
            case NoticeKind.START:
                return self.start
            case NoticeKind.END:
                return self.end
            case NoticeKind.REMINDER:
                return self.reminder_minutes is not None
            case NoticeKind.CHANGE:
                return self.change


USUAL = Wishes()


class Plan(NamedTuple):
    """One notice: to whom, of what, and when it is due."""

    user_id: int
    kind: NoticeKind
    about_at: datetime
    due_at: datetime


@dataclass(frozen=True)
class Changed:
    """The times that somebody is newly on call, and those that they are no longer."""

    gained: tuple[Interval, ...]
    lost: tuple[Interval, ...]

    @property
    def begins_at(self) -> datetime:
        return min(part.starts_at for part in (*self.gained, *self.lost))

    @property
    def ends_at(self) -> datetime:
        return max(part.ends_at for part in (*self.gained, *self.lost))


def plans(
    stretches: Sequence[Stretch], wishes: Mapping[int, Wishes], during: Interval
) -> list[Plan]:
    """Everything that is to be told of what begins or ends within a time, its ends excluded.

    A start and an end are planned for those who do not want to hear of them, too: they may
    change their mind before it comes. A reminder may be due already: one that was planned before
    stands, and a new one would come too late.
    """
    found: list[Plan] = []
    for starts_at, ends_at, user_id in shifts(stretches):
        if starts_at > during.starts_at:
            found.append(Plan(user_id, NoticeKind.START, starts_at, starts_at))
            lead = wishes.get(user_id, USUAL).reminder_minutes
            if lead is not None:
                due_at = starts_at - timedelta(minutes=lead)
                found.append(Plan(user_id, NoticeKind.REMINDER, starts_at, due_at))
        if ends_at < during.ends_at:
            found.append(Plan(user_id, NoticeKind.END, ends_at, ends_at))
    return found


def changes(
    before: Sequence[Stretch], after: Sequence[Stretch], during: Interval
) -> dict[int, Changed]:
    """Whose duty within a time is another one, and how."""
    gained: dict[int, list[Interval]] = {}
    lost: dict[int, list[Interval]] = {}
    for since, until, old, new in differences(within(before, [during]), within(after, [during])):
        for user_id in set(new) - set(old):
            gained.setdefault(user_id, []).append(Interval(since, until))
        for user_id in set(old) - set(new):
            lost.setdefault(user_id, []).append(Interval(since, until))
    return {
        user_id: Changed(_whole(gained.get(user_id, ())), _whole(lost.get(user_id, ())))
        for user_id in sorted(gained.keys() | lost.keys())
    }


def _whole(parts: Iterable[Interval]) -> tuple[Interval, ...]:
    return tuple(union(parts))
