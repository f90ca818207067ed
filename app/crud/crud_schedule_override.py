"""What people change about schedules for a while: overrides and temporary schedules.

Whoever adds or removes one holds the schedule's row, so the later is always the later.
"""

from datetime import datetime
from typing import TypeVar

from sqlalchemy import func, select

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.models import ScheduleOverride, TemporarySchedule

Passing = TypeVar("Passing", ScheduleOverride, TemporarySchedule)


async def get(
    session: ReadSession, kind: type[Passing], schedule_id: int, number: int
) -> Passing | None:
    found = await base.get(session, kind, number)
    return found if found is not None and found.schedule_id == schedule_id else None


async def add(session: WriteSession, row: Passing) -> Passing:
    return await base.add(session, row)


async def page(
    session: ReadSession,
    kind: type[Passing],
    schedule_id: int,
    during: base.Span,
    wanted: base.Window,
    *,
    removed: bool,
) -> base.Slice[Passing]:
    """Those that touch a time, the newest first; `removed`: those that were taken back, too."""
    statement = select(kind).where(kind.schedule_id == schedule_id)
    if not removed:
        statement = statement.where(kind.removed_at.is_(None))
    if during.since is not None:
        statement = statement.where(kind.ends_at > during.since)
    if during.until is not None:
        statement = statement.where(kind.starts_at < during.until)
    return await base.window(session, statement, kind.id, wanted)


async def count_ahead(
    session: ReadSession, kind: type[Passing], schedule_id: int, *, now: datetime
) -> int:
    """How many are not over and not taken back."""
    statement = select(func.count()).where(
        kind.schedule_id == schedule_id, kind.ends_at > now, kind.removed_at.is_(None)
    )
    return (await session.scalars(statement)).one()
