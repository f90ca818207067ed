"""Shift requests, and the overrides that taking one writes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.shift_request import RequestStatus
from app.domain.timeline import Interval
from app.models import ScheduleOverride, ShiftRequest


async def add(session: WriteSession, request: ShiftRequest) -> ShiftRequest:
    return await base.add(session, request)


async def get(session: ReadSession, request_id: int) -> ShiftRequest | None:
    return await base.get(session, ShiftRequest, request_id)


async def lock(session: WriteSession, request_id: int) -> ShiftRequest | None:
    return await base.lock(session, ShiftRequest, request_id)


@dataclass(frozen=True)
class RequestFilter:
    """Which requests; an empty field does not narrow. `user_id` asks, is asked or has taken."""

    schedule_id: int | None = None
    user_id: int | None = None
    status: Collection[RequestStatus] = ()


async def list_page(
    session: ReadSession, where: RequestFilter, wanted: base.Window
) -> base.Slice[ShiftRequest]:
    """Newest first."""
    statement = select(ShiftRequest)
    if where.schedule_id is not None:
        statement = statement.where(ShiftRequest.schedule_id == where.schedule_id)
    if where.user_id is not None:
        statement = statement.where(
            or_(
                ShiftRequest.asked_by == where.user_id,
                ShiftRequest.asked_of == where.user_id,
                ShiftRequest.taken_by == where.user_id,
            )
        )
    if where.status:
        statement = statement.where(ShiftRequest.status.in_(where.status))
    return await base.window(session, statement, ShiftRequest.id, wanted)


async def open_within(
    session: ReadSession, schedule_id: int, asked_by: int, during: Interval
) -> ShiftRequest | None:
    """An open request of somebody's that gives away some of this time."""
    statement = (
        select(ShiftRequest)
        .where(
            ShiftRequest.schedule_id == schedule_id,
            ShiftRequest.asked_by == asked_by,
            ShiftRequest.status == RequestStatus.OPEN,
            ShiftRequest.starts_at < during.ends_at,
            ShiftRequest.ends_at > during.starts_at,
        )
        .order_by(ShiftRequest.id)
        .limit(1)
    )
    return (await session.scalars(statement)).one_or_none()


async def lock_open_of(
    session: WriteSession, schedule_ids: Collection[int], *, limit: int
) -> Sequence[ShiftRequest]:
    """The open requests of these schedules, held; those that others hold are left."""
    statement = (
        select(ShiftRequest)
        .where(
            ShiftRequest.schedule_id.in_(schedule_ids), ShiftRequest.status == RequestStatus.OPEN
        )
        .order_by(ShiftRequest.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def lock_expired(
    session: WriteSession, *, now: datetime, limit: int
) -> Sequence[ShiftRequest]:
    """Open requests that nobody can take any more, held."""
    statement = (
        select(ShiftRequest)
        .where(ShiftRequest.status == RequestStatus.OPEN, ShiftRequest.expires_at <= now)
        .order_by(ShiftRequest.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def next_expiry(session: ReadSession) -> datetime | None:
    """When the next open request expires."""
    statement = (
        select(ShiftRequest.expires_at)
        .where(ShiftRequest.status == RequestStatus.OPEN)
        .order_by(ShiftRequest.expires_at)
        .limit(1)
    )
    return (await session.scalars(statement)).one_or_none()


async def running_takes(
    session: ReadSession, schedule_id: int, user_id: int, *, at: datetime
) -> Sequence[ScheduleOverride]:
    """The overrides by which somebody has put themselves on call, all alone, at an instant."""
    statement = (
        select(ScheduleOverride)
        .where(
            ScheduleOverride.schedule_id == schedule_id,
            ScheduleOverride.user_id == user_id,
            ScheduleOverride.created_by == user_id,
            ScheduleOverride.replaces.is_(None),
            ScheduleOverride.removed_at.is_(None),
            ScheduleOverride.starts_at <= at,
            ScheduleOverride.ends_at > at,
        )
        .order_by(ScheduleOverride.id)
    )
    return (await session.scalars(statement)).all()


async def flush(session: WriteSession) -> None:
    """Write what was changed, so that what is read next knows it."""
    await session.flush()
