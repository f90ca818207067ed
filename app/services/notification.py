"""Messages after they left: what follows when one is lost, sending it again, the link in it.

What became of an attempt is recorded in `outcome`, and in `receipt` what a provider says later.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.errors import ConflictError, ForbiddenError, NotFoundError
from app.crud import crud_auth, crud_incident, crud_notification, crud_receipt, crud_user
from app.crud.crud_notification import NotificationFilter
from app.db.session import ReadSession, WriteSession
from app.domain.incident import IncidentStatus, TimelineType
from app.domain.lease import Leased, StepKey
from app.domain.notification import (
    INCIDENT_KINDS,
    WAITING,
    NotificationKind,
    NotificationStatus,
)
from app.domain.user import Actor, Permission
from app.models import Incident, Notification, User
from app.services import audit_log, escalation_by_hand, outbox
from app.services import escalation as escalation_service
from app.services import incident as incident_service

LINK_PURPOSE = "acknowledge"
ORDERED_AT = "ordered_at"  # among the facts: when somebody had it sent again


def lost_entry(
    incident_id: int, lost: Leased | crud_receipt.Lost, error: str, *, now: datetime
) -> dict[str, Any]:
    """A line of the timeline: who was not told, and why."""
    whom = lost.user_name or "the webhook"
    what = "The" if lost.kind is NotificationKind.PAGE else f"The news ({lost.kind}) by"
    return crud_incident.entry(
        incident_id,
        TimelineType.NOTIFICATION_FAILED,
        f"{what} {lost.channel} to {whom} failed for good: {error}",
        now=now,
        notification_id=lost.id,
    )


async def hurry(session: WriteSession, steps: Iterable[StepKey], *, now: datetime) -> None:
    """Let what comes next come now, wherever a step has lost every page."""
    for step in sorted(steps):
        await escalation_service.hurry_if_lost(session, step, now=now)


# --- Looking, and sending again ----------------------------------------------------------


class StillWaitingError(ConflictError):
    """It has not left yet: nothing is there to be sent again."""

    code = "STILL_WAITING"


class NotNeededError(ConflictError):
    """The incident does not page just now."""

    code = "INCIDENT_NOT_PAGING"


class NoLongerGoodError(ConflictError):
    """What the message carries has expired or was used."""

    code = "MESSAGE_EXPIRED"


class AddressGoneError(ConflictError):
    """There is nowhere to send it to."""

    code = "CONTACT_METHOD_GONE"


def visible(user: User, **narrowed: Any) -> NotificationFilter:
    """The messages a person may see: letters only their own, an admin everybody's."""
    is_admin = user.may(Permission.ADMINISTER)
    return NotificationFilter(seen_by=None if is_admin else user.id, **narrowed)


async def require_visible(session: ReadSession, notification_id: int, *, by: User) -> Notification:
    """A message with its attempts. Somebody else's letter is not there at all."""
    found = await crud_notification.get_with_history(session, notification_id)
    if found is None or not _may_see(by, found):
        raise NotFoundError("notification", notification_id)
    return found


def _may_see(user: User, notification: Notification) -> bool:
    return (
        notification.kind in INCIDENT_KINDS
        or notification.user_id == user.id
        or user.may(Permission.ADMINISTER)
    )


async def resend(
    session: WriteSession, notification_id: int, *, by: User, now: datetime
) -> Notification:
    """Send a message again under its old mark, with as many tries as a new one has.

    The incident comes first, as in every transaction that holds it with other rows.
    """
    seen = await require_visible(session, notification_id, by=by)
    if seen.user_id != by.id and not by.may(Permission.RESPOND):
        raise ForbiddenError(
            f"Your role ({by.role}) does not allow this; ask a responder.",
            needs=Permission.RESPOND.value,
        )
    if seen.kind is NotificationKind.PAGE and seen.incident_id is not None:
        _require_paging(await crud_incident.lock(session, seen.incident_id), now)
    await _require_good(session, seen, now)
    notification = await crud_notification.lock(session, notification_id)
    if notification is None:
        raise NotFoundError("notification", notification_id)
    if notification.status in WAITING:
        raise StillWaitingError(
            "It is on its way already; look at its attempts to see how they go."
        )
    if notification.contact_method_id is None and notification.address is None:
        raise AddressGoneError("The contact method was removed, so there is nowhere to send it.")
    _begin_anew(notification, now)
    await audit_log.note(session, "notification.resent", notification.id, now=now)
    if notification.incident_id is not None:
        await _tell_resent(session, notification.incident_id, notification, by=by, now=now)
    outbox.wake(session, notification.channel)
    return await require_visible(session, notification_id, by=by)


