"""Who is on call: every question about now, and about one person, goes through here.

Whoever was deactivated or deleted stays in the schedule, where the checks find them, but is on
call for nobody: a page goes to those who can take it. What is past is told as it was.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.core.errors import NotFoundError
from app.crud import crud_schedule, crud_schedule_list, crud_user
from app.db.session import ReadSession
from app.domain import on_call as engine
from app.domain.course import course
from app.domain.schedule import Schedule
from app.domain.time_zone import time_zone_version
from app.domain.timeline import Interval, Stretch, shifts
from app.models import Schedule as ScheduleRow
from app.services.rota import (
    MOST_STRETCHES,
    local_time,
    require_past,
    require_short,
    too_long,
)
from app.services.rota_people import Person, able, named, those

MOST_SCHEDULES = 100  # of one person
MOST_VERSIONS = 5_000  # of all schedules together; the first of more
LOOK_AHEAD = timedelta(days=31)


@dataclass(frozen=True)
class Next:
    at: datetime
    people: list[Person]


@dataclass(frozen=True)
class OnCall:
    """Who is on call by one schedule at an instant, and who follows."""

    schedule_id: int
    schedule_name: str
    time_zone: str
    at: datetime
    known_at: datetime
    on_call: list[Person]
    next: Next | None
    time_zone_version: str = field(default_factory=time_zone_version)

    @property
    def local_time(self) -> str:
        return local_time(self.at, self.time_zone)


@dataclass(frozen=True)
class Duty:
    """Who is on call by one of many schedules now."""

    schedule_id: int
    schedule_name: str
    team_id: int | None
    time_zone: str
    on_call: list[Person]
    next: Next | None


@dataclass(frozen=True)
class PersonalShift:
    """A time in which somebody is on call by one schedule."""

    starts_at: datetime
    ends_at: datetime
    schedule_id: int
    schedule_name: str


@dataclass(frozen=True)
class Personal:
    """When somebody is on call, by all schedules together."""

    user_id: int
    at: datetime
    now: list[PersonalShift]
    next: PersonalShift | None
    shifts: list[PersonalShift]
    since: datetime
    until: datetime
    time_zone_version: str = field(default_factory=time_zone_version)


async def who(
    session: ReadSession, schedule_ids: Collection[int], *, at: datetime
) -> dict[int, tuple[int, ...]]:
    """The active people on call by each schedule at an instant; a schedule that is not there is
    left out, one with nobody on call is empty."""
    during = Interval(at, at + engine.INSTANT)
    schedules = await crud_schedule.load(session, schedule_ids, during=during)
    found = {number: engine.on_call(schedule, at) for number, schedule in schedules.items()}
    named = {user_id for people in found.values() for user_id in people}
    users = await crud_user.by_ids(session, named)
    return {
        number: tuple(one for one in people if one in users and users[one].is_active)
        for number, people in found.items()
    }


async def courses(
    session: ReadSession, schedule_ids: Collection[int], during: Interval
) -> dict[int, list[Stretch]]:
    """Who was on call in a time and will be, by schedule: of the past as it was, whatever was
    edited since; also by those that are deleted."""
    eras = await crud_schedule.eras(session, schedule_ids, during, limit=MOST_VERSIONS)
    return await asyncio.to_thread(
        lambda: {number: course(found, during) for number, found in eras.items()}
    )


async def at_instant(
    session: ReadSession,
    schedule_id: int,
    *,
    at: datetime,
    known_at: datetime | None,
    now: datetime,
) -> OnCall:
    """Who is or was on call, as known then: of the past, as known when it was the present."""
    known = require_past(known_at, now) if known_at is not None else min(at, now)
    version = await crud_schedule.version_at(session, schedule_id, known)
    if version is None:
        raise NotFoundError("schedule", schedule_id)
    loaded = await crud_schedule.load(session, [schedule_id], as_of=known)
    schedule = loaded[schedule_id]
    people, after = await asyncio.to_thread(_at, schedule, at, engine.HORIZON)
    users = await named(session, {*people, *(after.people if after else ())})
    return OnCall(
        schedule_id,
        version.name,
        schedule.time_zone,
        at,
        known,
        able(users, people) if at >= now else those(users, people),
        after and Next(after.at, those(users, after.people)),
    )


async def duties(
    session: ReadSession, schedules: Sequence[ScheduleRow], *, now: datetime
) -> list[Duty]:
    """Who is on call by these schedules now, and who follows soon."""
    ahead = Interval(now, now + LOOK_AHEAD)
    loaded = await crud_schedule.load(session, [one.id for one in schedules], during=ahead)

    def look() -> dict[int, tuple[tuple[int, ...], engine.Change | None]]:
        return {number: _at(one, now, LOOK_AHEAD) for number, one in loaded.items()}

    found = await asyncio.to_thread(look)
    everybody = {user for people, _ in found.values() for user in people}
    everybody |= {user for _, after in found.values() if after for user in after.people}
    users = await named(session, everybody)
    told = []
    for one in schedules:
        if one.id not in found:
            continue  # deleted since it was listed
        people, after = found[one.id]
        follows = after and Next(after.at, those(users, after.people))
        told.append(
            Duty(one.id, one.name, one.team_id, one.time_zone, able(users, people), follows)
        )
    return told


async def of_person(
    session: ReadSession, user_id: int, during: Interval, *, now: datetime
) -> Personal:
    """When somebody is on call, by any schedule."""
    require_short(during)
    if user_id not in await crud_user.by_ids(session, {user_id}):
        raise NotFoundError("user", user_id)
    whole = Interval(min(during.starts_at, now), max(during.ends_at, now + engine.INSTANT))
    rows = await crud_schedule_list.of_person(
        session, user_id, since=whole.starts_at, limit=MOST_SCHEDULES
    )
    found_in = await courses(session, [row.id for row in rows], whole)

    def look() -> list[PersonalShift]:
        found = [
            PersonalShift(starts_at, ends_at, row.id, row.name)
            for row in rows
            for starts_at, ends_at, who_is in shifts(found_in.get(row.id, ()))
            if who_is == user_id
        ]
        return sorted(found, key=lambda one: (one.starts_at, one.schedule_id))

    found = await asyncio.to_thread(look)
    asked = [
        one for one in found if one.starts_at < during.ends_at and one.ends_at > during.starts_at
    ]
    if len(asked) > MOST_STRETCHES:
        raise too_long()
    return Personal(
        user_id,
        now,
        [one for one in found if one.starts_at <= now < one.ends_at],
        next((one for one in found if one.starts_at > now), None),
        asked,
        *during,
    )


def _at(
    schedule: Schedule, at: datetime, horizon: timedelta
) -> tuple[tuple[int, ...], engine.Change | None]:
    return engine.on_call(schedule, at), engine.next_change(schedule, at, horizon=horizon)
