"""Who takes whose shift: cover that is asked for, swaps that are offered. Pure.

A request names a time in which the asker is on call; a swap also a time in which the person asked
is. It is open until somebody takes it, the person asked declines, the asker cancels, its time is
over (expired), or an edit of the schedule takes the shift away (stale). What was taken can be
given back: until the shift begins by either of the two, after that by whoever gets it back.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from app.domain.schedule import Override, swap
from app.domain.timeline import Interval, Shift, Stretch, gaps, joined

LONGEST = timedelta(days=92)  # of what one request gives away
SOONEST_END = timedelta(minutes=1)  # what is shorter is not worth handing over


class RequestKind(StrEnum):
    COVER = "cover"  # somebody else takes a shift, or a part of it
    SWAP = "swap"  # two people take each other's


class RequestStatus(StrEnum):
    OPEN = "open"
    TAKEN = "taken"
    DECLINED = "declined"  # by the person who was asked
    CANCELLED = "cancelled"  # by whoever asked
    EXPIRED = "expired"  # nobody took it in time
    STALE = "stale"  # the schedule was edited, and the shift is no longer theirs
    GIVEN_BACK = "given_back"  # it was taken, and is as before


def expires_at(kind: RequestKind, given: Interval, wanted: Interval | None) -> datetime:
    """When nobody can take it any more: cover while some of it is left, a swap until it begins."""
    if kind is RequestKind.COVER or wanted is None:
        return given.ends_at
    return min(given.starts_at, wanted.starts_at)


def is_on_call(stretches: Sequence[Stretch], user_id: int, during: Interval) -> bool:
    """Whether somebody is on call at every instant of a time."""
    theirs = [stretch for stretch in stretches if user_id in stretch.people]
    held = [Stretch(*part[:2], (user_id,)) for part in theirs]
    return not gaps(joined(held), during)


def is_free(stretches: Sequence[Stretch], user_id: int, during: Interval) -> bool:
    """Whether somebody is on call at no instant of a time."""
    return not any(
        user_id in stretch.people
        and stretch.starts_at < during.ends_at
        and during.starts_at < stretch.ends_at
        for stretch in stretches
    )


def overrides(
    asker: int, taker: int, given: Interval, wanted: Interval | None
) -> tuple[Override, ...]:
    """What makes it so: for cover one override, for a swap two. Nobody else's time changes."""
    if wanted is None:
        return (Override(*given, taker, replaces=asker),)
    return swap(Shift(*given, asker), Shift(*wanted, taker))
