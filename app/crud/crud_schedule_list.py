"""Schedules as lists: by page, by name, by who is in them, and what uses them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, cast, exists, false, func, or_, select
from sqlalchemy.dialects.postgresql import JSONPATH

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.calendar import CalendarKind
from app.models import (
    Calendar,
    CalendarShift,
    EscalationPolicy,
    Schedule,
    ScheduleOverride,
    Service,
    TemporarySchedule,
)

NAMING = 6_104_772_915  # an advisory lock


class ScheduleOrder(StrEnum):
    ID = "id"
    NAME = "name"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"


ORDERS: base.Orders = {
    ScheduleOrder.NAME: func.lower(Schedule.name),
    ScheduleOrder.CREATED_AT: Schedule.created_at,
    ScheduleOrder.UPDATED_AT: Schedule.updated_at,
}


@dataclass(frozen=True)
class ScheduleFilter:
    """Which schedules; an empty field does not narrow.

    `search` is a part of a name; `user_id` has a part in it that is not over by `now`.
    """

    now: datetime
    team_id: int | None = None
    user_id: int | None = None
    search: str | None = None


async def page(
    session: ReadSession, where: ScheduleFilter, wanted: base.Window
) -> base.Slice[Schedule]:
    """In the order in which they were made, unless another is wanted."""
    statement = select(Schedule).where(Schedule.deleted_at.is_(None))
    if where.team_id is not None:
        statement = statement.where(Schedule.team_id == where.team_id)
    if where.user_id is not None:
        statement = statement.where(_has(where.user_id, where.now))
    if where.search is not None:
        statement = statement.where(Schedule.name.icontains(where.search, autoescape=True))
    return await base.window(
        session, statement, Schedule.id, wanted, descending=False, orders=ORDERS
    )


async def of_person(
    session: ReadSession, user_id: int, *, since: datetime, limit: int
) -> Sequence[Schedule]:
    """The first schedules that could put somebody on call from then on."""
    statement = select(Schedule).where(Schedule.deleted_at.is_(None), _has(user_id, since))
    return (await session.scalars(statement.order_by(Schedule.id).limit(limit))).all()


async def of_people(
    session: ReadSession, user_ids: Collection[int], *, since: datetime, limit: int
) -> set[int]:
    """The first schedules that could put one of these people on call from then on."""
    parts = [_has(user_id, since) for user_id in sorted(user_ids)]
    statement = select(Schedule.id).where(Schedule.deleted_at.is_(None), or_(false(), *parts))
    return set(await session.scalars(statement.order_by(Schedule.id).limit(limit)))


def _has(user_id: int, since: datetime) -> ColumnElement[bool]:
    override, temporary = ScheduleOverride, TemporarySchedule
    return or_(
        _named_in(Schedule.layers, user_id),
        exists().where(
            override.schedule_id == Schedule.id,
            override.user_id == user_id,
            override.ends_at > since,
        ),
        exists().where(
            temporary.schedule_id == Schedule.id,
            temporary.ends_at > since,
            _named_in(temporary.layers, user_id) | _given_in(temporary.layers, user_id, since),
        ),
        _given_in(Schedule.layers, user_id, since),
    )


def _named_in(layers: Any, user_id: int) -> ColumnElement[bool]:
    # Contained, not searched for: an index of the layers finds it.
    return or_(
        layers.contains([{"rotation": {"participants": [user_id]}}]),
        layers.contains([{"shifts": [{"user": user_id}]}]),
    )


def _given_in(layers: Any, user_id: int, since: datetime) -> ColumnElement[bool]:
    shift = CalendarShift
    calendar = func.jsonb_build_array(func.jsonb_build_object("calendar", shift.calendar_id))
    return exists().where(
        shift.user_id == user_id, shift.ends_at > since, layers.contains(calendar)
    )


async def by_name(session: ReadSession, name: str) -> Schedule | None:
    statement = select(Schedule).where(Schedule.name == name, Schedule.deleted_at.is_(None))
    return (await session.scalars(statement)).one_or_none()


async def by_ids(session: ReadSession, ids: Collection[int]) -> dict[int, Schedule]:
    """Those of these schedules that are there."""
    statement = select(Schedule).where(Schedule.id.in_(ids), Schedule.deleted_at.is_(None))
    return {schedule.id: schedule for schedule in await session.scalars(statement)}


async def count(session: ReadSession) -> int:
    statement = select(func.count()).where(Schedule.deleted_at.is_(None))
    return (await session.scalars(statement)).one()


async def wait_for_other_names(session: WriteSession) -> None:
    """Names are given one after another, so that nobody meets one that is taken meanwhile."""
    await session.execute(select(func.pg_advisory_xact_lock(NAMING)))


def _pages_by(schedule_id: int) -> ColumnElement[bool]:
    return func.jsonb_path_exists(
        EscalationPolicy.steps,
        cast("$[*].actions[*].target ? (@.schedule == $id)", JSONPATH),
        func.jsonb_build_object("id", schedule_id),
    )


async def policies_by(session: ReadSession, schedule_id: int) -> set[int]:
    """The policies that page whoever is on call by a schedule."""
    return set(await session.scalars(select(EscalationPolicy.id).where(_pages_by(schedule_id))))


async def used_by(session: ReadSession, schedule_id: int) -> dict[str, list[str]]:
    """The names of the policies and services that go by a schedule, by kind."""
    wanted = _pages_by(schedule_id)
    policies = select(EscalationPolicy.name).where(wanted).order_by(EscalationPolicy.id)
    services = select(Service.name).where(Service.schedule_id == schedule_id).order_by(Service.id)
    return {
        "policies": list((await session.scalars(policies)).all()),
        "services": list((await session.scalars(services)).all()),
    }


async def calendars(session: ReadSession, ids: Collection[int]) -> dict[int, CalendarKind]:
    """What each of these calendars gives; those that are not there are left out."""
    statement = select(Calendar.id, Calendar.kind).where(
        Calendar.id.in_(ids), Calendar.deleted_at.is_(None)
    )
    return dict((await session.execute(statement)).tuples().all())


async def share_calendars(session: WriteSession, ids: Collection[int]) -> None:
    """Nobody deletes one of these calendars before the caller's commit."""
    if ids:
        held = select(Calendar.id).where(Calendar.id.in_(ids)).order_by(Calendar.id)
        await session.execute(held.with_for_update(read=True))
