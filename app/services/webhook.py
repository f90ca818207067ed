"""Webhook subscriptions: who wants to be told of events, and with which secret it is proved.

Secrets are kept locked and shown once. A new one signs together with the one before for a
while; who rotates twice ends that. Events are kept for active subscriptions only: one that is
switched off misses what happens meanwhile, and what was waiting for it ends `cancelled`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from app.core.errors import ConflictError, NotFoundError
from app.core.security import Vault, new_webhook_secret
from app.crud import crud_event, crud_user, crud_webhook, crud_webhook_delivery
from app.db.session import ReadSession, WriteSession, wake_after_commit
from app.domain.notification import Channel, NotificationKind
from app.domain.webhook import (
    MOST_SUBSCRIPTIONS,
    PING,
    WAITING,
    DeliveryStatus,
    DisabledBecause,
    Hook,
    envelope,
)
from app.models import User, WebhookDelivery, WebhookSubscription
from app.services import audit_log, outbox
from app.services.outbox import Letter
from app.services.target import Objection, require_callable

DELIVERY = "webhook_delivery"  # the loop that sends to subscriptions
SWITCHED_OFF = "The subscription was switched off before it was delivered."
DELETED = "The subscription was deleted before it was delivered."


class TooManySubscriptionsError(ConflictError):
    """Each event costs one delivery for each of them."""

    code = "TOO_MANY_WEBHOOK_SUBSCRIPTIONS"


class SubscriptionInactiveError(ConflictError):
    """Nothing is sent to it."""

    code = "WEBHOOK_SUBSCRIPTION_INACTIVE"


class DeliveryWaitingError(ConflictError):
    """It is on its way already."""

    code = "DELIVERY_STILL_WAITING"


class SecretUnreadableError(ConflictError):
    """It was locked with another key."""

    code = "WEBHOOK_SECRET_UNREADABLE"

    def __init__(self) -> None:
        super().__init__(
            "The signing secret cannot be read, because Tocsin’s secret key has changed; rotate it."
        )


@dataclass(frozen=True)
class Rotation:
    """A new secret, and until when the one before it signs, too."""

    secret: str = field(repr=False)
    previous_until: datetime | None


def secret_place(subscription_id: int) -> str:
    """What a subscription's secret is bound to."""
    return f"webhook subscription {subscription_id}"


async def require(session: ReadSession, subscription_id: int) -> WebhookSubscription:
    return _there(await crud_webhook.get(session, subscription_id), subscription_id)


async def create(
    session: WriteSession,
    fields: Mapping[str, Any],
    vault: Vault,
    objection: Objection,
    *,
    by: User,
    now: datetime,
) -> tuple[WebhookSubscription, str]:
    """A subscription to what happens from now on, and its secret, which is shown this once."""
    require_callable(fields["url"], objection)
    if await crud_webhook.count(session) >= MOST_SUBSCRIPTIONS:
        raise TooManySubscriptionsError(
            f"There are {MOST_SUBSCRIPTIONS} webhook subscriptions already; delete one first."
        )
    made = await crud_webhook.add(
        session,
        WebhookSubscription(
            **fields,
            position=await crud_event.last_position(session),
            created_by=by.id,
            revision=1,
            created_at=now,
            updated_at=now,
        ),
    )
    secret = new_webhook_secret()
    made.secret = vault.lock(secret, place=secret_place(made.id))
    return made, secret


async def update(
    session: WriteSession,
    subscription_id: int,
    fields: Mapping[str, Any],
    objection: Objection,
    *,
    now: datetime,
) -> WebhookSubscription:
    """Write the named fields. Filters count for events that were not yet looked at."""
    subscription = await _held(session, subscription_id)
    if "url" in fields:
        require_callable(fields["url"], objection)
    changed = subscription.revise(fields, now=now)
    if "url" in changed:
        subscription.failing_since = None
    if "is_active" in changed:
        await _switch(session, subscription, now=now)
    return subscription


async def remove(session: WriteSession, subscription_id: int, *, now: datetime) -> None:
    """Send it nothing more, and forget its secret at once and its deliveries in time."""
    subscription = await _held(session, subscription_id)
    subscription.revise({"is_active": False, "deleted_at": now}, now=now)
    subscription.secret = subscription.previous_secret = subscription.previous_until = None
    await crud_webhook_delivery.cancel_waiting(session, subscription.id, DELETED, now=now)