def _require_paging(incident: Incident | None, now: datetime) -> None:
    if incident is None or incident.status is not IncidentStatus.OPEN:
        how = incident.status if incident is not None else IncidentStatus.RESOLVED
        raise NotNeededError(
            f"The incident is {how}, so it pages nobody; reopen it if it is not over."
        )
    if incident.snoozed_until is not None and incident.snoozed_until > now:
        raise NotNeededError(
            "The incident is snoozed, so it pages nobody; end the snooze to page now."
        )


async def _require_good(session: ReadSession, notification: Notification, now: datetime) -> None:
    challenge_id = notification.facts.get("challenge_id")
    if challenge_id is None:
        return
    challenge = await crud_auth.get_challenge(session, challenge_id)
    if challenge is None or challenge.used_at is not None or challenge.expires_at <= now:
        raise NoLongerGoodError("What it carries is no longer good; ask for a new one.")


def _begin_anew(notification: Notification, now: datetime) -> None:
    """Everything that was true of the last sending only is forgotten; its attempts stay."""
    notification.status = NotificationStatus.PENDING
    notification.ready_at = notification.updated_at = now
    notification.is_resend = True
    notification.attempts_before = notification.attempts
    notification.held_until = notification.bundled_into = notification.overtaken_at = None
    notification.delivered_at = notification.receipt_at = None
    notification.reason = notification.last_error = None
    notification.facts = {**notification.facts, ORDERED_AT: now.isoformat()}


async def _tell_resent(
    session: WriteSession,
    incident_id: int,
    notification: Notification,
    *,
    by: User,
    now: datetime,
) -> None:
    story = f"{by.display_name} called the webhook again."
    if notification.user_id is not None:
        person = await crud_user.get(session, notification.user_id)
        whom = person.display_name if person is not None else "somebody"
        what = notification.channel.value
        if notification.kind is not NotificationKind.PAGE:
            what = f"news ({notification.kind}) by {what}"
        story = f"{by.display_name} sent the {what} to {whom} again."
    entry = crud_incident.entry(
        incident_id,
        TimelineType.NOTIFICATION_RESENT,
        story,
        now=now,
        user_id=by.id,
        notification_id=notification.id,
    )
    await crud_incident.tell(session, [entry])


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
    person = await crud_user.get(session, linked.actor.user_id) if linked.actor.user_id else None
    if person is not None:
        audit_log.was_proved(session, person)
    incident = await crud_incident.lock(session, linked.incident.id)
    if incident is None or incident.status is not IncidentStatus.OPEN:
        return False
    if not await crud_notification.use_link(session, notification_id, now=now):
        return False
    await incident_service.enter(
        session, incident, IncidentStatus.ACKNOWLEDGED, actor=linked.actor, now=now
    )
    return True


async def escalate_by_link(session: WriteSession, notification_id: int, *, now: datetime) -> bool:
    """Call whoever comes next, as the person who was paged and cannot take it.

    A link acts once, whichever of the two it does; False if it was used, or answered, before.
    """
    linked = await follow_link(session, notification_id)
    person = await crud_user.get(session, linked.actor.user_id) if linked.actor.user_id else None
    if person is not None:
        audit_log.was_proved(session, person)
    incident = await crud_incident.lock(session, linked.incident.id)
    if incident is None or incident.status is not IncidentStatus.OPEN or incident.is_drill:
        return False
    if not await crud_notification.use_link(session, notification_id, now=now):
        return False
    await escalation_by_hand.escalate(session, incident.id, actor=linked.actor, now=now)
    return True
