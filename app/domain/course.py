"""Who really was on call, and will be as things stand: a schedule through all its versions. Pure.

Each version counts for the time in which it was what the schedule said, so an edit of today
changes nothing of yesterday. The last one counts for all that is to come.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from app.domain.schedule import Schedule, render
from app.domain.timeline import Interval, Stretch, cut, joined


@dataclass(frozen=True)
class Era:
    """What a schedule said, from when to when; None: until now and from now on."""

    since: datetime
    until: datetime | None
    schedule: Schedule


def course(eras: Iterable[Era], during: Interval) -> list[Stretch]:
    """Who was and will be on call; the eras are in order."""
    found: list[Stretch] = []
    for era in eras:
        until = during.ends_at if era.until is None else era.until
        part = cut(Interval(era.since, until), during)
        if part is not None:
            found += render(era.schedule, part)
    return joined(found)
