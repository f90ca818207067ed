"""What the console shows around incidents: what comes next of each, and the newest of its story.

Rows are few and bounded, and found by the keys of incidents that were listed already.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from app.db.session import ReadSession
from app.domain.escalation import EscalationStatus
from app.domain.notification import NotificationKind
from app.models import Escalation, Incident, IncidentComment, Notification, TimelineEvent

MOST_PAGES = 200


async def titles(session: ReadSession, incident_ids: Collection[int]) -> dict[int, str]:
    """What these incidents are called; of one that was deleted nothing is said."""
    if not incident_ids:
        return {}
    statement = select(Incident.id, Incident.title).where(
        Incident.id.in_(incident_ids), Incident.deleted_at.is_(None)
    )
    return dict((await session.execute(statement)).tuples().all())


async def next_steps(session: ReadSession, incident_ids: Collection[int]) -> dict[int, datetime]:
    """When the next step of each of these incidents is due; one without any is left out."""
    statement = (
        select(Escalation.incident_id, func.min(Escalation.next_step_at))
        .where(
            Escalation.incident_id.in_(incident_ids),
            Escalation.status == EscalationStatus.ACTIVE,
            Escalation.next_step_at.is_not(None),
        )
        .group_by(Escalation.incident_id)
    )
    found = (await session.execute(statement)).tuples()
    return {incident_id: at for incident_id, at in found if at is not None}


@dataclass(frozen=True)
class Telling:
    """Which part of a timeline: what is older than an entry; people's doings or Tocsin's alone."""

    before: int | None = None
    by_people: bool | None = None


async def newest_entries(
    session: ReadSession, incident_id: int, which: Telling, *, most: int
) -> Sequence[TimelineEvent]:
    """The newest entries of a timeline first, and one more than `most` if there are older ones."""
    statement = select(TimelineEvent).where(TimelineEvent.incident_id == incident_id)
    if which.before is not None:
        statement = statement.where(TimelineEvent.id < which.before)
    if which.by_people is not None:
        is_person = TimelineEvent.user_id.is_not(None)
        statement = statement.where(is_person if which.by_people else ~is_person)
    return (
        await session.scalars(statement.order_by(TimelineEvent.id.desc()).limit(most + 1))
    ).all()


async def comments(
    session: ReadSession, incident_id: int, ids: Collection[int]
) -> dict[int, IncidentComment]:
    """Those of these comments that are of this incident."""
    statement = select(IncidentComment).where(
        IncidentComment.id.in_(ids), IncidentComment.incident_id == incident_id
    )
    return {one.id: one for one in await session.scalars(statement)} if ids else {}


async def newest_pages(session: ReadSession, incident_id: int) -> Sequence[Notification]:
    """The newest pages of an incident, oldest first, each with its attempts."""
    statement = (
        select(Notification)
        .where(Notification.incident_id == incident_id, Notification.kind == NotificationKind.PAGE)
        .options(selectinload(Notification.history))
        .order_by(Notification.id.desc())
        .limit(MOST_PAGES)
    )
    return (await session.scalars(statement)).all()[::-1]
