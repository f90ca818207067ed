"""Who changed a schedule lately, or agreed to a change: they need not be told of it."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import or_, select

from app.db.session import ReadSession
from app.models import ScheduleOverride, ScheduleVersion, ShiftRequest, TemporarySchedule


async def makers(session: ReadSession, since: Mapping[int, datetime]) -> dict[int, set[int]]:
    """Those who did, by schedule: since when is asked of each."""
    found: dict[int, set[int]] = defaultdict(set)
    for schedule_id, then in since.items():
        for user_id in await _of(session, schedule_id, then):
            found[schedule_id].add(user_id)
    return found


async def _of(session: ReadSession, schedule_id: int, then: datetime) -> set[int]:
    found: set[int | None] = set(
        await session.scalars(
            select(ScheduleVersion.changed_by).where(
                ScheduleVersion.schedule_id == schedule_id, ScheduleVersion.known_from >= then
            )
        )
    )
    for kind in (ScheduleOverride, TemporarySchedule):
        rows = await session.execute(
            select(kind.created_by, kind.removed_by, kind.created_at).where(
                kind.schedule_id == schedule_id,
                kind.ends_at > then,
                or_(kind.created_at >= then, kind.removed_at >= then),
            )
        )
        for created_by, removed_by, created_at in rows.tuples():
            found.add(removed_by)
            if created_at >= then:
                found.add(created_by)
    rows_of_two = await session.execute(
        select(ShiftRequest.asked_by, ShiftRequest.taken_by).where(
            ShiftRequest.schedule_id == schedule_id,
            ShiftRequest.settled_at >= then,
            ShiftRequest.taken_by.is_not(None),
        )
    )
    for two in rows_of_two.tuples():
        found.update(two)
    return {user_id for user_id in found if user_id is not None}