async def rotate(
    session: WriteSession, subscription_id: int, vault: Vault, *, overlap: timedelta, now: datetime
) -> Rotation:
    """Another secret; for `overlap` the one before signs beside it, and no older one."""
    subscription = await _held(session, subscription_id)
    secret = new_webhook_secret()
    previous = subscription.secret if overlap else None
    subscription.previous_secret = previous
    subscription.previous_until = now + overlap if previous is not None else None
    subscription.secret = vault.lock(secret, place=secret_place(subscription.id))
    subscription.touch(now)
    return Rotation(secret, subscription.previous_until)


async def ping(session: ReadSession, subscription_id: int, vault: Vault, *, now: datetime) -> Hook:
    """An event that says nothing, to see whether one would arrive; active or not."""
    subscription = await require(session, subscription_id)
    is_rotating = subscription.previous_until is not None and subscription.previous_until > now
    locked = [subscription.secret, subscription.previous_secret if is_rotating else None]
    data = {"subscription_id": subscription.id, "name": subscription.name}
    return Hook(
        mark=str(uuid4()),
        url=subscription.url,
        body=envelope(PING, now, data),
        secrets=unlocked(vault, subscription.id, locked),
    )


def unlocked(vault: Vault, subscription_id: int, locked: Sequence[bytes | None]) -> tuple[str, ...]:
    """The secrets that sign, the newest first; refused if it can be read no more."""
    place = secret_place(subscription_id)
    found = [vault.unlock(one, place=place) for one in locked if one is not None]
    if not found or found[0] is None:
        raise SecretUnreadableError
    return tuple(secret for secret in found if secret is not None)


async def replay(
    session: WriteSession, subscription_id: int, delivery_id: int, *, now: datetime
) -> WebhookDelivery:
    """Send a delivery again under its old id, with as many tries as a new one has."""
    subscription = await _held(session, subscription_id)
    delivery = await crud_webhook_delivery.lock(session, delivery_id)
    if delivery is None or delivery.subscription_id != subscription.id:
        raise NotFoundError("webhook delivery", delivery_id)
    if not subscription.is_active:
        raise SubscriptionInactiveError(
            "The subscription is switched off, so nothing is sent to it; make it active first."
        )
    if delivery.status in WAITING:
        raise DeliveryWaitingError("It is on its way already; look at how its attempts go.")
    delivery.status = DeliveryStatus.PENDING
    delivery.ready_at, delivery.settled_at = now, None
    delivery.attempts_before = delivery.attempts
    delivery.is_resend = delivery.is_resend or delivery.attempts > 0
    what = {"delivery_id": delivery.id}
    await audit_log.note(session, "webhook.replayed", subscription.id, after=what, now=now)
    wake_after_commit(session, DELIVERY)
    return delivery


async def disable(
    session: WriteSession,
    subscription: WebhookSubscription,
    because: DisabledBecause,
    why: str,
    *,
    now: datetime,
) -> None:
    """Switch a subscription off that is of no use, and tell every admin by mail."""
    subscription.revise(
        {"is_active": False, "disabled_at": now, "disabled_reason": because}, now=now
    )
    for admin in await crud_user.active_admins(session):
        letter = Letter(
            NotificationKind.WEBHOOK_DISABLED,
            Channel.EMAIL,
            user_id=admin.id,
            address=admin.email,
            facts={"name": subscription.name, "why": why},
        )
        await outbox.post(session, letter, now=now)


async def _switch(
    session: WriteSession, subscription: WebhookSubscription, *, now: datetime
) -> None:
    subscription.failing_since = None
    if subscription.is_active:
        subscription.disabled_at = subscription.disabled_reason = None
        subscription.position = await crud_event.last_position(session)
    else:
        await crud_webhook_delivery.cancel_waiting(session, subscription.id, SWITCHED_OFF, now=now)


async def _held(session: WriteSession, subscription_id: int) -> WebhookSubscription:
    return _there(await crud_webhook.lock(session, subscription_id), subscription_id)


def _there(found: WebhookSubscription | None, subscription_id: int) -> WebhookSubscription:
    if found is None:
        raise NotFoundError("webhook subscription", subscription_id)
    return found
