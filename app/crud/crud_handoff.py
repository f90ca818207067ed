"""What a hand-off brief is made of: incidents, pages, overrides and requests of one shift.

Each list is bounded, and found by the people of the shift or by the schedule: what an installation
holds besides costs nothing.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, union

from app.db.session import ReadSession
from app.domain.incident import IncidentStatus
from app.domain.notification import Channel, NotificationKind
from app.domain.shift_request import RequestStatus
from app.domain.timeline import Interval
from app.models import (
    Incident,
    Notification,
    ScheduleOverride,
    Service,
    ShiftRequest,
)

UNRESOLVED = (IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED)
COMING = (RequestStatus.OPEN, RequestStatus.TAKEN)


async def unresolved(
    session: ReadSession,
    schedule_id: int,
    people: Collection[int],
    shift: Interval,
    *,
    limit: int,
    most: int,
) -> tuple[Sequence[Incident], int]:
    """Incidents that are not over, of the services that use a schedule or that paged these people
    in their shift, the worst first; and how many there are, up to `most`."""
    served = (
        select(Incident.id)
        .join(Service, Service.name == Incident.service)
        .where(Service.schedule_id == schedule_id, Incident.status.in_(UNRESOLVED))
    )
    paged = (
        select(Incident.id)
        .join(Notification, Notification.incident_id == Incident.id)
        .where(Incident.status.in_(UNRESOLVED), *_pages_to(people, shift))
    )
    which = union(served, paged).subquery()
    theirs = (
        select(Incident)
        .join(which, which.c.id == Incident.id)
        .where(Incident.deleted_at.is_(None), ~Incident.is_drill)
    )
    counted = theirs.with_only_columns(Incident.id).limit(most).subquery()
    total = (await session.scalars(select(func.count()).select_from(counted))).one()
    worst = func.array_position(["critical", "high", "medium", "low"], Incident.severity)
    rows = await session.scalars(theirs.order_by(worst, Incident.id.desc()).limit(limit))
    return rows.all(), total


async def pages(
    session: ReadSession, people: Collection[int], shift: Interval, *, limit: int
) -> Sequence[tuple[int, datetime, int, str, str | None, str]]:
    """The pages that these people were sent in their shift, the newest of many: to whom, when, and
    of which incident its id, title, dedup key and service."""
    statement = (
        select(
            Notification.user_id,
            Notification.claimed_at,
            Incident.id,
            Incident.title,
            Incident.dedup_key,
            Incident.service,
        )
        .join(Incident, Incident.id == Notification.incident_id)
        .where(~Incident.is_drill, *_pages_to(people, shift))
        .order_by(Notification.claimed_at.desc())
        .limit(limit)
    )
    found = (await session.execute(statement)).tuples().all()
    return [
        (user_id, claimed_at, incident_id, title, dedup_key, service)
        for user_id, claimed_at, incident_id, title, dedup_key, service in found
        if user_id is not None and claimed_at is not None
    ]


async def overrides(
    session: ReadSession, schedule_id: int, during: Interval, *, limit: int
) -> Sequence[ScheduleOverride]:
    """The overrides that count in some of a time, in the order in which they begin."""
    statement = (
        select(ScheduleOverride)
        .where(
            ScheduleOverride.schedule_id == schedule_id,
            ScheduleOverride.ends_at > during.starts_at,
            ScheduleOverride.starts_at < during.ends_at,
            ScheduleOverride.removed_at.is_(None),
        )
        .order_by(ScheduleOverride.starts_at, ScheduleOverride.id)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def requests(
    session: ReadSession, schedule_id: int, during: Interval, *, limit: int
) -> Sequence[ShiftRequest]:
    """Cover and swaps that are open, or taken, and change some of a time."""
    touches = [
        (ShiftRequest.starts_at < during.ends_at) & (ShiftRequest.ends_at > during.starts_at),
        (ShiftRequest.wanted_from < during.ends_at)
        & (ShiftRequest.wanted_until > during.starts_at),
    ]
    statement = (
        select(ShiftRequest)
        .where(
            ShiftRequest.schedule_id == schedule_id,
            ShiftRequest.status.in_(COMING),
            or_(*touches),
        )
        .order_by(ShiftRequest.starts_at, ShiftRequest.id)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


def _pages_to(people: Collection[int], shift: Interval) -> list[ColumnElement[bool]]:
    # Each channel is named, because the index has them between the person and the time.
    return [
        Notification.kind == NotificationKind.PAGE,
        Notification.user_id.in_(people),
        Notification.channel.in_(Channel),
        Notification.claimed_at >= shift.starts_at,
        Notification.claimed_at < shift.ends_at,
    ]
