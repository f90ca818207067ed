"""What became of a page: the outcome of each attempt, and what follows from it.

A failure for good may be the last hope of its step, so the incident is held first and the
ladder is told in the same transaction.
"""

from dataclasses import dataclass
from datetime import datetime

from app.core.errors import NotFoundError
from app.crud import crud_incident, crud_notification, crud_user
from app.crud.crud_notification import Leased, StepKey
from app.db.session import ReadSession, WriteSession
from app.domain.incident import IncidentStatus, TimelineType
from app.domain.notification import (
    MAX_ATTEMPTS,
    AttemptOutcome,
    NotificationStatus,
    retry_delay,
)
from app.domain.user import Actor
from app.models import Incident
from app.services import escalation as escalation_service
from app.services import incident as incident_service

LINK_PURPOSE = "acknowledge"
NO_PROVIDER = "No provider is set for this channel; it was kept in the local outbox: "


async def record_sent(
    session: WriteSession, lease: Leased, provider_id: str | None, *, now: datetime
) -> bool:
    """A provider took it."""
    return await crud_notification.finish_attempt(
        session,
        lease,
        AttemptOutcome.SENT,
        now=now,
        provider_id=provider_id,
        status=NotificationStatus.SENT,
        ready_at=None,
        sent_at=now,
        sent_to=lease.address,
    )


async def record_kept(session: WriteSession, lease: Leased, kept_at: str, *, now: datetime) -> bool:
    """It lies in the local outbox: nobody was told, and the row says so."""
    return await crud_notification.finish_attempt(
        session,
        lease,
        AttemptOutcome.KEPT,
        now=now,
        status=NotificationStatus.SUPPRESSED,
        ready_at=None,
        sent_to=lease.address,
        reason=NO_PROVIDER + kept_at,
    )


async def record_retry(
    session: WriteSession, lease: Leased, error: str, *, ready_at: datetime, now: datetime
) -> bool:
    """It did not go out; it is tried again then, unless the incident was answered meanwhile."""
    return await crud_notification.finish_attempt(
        session,
        lease,
        AttemptOutcome.RETRY,
        now=now,
        error=error,
        **crud_notification.unless_overtaken(NotificationStatus.PENDING, ready_at),
    )


async def record_failed(session: WriteSession, lease: Leased, error: str, *, now: datetime) -> bool:
    """It will not go out. Says so on the timeline, and lets the next step come if all is lost."""
    await crud_incident.lock(session, lease.incident_id)
    held = await crud_notification.finish_attempt(
        session,
        lease,
        AttemptOutcome.GAVE_UP,
        now=now,
        error=error,
        status=NotificationStatus.FAILED,
        ready_at=None,
        reason=error,
    )
    if not held:
        return False
    whom = lease.user_name or "the webhook"
    story = f"The {lease.channel} to {whom} failed for good: {error}"
    entry = crud_incident.entry(
        lease.incident_id,
        TimelineType.NOTIFICATION_FAILED,
        story,
        now=now,
        notification_id=lease.id,
    )
    await crud_incident.tell(session, [entry])
    step = StepKey(lease.incident_id, lease.escalation_id, lease.loop, lease.step)
    await escalation_service.hurry_if_lost(session, step, now=now)
    return True


def has_tried_enough(lease: Leased) -> bool:
    return lease.attempts >= MAX_ATTEMPTS


def next_try(lease: Leased, *, chance: float, now: datetime) -> datetime:
    return now + retry_delay(lease.attempts, chance=chance)


# --- The link in a message --------------------------------------------------------------


@dataclass(frozen=True)
class LinkedIncident:
    """What a link in a message leads to."""

    incident: Incident
    actor: Actor
    is_used: bool


async def follow_link(session: ReadSession, notification_id: int) -> LinkedIncident:
    """Whose link it is and which incident it is about."""
    notification = await crud_notification.get(session, notification_id)
    user_id = notification.user_id if notification is not None else None
    user = await crud_user.get(session, user_id) if user_id is not None else None
    if notification is None or user is None or not user.is_active:
        raise NotFoundError("page", notification_id)
    incident_id = notification.incident_id
    incident = await crud_incident.get(session, incident_id) if incident_id is not None else None
    if incident is None:
        raise NotFoundError("incident", incident_id)
    actor = Actor(name=user.display_name, user_id=user.id)
    return LinkedIncident(incident, actor, notification.link_used_at is not None)


async def acknowledge_by_link(
    session: WriteSession, notification_id: int, *, now: datetime
) -> bool:
    """Acknowledge as the person who was paged; False if the link was used, or answered, before.

    The incident comes first, as in every transaction that holds it with other rows.
    """
    linked = await follow_link(session, notification_id)
    incident = await crud_incident.lock(session, linked.incident.id)
    if incident is None or incident.status is not IncidentStatus.OPEN:
        return False
    if not await crud_notification.use_link(session, notification_id, now=now):
        return False
    await incident_service.enter(
        session, incident, IncidentStatus.ACKNOWLEDGED, actor=linked.actor, now=now
    )
    return True
