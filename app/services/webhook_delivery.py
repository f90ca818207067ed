"""Events on their way to subscriptions: promised as rows, and how each attempt ended.

A subscription's place in the feed moves in the transaction that writes its deliveries, so
each event makes one delivery for it, whoever reads the feed and whatever is killed meanwhile.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.crud import crud_event, crud_webhook, crud_webhook_delivery
from app.crud.crud_webhook_delivery import Ending, LeasedDelivery
from app.db.session import WriteSession, wake_after_commit
from app.domain.event import changed
from app.domain.webhook import (
    PATIENCE,
    DeliveryStatus,
    DisabledBecause,
    Filters,
    Heard,
    next_wait,
)
from app.models import Event, WebhookSubscription
from app.services import webhook as webhook_service
from app.services.webhook import DELIVERY, SWITCHED_OFF

RESOURCE = "webhook_delivery"


@dataclass(frozen=True)
class HandedBack:
    """It was never begun."""


@dataclass(frozen=True)
class Unknown:
    """Nobody knows whether it went out; it is sent again at once, under its mark."""

    why: str


Verdict = Heard | HandedBack | Unknown
Told = tuple[LeasedDelivery, Verdict]


@dataclass
class Recorded:
    """What was written down: for each row what it became, and who was switched off."""

    became: dict[int, DeliveryStatus] = field(default_factory=dict)
    disabled: dict[int, DisabledBecause] = field(default_factory=dict)


# --- From the feed to deliveries --------------------------------------------------------


async def promise_next(session: WriteSession, *, limit: int, now: datetime) -> int | None:
    """Read on in the feed for the subscription that is furthest behind; how many events.

    None if there is none, or if others hold all that there are.
    """
    last = await crud_event.last_position(session)
    subscription = await crud_webhook.lock_behind(session, last)
    if subscription is None:
        return None
    events = await crud_event.read_after(session, subscription.position, limit, until=last)
    filters = Filters(subscription.event_types, subscription.services, subscription.severities)
    wanted = [
        _promise(subscription.id, event, now)
        for event in events
        if filters.want(
            event.type, audience=event.audience, service=event.service, severity=event.severity
        )
    ]
    if await crud_webhook_delivery.promise(session, wanted):
        wake_after_commit(session, DELIVERY)
        wake_after_commit(session, changed(RESOURCE))
    is_whole = len(events) < limit  # places may be missing, but none will come later
    subscription.position = last if is_whole else events[-1].position or last
    return len(events)


def _promise(subscription_id: int, event: Event, now: datetime) -> dict[str, Any]:
    about = {
        "incident_id": event.incident_id,
        "service": event.service,
        "severity": event.severity,
    }
    return {
        "subscription_id": subscription_id,
        "event_id": event.id,
        "type": event.type.value,
        "data": {**about, **event.data, "position": event.position},
        "occurred_at": event.created_at,
        "created_at": now,
        "ready_at": now,
    }


# --- How attempts ended -----------------------------------------------------------------


async def record(
    session: WriteSession, told: Sequence[Told], *, now: datetime, chance: float
) -> Recorded:
    """Write down how attempts ended, and what follows for their subscriptions.

    One that is gone, or to which nothing got through for days, is switched off.
    """
    done = Recorded()
    taken, untaken = _by_subscription(told)
    active: set[int] = set()
    for subscription in await crud_webhook.lock_tried(session, taken, untaken):
        errors = untaken.get(subscription.id, [])
        is_working = subscription.id in taken
        because = await _judge(session, subscription, errors, is_working=is_working, now=now)
        if because is not None:
            done.disabled[subscription.id] = because
        if subscription.is_active:
            active.add(subscription.id)
    endings = [
        _ending(lease, verdict, lease.subscription_id in active, now=now, chance=chance)
        for lease, verdict in told
    ]
    ours = await crud_webhook_delivery.finish(session, endings, now=now)
    done.became = {ending.id: ending.status for ending in endings if ending.id in ours}
    for subscription_id in done.disabled:
        await crud_webhook_delivery.cancel_waiting(session, subscription_id, SWITCHED_OFF, now=now)
    if any(not isinstance(verdict, Heard) for _, verdict in told):
        wake_after_commit(session, DELIVERY)
    wake_after_commit(session, changed(RESOURCE))
    return done


def _by_subscription(told: Sequence[Told]) -> tuple[Collection[int], dict[int, list[Heard]]]:
    """Whose endpoints took something; and of all others what was heard instead, if anything."""
    taken: set[int] = set()
    untaken: dict[int, list[Heard]] = defaultdict(list)
    for lease, verdict in told:
        if isinstance(verdict, Heard) and verdict.is_taken:
            taken.add(lease.subscription_id)
            continue
        errors = untaken[lease.subscription_id]
        if isinstance(verdict, Heard):
            errors.append(verdict)
    return taken, untaken


async def _judge(
    session: WriteSession,
    subscription: WebhookSubscription,
    errors: Sequence[Heard],
    *,
    is_working: bool,
    now: datetime,
) -> DisabledBecause | None:
    """Note that an endpoint works or does not; why it is switched off, if it is."""
    if not subscription.is_active:
        return None
    if any(heard.is_gone for heard in errors):
        because, why = DisabledBecause.GONE, "Its endpoint answered 410 Gone."
        await webhook_service.disable(session, subscription, because, why, now=now)
        return because
    if is_working or not errors:
        subscription.failing_since = None if is_working else subscription.failing_since
        return None
    subscription.failing_since = subscription.failing_since or now
    if now - subscription.failing_since < PATIENCE:
        return None
    because = DisabledBecause.FAILING
    why = f"Nothing has got through for {PATIENCE.days} days. Last: {errors[-1].error}"
    await webhook_service.disable(session, subscription, because, why, now=now)
    return because


def _ending(
    lease: LeasedDelivery, verdict: Verdict, is_active: bool, *, now: datetime, chance: float
) -> Ending:
    attempt = lease.id, lease.attempts
    match verdict:
        case Heard(error=None):
            return Ending(*attempt, DeliveryStatus.DELIVERED, response_code=verdict.status)
        case Heard():
            ending = _untaken(lease, verdict, is_active, now=now, chance=chance)
            return ending._replace(response_code=verdict.status)
        case _ if not is_active:
            return Ending(*attempt, DeliveryStatus.CANCELLED, error=SWITCHED_OFF)
        case Unknown(why):
            return Ending(*attempt, DeliveryStatus.PENDING, now, error=why, is_resend=True)
        case HandedBack():
            return Ending(*attempt, DeliveryStatus.PENDING, now, is_counted=False)


def _untaken(
    lease: LeasedDelivery, heard: Heard, is_active: bool, *, now: datetime, chance: float
) -> Ending:
    attempt = lease.id, lease.attempts
    wait = next_wait(lease.tries, heard, chance=chance)
    if heard.is_gone:
        return Ending(*attempt, DeliveryStatus.FAILED, error=heard.error)
    if wait is None:
        why = f"Gave up after {lease.tries} attempts: {heard.error}"
        return Ending(*attempt, DeliveryStatus.FAILED, error=why)
    if not is_active:
        return Ending(*attempt, DeliveryStatus.CANCELLED, error=f"{SWITCHED_OFF} {heard.error}")
    return Ending(*attempt, DeliveryStatus.PENDING, now + wait, error=heard.error)
