"""Figures: which time is meant, and what is counted in it, put together for people.

What is asked for is bounded before anything is counted: no figure may keep the database, or this
process, busy for longer than whoever pages can spare.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.core.errors import InvalidInputError, NotFoundError
from app.crud import crud_figures, crud_figures_people, crud_schedule, crud_team, crud_user
from app.crud.crud_figures import FiguresFilter, Load, Part
from app.crud.crud_figures_people import MOST_VERSIONS, Known, Noise, Paged
from app.db.session import ReadSession
from app.domain import schedule as engine
from app.domain.figures import (
    LONGEST_SPAN,
    USUAL_SPAN,
    WEEKDAYS,
    Duty,
    Per,
    Taken,
    ahead,
    before,
    duties,
    parts,
    shares,
)
from app.domain.timeline import Interval, Stretch

LONGEST_NOISE = timedelta(days=92)  # its rows are looked at one by one
MOST_PARTS = 400
# Renderings cost what they are long: so many days of schedules are rendered for one answer.
MOST_DAYS = 31_000
MOST_EDITS = 200  # each is loaded by itself
INSTANT = timedelta.resolution


class SpanTooWideError(InvalidInputError):
    """More is asked for than is counted at once."""

    code = "SPAN_TOO_WIDE"


@dataclass(frozen=True)
class Trend:
    """The parts of a time, and the time before it as a whole."""

    parts: Sequence[tuple[Interval, Part]]
    total: Part
    before: Interval
    total_before: Part


@dataclass(frozen=True)
class OnCall:
    """One person's duties, what part they are of everybody's."""

    user_id: int
    name: str
    time_zone: str
    duty: Duty
    share_of_hours: float
    share_of_nights: float
    share_of_weekends: float


@dataclass(frozen=True)
class Answering:
    """What one person was paged with, and was the first to acknowledge."""

    paged: Paged
    acknowledged: Taken


def span(
    since: datetime | None,
    until: datetime | None,
    *,
    now: datetime,
    longest: timedelta = LONGEST_SPAN,
) -> Interval:
    """The time that is meant: up to now, and thirty days long, where nothing else is said."""
    ends_at = until or now
    starts_at = since or ends_at - USUAL_SPAN
    if starts_at >= ends_at:
        raise InvalidInputError("`since` must be before `until`.", field="since")
    if ends_at - starts_at > longest:
        raise SpanTooWideError(
            f"At most {longest.days} days are counted at once; name a nearer `since` or an earlier"
            " `until`.",
            field="since",
            most_days=longest.days,
        )
    return Interval(starts_at, ends_at)


async def require_team(session: ReadSession, team_id: int | None) -> None:
    """A figure about a team that is not there would be a zero that says nothing."""
    if team_id is not None and await crud_team.get(session, team_id) is None:
        raise NotFoundError("team", team_id)


async def by_hour(
    session: ReadSession, where: FiguresFilter, zone_name: str
) -> dict[tuple[int, int], int]:
    """How many were opened by day of the week and hour, on that zone's clock; each of them, even
    if none were."""
    counted = await crud_figures.by_clock(session, where, ahead(zone_name, where.during))
    return {
        (day, hour): counted.get((day, hour), 0)
        for day in range(len(WEEKDAYS))
        for hour in range(24)
    }


async def trend(session: ReadSession, where: FiguresFilter, per: Per, zone_name: str) -> Trend:
    """What was opened from part to part, beside the time before that was as long."""
    told = parts(where.during, per, zone_name)
    if len(told) > MOST_PARTS:
        raise SpanTooWideError(f"At most {MOST_PARTS} parts are told at once.", field="per")
    counted = await crud_figures.trend(session, where, [part.starts_at for part in told])
    past = before(where.during)
    earlier = replace(where, during=past)
    whole = await crud_figures.trend(session, earlier, [past.starts_at])
    return Trend(
        [(part, counted.get(number, Part.none(number))) for number, part in enumerate(told)],
        Part.of(counted.values()),
        past,
        whole.get(0, Part.none(0)),
    )


async def load(session: ReadSession, where: FiguresFilter, *, now: datetime) -> Load:
    """What is unresolved now, and how many were resolved within seven days."""
    lately = Interval(now - crud_figures.LATELY, now)
    return await crud_figures.load(session, replace(where, during=lately))


async def pages(session: ReadSession, where: FiguresFilter) -> list[Answering]:
    """What everybody was paged with, and acknowledged first."""
    await crud_figures.prepare(session)
    clocks = {name: ahead(name, where.during) for name in await crud_figures_people.zones(session)}
    paged = await crud_figures_people.paged(session, where, clocks)
    answered = await crud_figures.answered(session, where)
    named = {one.user_id for one in paged}
    others = [user_id for user_id in answered if user_id is not None and user_id not in named]
    users = await crud_user.by_ids(session, others)
    unpaged = [
        Paged(user.id, user.display_name, user.time_zone, 0, 0, 0, 0, 0)
        for _, user in sorted(users.items())
    ]
    return [
        Answering(one, answered.get(one.user_id, Taken()))
        for one in [*paged, *unpaged][: crud_figures_people.MOST_PEOPLE]
    ]


async def noise(session: ReadSession, where: FiguresFilter) -> list[Noise]:
    """The problems that were opened most often."""
    await crud_figures.prepare(session)
    return await crud_figures_people.noise(session, where)


# --- Being on call


async def on_call(
    session: ReadSession, schedule_ids: Collection[int], during: Interval, *, now: datetime
) -> list[OnCall]:
    """How long everybody was on call, by these schedules or by all, as it was known then.

    What a schedule says now does not change who was on call by what it said before. A time that
    is still to come is told as it is known now.
    """
    known = await crud_figures_people.schedules(session, schedule_ids, during)
    _require_few(known)
    timelines: list[tuple[engine.Schedule, Interval]] = []
    for as_of, group in _by_time(known, now).items():
        ids = {one.schedule_id for one in group}
        loaded = await crud_schedule.load(session, ids, as_of=as_of, during=during)
        timelines += [
            (loaded[one.schedule_id], one.during) for one in group if one.schedule_id in loaded
        ]
    # So long a calculation must not hold up whoever else is answered by this process.
    renderings = await asyncio.to_thread(_rendered, timelines)
    named = {user_id for stretches in renderings for each in stretches for user_id in each.people}
    users = await crud_user.by_ids(session, named)
    zones = {user_id: user.time_zone for user_id, user in users.items()}
    found = duties(renderings, zones, during)
    parts_of = shares(found.values())
    told = [
        OnCall(user_id, users[user_id].display_name, zones[user_id], duty, *part)
        for (user_id, duty), part in zip(found.items(), parts_of, strict=True)
        if user_id in users
    ]
    return sorted(told, key=lambda one: (-one.duty.total, one.user_id))


def _require_few(known: Sequence[Known]) -> None:
    days = sum((one.during.ends_at - one.during.starts_at for one in known), timedelta()).days
    edits = sum(not one.is_current for one in known)
    if len(known) > MOST_VERSIONS or edits > MOST_EDITS or days > MOST_DAYS:
        raise SpanTooWideError(
            f"At most {MOST_DAYS:,} days of schedules, edited {MOST_EDITS} times in them, are"
            " counted at once; name a shorter time, or some schedules by `schedule_id`.",
            field="schedule_id",
            most_days=MOST_DAYS,
        )


def _by_time(known: Sequence[Known], now: datetime) -> Mapping[datetime | None, list[Known]]:
    """What is loaded together: all that still holds, and each earlier version as of its end."""
    groups: dict[datetime | None, list[Known]] = {}
    for one in known:
        as_of = None if one.is_current else min(one.during.ends_at, now) - INSTANT
        groups.setdefault(as_of, []).append(one)
    return groups


def _rendered(timelines: Sequence[tuple[engine.Schedule, Interval]]) -> list[list[Stretch]]:
    return [engine.render(schedule, during) for schedule, during in timelines]


def fairness(part: float, people: int) -> float:
    """How much somebody bears beside an equal share: 1 is just that, 2 twice as much."""
    return round(part * people, 2)
