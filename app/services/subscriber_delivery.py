"""Public facts on their way to subscribers: owed as rows, and how each attempt ended.

A notice is held while its subscribers are written down, so many in a transaction, and is told
once the last of them has a row: whatever is killed meanwhile, the next one goes on, and the
unique keys see to it that nobody has two.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.core.errors import ConflictError, NotFoundError
from app.crud import crud_subscriber, crud_subscriber_delivery, crud_subscriber_notice
from app.crud.crud_subscriber_delivery import Ending, LeasedLetter
from app.db.session import WriteSession, wake_after_commit
from app.domain.subscriber import (
    WAITING,
    LetterKind,
    LetterStatus,
    SubscriberState,
    next_digest,
    next_wait,
)
from app.models import SubscriberDelivery
from app.services import audit_log
from app.services.subscriber import DELIVERY

WITHDRAWN = "What it tells was withdrawn before it was sent."
NO_SERVER = "Nobody was told, because no mail server is set (TOCSIN_SMTP_URL): it only lies in "


class SubscriberDeliveryWaitingError(ConflictError):
    """It is on its way already."""

    code = "DELIVERY_STILL_WAITING"


class SubscriberNotToldError(ConflictError):
    """Its subscriber is told nothing now."""

    code = "SUBSCRIBER_NOT_TOLD"


@dataclass(frozen=True)
class Taken:
    """Whoever carries it on has it."""


@dataclass(frozen=True)
class Kept:
    """It lies in the local outbox: nobody was told, and the row says so."""

    kept_at: str


@dataclass(frozen=True)
class Again:
    """It did not go out; it is tried again."""

    error: str
    after: timedelta | None = None  # the provider's own wish


@dataclass(frozen=True)
class Lost:
    """It will never go out like this; `is_bounced`: the address itself refuses it."""

    error: str
    is_bounced: bool = False


@dataclass(frozen=True)
class HandedBack:
    """It was never begun; it is due again then, or now."""

    until: datetime | None = None


@dataclass(frozen=True)
class Unknown:
    """Nobody knows whether it went out; it is sent again at once, under its mark."""

    why: str


@dataclass(frozen=True)
class Dropped:
    """Nobody is to read it any more."""

    why: str


Verdict = Taken | Kept | Again | Lost | HandedBack | Unknown | Dropped
Carried = tuple[LeasedLetter, Verdict]


@dataclass
class Recorded:
    """What was written down: for each row what it became, and whose address is paused."""

    became: dict[int, LetterStatus] = field(default_factory=dict)
    paused: Sequence[int] = ()


# --- From notices to deliveries ---------------------------------------------------------


async def fan_out(session: WriteSession, *, limit: int, now: datetime) -> int | None:
    """Write down what `limit` more subscribers are owed of the oldest notice that waits; how many.

    None if none waits, or if others hold all that do.
    """
    notice = await crud_subscriber_notice.lock_untold(session)
    if notice is None:
        return None
    page = await crud_subscriber_notice.page(session)
    digest_at = next_digest(now, page.time_zone)
    count = await crud_subscriber_delivery.owe(
        session, notice.id, digest_at=digest_at, now=now, limit=limit
    )
    if count < limit:
        await crud_subscriber_notice.mark_told(session, notice, now)
    if count:
        wake_after_commit(session, DELIVERY)
    return count


# --- How attempts ended -----------------------------------------------------------------


async def record(
    session: WriteSession, told: Sequence[Carried], *, now: datetime, chance: float
) -> Recorded:
    """Write down how attempts ended. An address that refuses for good is sent nothing more."""
    endings = [_ending(lease, verdict, now=now, chance=chance) for lease, verdict in told]
    ours = await crud_subscriber_delivery.finish(session, endings, now=now)
    done = Recorded({ending.id: ending.status for ending in endings if ending.id in ours})
    bounced = {
        lease.subscriber_id: verdict.error
        for lease, verdict in told
        if lease.id in ours and isinstance(verdict, Lost) and verdict.is_bounced
    }
    if bounced:
        done.paused = await crud_subscriber_delivery.pause(session, bounced, now=now)
    if any(isinstance(verdict, HandedBack | Unknown) for _, verdict in told):
        wake_after_commit(session, DELIVERY)
    return done


def _ending(lease: LeasedLetter, verdict: Verdict, *, now: datetime, chance: float) -> Ending:
    attempt = lease.id, lease.attempts
    match verdict:
        case Kept(kept_at):
            return Ending(*attempt, LetterStatus.FAILED, error=NO_SERVER + kept_at)
        case Taken():
            return Ending(*attempt, LetterStatus.SENT)
        case Lost(error):
            return Ending(*attempt, LetterStatus.FAILED, error=error)
        case Dropped(why):
            return Ending(*attempt, LetterStatus.CANCELLED, error=why)
        case Unknown(why):
            return Ending(*attempt, LetterStatus.PENDING, now, error=why, is_resend=True)
        case HandedBack(until):
            return Ending(*attempt, LetterStatus.PENDING, until or now, is_counted=False)
        case Again(error, after):
            return _retried(lease, error, after, now=now, chance=chance)


def _retried(
    lease: LeasedLetter, error: str, after: timedelta | None, *, now: datetime, chance: float
) -> Ending:
    attempt = lease.id, lease.attempts
    wait = next_wait(lease.tries, after, chance=chance)
    if wait is None:
        why = f"Gave up after {lease.tries} attempts: {error}"
        return Ending(*attempt, LetterStatus.FAILED, error=why)
    return Ending(*attempt, LetterStatus.PENDING, now + wait, error=error)


# --- By hand ----------------------------------------------------------------------------


async def resend(session: WriteSession, delivery_id: int, *, now: datetime) -> SubscriberDelivery:
    """Send something again that ended, under its mark and as often as it takes."""
    found = await crud_subscriber_delivery.lock(session, delivery_id)
    if found is None:
        raise NotFoundError("subscriber delivery", delivery_id)
    if found.status in WAITING:
        raise SubscriberDeliveryWaitingError("It is on its way already; wait for how it ends.")
    subscriber = await crud_subscriber.get(session, found.subscriber_id)
    told = (SubscriberState.ACTIVE, SubscriberState.PENDING)
    if subscriber is None or subscriber.state not in told:
        raise SubscriberNotToldError(
            "This subscriber is told nothing now: the address left, or it refuses what is sent."
        )
    again: dict[str, Any] = {
        "status": LetterStatus.PENDING,
        "ready_at": now,
        "settled_at": None,
        "digest_id": None,
        "is_resend": True,
        "attempts_before": found.attempts,
    }
    for name, value in again.items():
        setattr(found, name, value)
    await audit_log.note(session, "subscriber_delivery.resent", found.id, now=now)
    if found.kind is LetterKind.DIGEST:
        await crud_subscriber_delivery.reopen_items(session, found.id)
    wake_after_commit(session, DELIVERY)
    return found
