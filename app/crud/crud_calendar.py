"""Calendars of others: found, listed, and leased to whoever fetches them.

`next_fetch_at` is also the lease: whoever takes a calendar moves it on, and writes down what came
of it only while nobody else has moved it since.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.orm import undefer

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.calendar import CalendarKind
from app.models import Calendar, Schedule, TemporarySchedule

MOST_FOLLOWERS = 20  # named in a refusal


@dataclass(frozen=True)
class LeasedCalendar:
    """A calendar to be fetched, and until when nobody else will."""

    id: int
    url: str | None
    etag: str | None
    last_modified: str | None
    time_zone: str
    kind: CalendarKind
    until: datetime


async def get(session: ReadSession, calendar_id: int) -> Calendar | None:
    found = await base.get(session, Calendar, calendar_id)
    return found if found is not None and found.deleted_at is None else None


async def lock(session: WriteSession, calendar_id: int) -> Calendar | None:
    """The calendar, held until commit."""
    found = await base.lock(session, Calendar, calendar_id)
    return found if found is not None and found.deleted_at is None else None


async def lock_whole(session: WriteSession, calendar_id: int) -> Calendar | None:
    """The calendar with its last copy, held until commit."""
    statement = (
        select(Calendar)
        .options(undefer(Calendar.body))
        .where(Calendar.id == calendar_id, Calendar.deleted_at.is_(None))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()


async def whole(session: ReadSession, calendar_id: int) -> Calendar | None:
    """The calendar with its last copy."""
    statement = (
        select(Calendar)
        .options(undefer(Calendar.body))
        .where(Calendar.id == calendar_id, Calendar.deleted_at.is_(None))
    )
    return (await session.scalars(statement)).one_or_none()


async def list_page(
    session: ReadSession, wanted: base.Window, *, kind: CalendarKind | None = None
) -> base.Slice[Calendar]:
    """Those of one kind; None: all."""
    statement = select(Calendar).where(Calendar.deleted_at.is_(None))
    if kind is not None:
        statement = statement.where(Calendar.kind == kind)
    return await base.window(session, statement, Calendar.id, wanted, descending=False)


async def count(session: ReadSession) -> int:
    statement = select(func.count()).where(Calendar.deleted_at.is_(None))
    return (await session.scalars(statement)).one()


async def followers(session: ReadSession, calendar_id: int, *, now: datetime) -> Sequence[Schedule]:
    """Some of the schedules that take their shifts or holidays from it."""
    temporary = exists().where(
        TemporarySchedule.schedule_id == Schedule.id,
        TemporarySchedule.removed_at.is_(None),
        TemporarySchedule.ends_at > now,
        TemporarySchedule.layers.contains([{"calendar": calendar_id}]),
    )
    statement = (
        select(Schedule)
        .where(
            Schedule.deleted_at.is_(None),
            or_(
                Schedule.layers.contains([{"calendar": calendar_id}]),
                Schedule.holidays.contains([calendar_id]),
                temporary,
            ),
        )
        .order_by(Schedule.id)
        .limit(MOST_FOLLOWERS)
    )
    return (await session.scalars(statement)).all()


async def add(session: WriteSession, calendar: Calendar) -> Calendar:
    return await base.add(session, calendar)


async def lease_due(
    session: WriteSession, *, now: datetime, until: datetime, limit: int
) -> Sequence[LeasedCalendar]:
    """Calendars that are due and that nobody has, the most overdue first."""
    due = (
        select(Calendar.id)
        .where(Calendar.next_fetch_at <= now)
        .order_by(Calendar.next_fetch_at, Calendar.id)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
        .cte("due")
    )
    leased = (
        update(Calendar)
        .where(Calendar.id == due.c.id)
        .values(next_fetch_at=until)
        .returning(
            Calendar.id,
            Calendar.url,
            Calendar.etag,
            Calendar.last_modified,
            Calendar.time_zone,
            Calendar.kind,
        )
        .execution_options(synchronize_session=False)
    )
    return [
        LeasedCalendar(**row, until=until) for row in (await session.execute(leased)).mappings()
    ]


async def next_fetch_at(session: ReadSession) -> datetime | None:
    """When the next of all calendars is due."""
    statement = select(func.min(Calendar.next_fetch_at)).where(Calendar.next_fetch_at.is_not(None))
    return (await session.scalars(statement)).one()
