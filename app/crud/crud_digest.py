"""Summaries: who wants one when, those that were made, and what they count.

What is counted follows what happened in the time, by indexes of incidents and of pages that were
sent; the lists are bounded.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.digest import DigestFrequency
from app.domain.incident import IncidentStatus, Severity
from app.domain.notification import NotificationKind
from app.domain.timeline import Interval
from app.models import (
    INCIDENTS,
    Digest,
    DigestPreference,
    Incident,
    IncidentTally,
    Notification,
)

MOST_LISTED = 5
UNRESOLVED = (IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED)
COUNTS = (Incident.deleted_at.is_(None), ~Incident.is_drill)


# --- Who wants one ------------------------------------------------------------------------


async def preference(session: ReadSession, user_id: int) -> DigestPreference | None:
    return await base.get(session, DigestPreference, user_id)


async def add_preference(session: WriteSession, row: DigestPreference) -> DigestPreference:
    return await base.add(session, row)


async def next_at(session: ReadSession) -> datetime | None:
    """When the next summary is due."""
    statement = select(func.min(DigestPreference.next_at)).where(
        DigestPreference.next_at.is_not(None)
    )
    return await session.scalar(statement)


async def lock_due(session: WriteSession, *, now: datetime) -> DigestPreference | None:
    """Whose summary is due longest, held; who is held by somebody else is left to them."""
    statement = (
        select(DigestPreference)
        .where(DigestPreference.next_at <= now)
        .order_by(DigestPreference.next_at, DigestPreference.user_id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()


async def put_off(session: WriteSession, user_id: int, *, until: datetime) -> None:
    """Let somebody's summary wait: it could not be made."""
    statement = (
        update(DigestPreference).where(DigestPreference.user_id == user_id).values(next_at=until)
    )
    await session.execute(statement.execution_options(synchronize_session=False))


# --- What was made ------------------------------------------------------------------------


async def last_until(
    session: ReadSession, user_id: int, frequency: DigestFrequency, before: date
) -> datetime | None:
    """Up to when the last summary told, of an earlier day and the same rhythm."""
    statement = (
        select(Digest.until)
        .where(Digest.user_id == user_id, Digest.frequency == frequency, Digest.day < before)
        .order_by(Digest.day.desc())
        .limit(1)
    )
    found: datetime | None = await session.scalar(statement)
    return found


async def claim_day(session: WriteSession, digest: Digest) -> int | None:
    """Make this the summary of its day; None if there is one."""
    values = {
        name: getattr(digest, name)
        for name in ("user_id", "day", "frequency", "since", "until", "outcome", "made_at")
    }
    statement = upsert(Digest).values(values).on_conflict_do_nothing().returning(Digest.id)
    found: int | None = await session.scalar(statement)
    return found


async def get(session: WriteSession, digest_id: int) -> Digest:
    found = await base.get(session, Digest, digest_id)
    assert found is not None  # of this transaction
    return found


# --- What it counts -----------------------------------------------------------------------


@dataclass(frozen=True)
class Loud:
    """A service, and what it opened."""

    service: str
    incidents: int
    alerts: int


@dataclass(frozen=True)
class Unresolved:
    """An incident that is not over."""

    id: int
    title: str
    service: str
    severity: Severity
    status: IncidentStatus
    opened_at: datetime


async def opened(session: ReadSession, during: Interval) -> dict[Severity, int]:
    """How many were opened in a time, by severity."""
    statement = (
        select(Incident.severity, func.count())
        .where(
            Incident.created_at >= during.starts_at, Incident.created_at < during.ends_at, *COUNTS
        )
        .group_by(Incident.severity)
    )
    return {Severity(one): count for one, count in await session.execute(statement)}


async def loudest(session: ReadSession, during: Interval) -> list[Loud]:
    """The services that opened the most in a time."""
    incidents = func.count()
    statement = (
        select(Incident.service, incidents, func.coalesce(func.sum(IncidentTally.alert_count), 0))
        .outerjoin(IncidentTally, IncidentTally.incident_id == Incident.id)
        .where(
            Incident.created_at >= during.starts_at, Incident.created_at < during.ends_at, *COUNTS
        )
        .group_by(Incident.service)
        .order_by(incidents.desc(), Incident.service)
        .limit(MOST_LISTED)
    )
    rows = await session.execute(statement)
    return [Loud(service, count, int(alerts)) for service, count, alerts in rows]


async def worst(session: ReadSession) -> list[Unresolved]:
    """What is not over now, the gravest and oldest first."""
    statement = (
        select(
            Incident.id,
            Incident.title,
            Incident.service,
            Incident.severity,
            Incident.status,
            Incident.created_at,
        )
        .where(Incident.status.in_(UNRESOLVED), *COUNTS)
        .order_by(INCIDENTS.c.severity_rank.desc(), Incident.id)
        .limit(MOST_LISTED)
    )
    return [
        Unresolved(key, title, service, Severity(severity), IncidentStatus(status), opened_at)
        for key, title, service, severity, status, opened_at in await session.execute(statement)
    ]


async def pages(
    session: ReadSession, user_ids: Collection[int], during: Interval
) -> dict[int, tuple[int, int]]:
    """How many pages each of these people was sent in a time, about how many incidents."""
    statement = (
        select(
            Notification.user_id,
            func.count(),
            func.count(Notification.incident_id.distinct()),
        )
        .where(
            Notification.kind == NotificationKind.PAGE,
            Notification.sent_at >= during.starts_at,
            Notification.sent_at < during.ends_at,
            Notification.user_id.in_(user_ids),
        )
        .group_by(Notification.user_id)
    )
    rows: Sequence[tuple[int | None, int, int]] = (await session.execute(statement)).tuples().all()
    return {user_id: (count, about) for user_id, count, about in rows if user_id is not None}
