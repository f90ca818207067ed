"""What became of messages that were leased: many at once, each on its own terms.

A bundle ends as one: every page it told gets the outcome of the message. A page that failed
for good may be the last hope of its step, so the incidents are held first and the ladders are
told in the same transaction.

What its provider keeps waiting is not tried for ever: `PATIENCE` after it was due it fails, with
the reason. Whoever sends counts tries; those that only looked whether a provider is back do not
count, so that no outage eats up what a message has.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.crud import crud_incident, crud_receipt
from app.crud.crud_receipt import Attempt, Ending
from app.db.session import WriteSession, wake_after_commit
from app.domain.contact_method import on_record
from app.domain.event import changed
from app.domain.lease import Leased
from app.domain.notification import RECEIPT_WAITS, AttemptOutcome, NotificationStatus
from app.services import notification as notification_service
from app.services import outbox

PATIENCE = timedelta(hours=24)
NO_PROVIDER = "No provider is set for this channel; it was kept in the local outbox: "
GONE = " The subscription has ended, so nothing goes there until it is made anew."


@dataclass(frozen=True)
class Taken:
    """A provider took it. It is asked for a receipt if it can be; a note says what was odd."""

    provider_id: str | None = None
    note: str | None = None
    has_receipts: bool = False


@dataclass(frozen=True)
class Kept:
    """It lies in the local outbox: nobody was told, and the row says so."""

    kept_at: str
    note: str | None = None


@dataclass(frozen=True)
class Again:
    """It did not go out; it is tried again, unless the incident was answered meanwhile."""

    error: str
    wait: timedelta
    is_counted: bool = True


@dataclass(frozen=True)
class Lost:
    """It will not go out. An address that has ended is paged no more."""

    error: str
    is_gone: bool = False


@dataclass(frozen=True)
class HandedBack:
    """It was never begun: unspent, and due again then. `why` if somebody keeps it waiting."""

    until: datetime | None = None  # None: now
    why: str | None = None


@dataclass(frozen=True)
class Unknown:
    """It was given up in mid-send and may have gone out; the next sender takes over now."""

    why: str


Recorded = dict[Attempt, NotificationStatus]
Verdict = Taken | Kept | Again | Lost | HandedBack | Unknown


async def record(
    session: WriteSession, told: Sequence[tuple[Leased, Verdict]], *, now: datetime
) -> list[dict[int, NotificationStatus]]:
    """Record how messages went; for each, what those rows became that were still its sender's.

    Says on the timelines what is lost, and lets the next step come where everything is.
    """
    endings = [
        (row, _ending(row, lease, verdict, now)) for lease, verdict in told for row in lease.rows
    ]
    failing = [row for row, ending in endings if ending.status is NotificationStatus.FAILED]
    if failing:
        incidents = {row.incident.id for row in failing if row.incident is not None}
        await crud_incident.lock_unresolved(session, incidents)
    recorded = await crud_receipt.finish_attempts(session, endings, now=now)
    lost = [
        (row, ending.error or "")
        for row, ending in endings
        if recorded.get(Attempt(row.id, row.attempts)) is NotificationStatus.FAILED
    ]
    if lost:
        await _tell_lost(session, lost, now=now)
        await _end_addresses(session, told, recorded)
    wake_after_commit(session, changed("notification"))
    outbox.wake(session, *{lease.channel for lease, verdict in told if _is_due_now(verdict)})
    return [_of(lease, recorded) for lease, _ in told]


def ordered_at(lease: Leased) -> datetime:
    """Since when it is to be sent: it was due, or somebody had it sent again."""
    again = lease.facts.get(notification_service.ORDERED_AT)
    return lease.promised_at if again is None else datetime.fromisoformat(str(again))


def _of(lease: Leased, recorded: Recorded) -> dict[int, NotificationStatus]:
    attempts = [Attempt(row.id, row.attempts) for row in lease.rows]
    return {attempt.id: recorded[attempt] for attempt in attempts if attempt in recorded}


def _is_due_now(verdict: Verdict) -> bool:
    return isinstance(verdict, Unknown) or (
        isinstance(verdict, HandedBack) and verdict.until is None
    )


def _ending(row: Leased, lease: Leased, verdict: Verdict, now: datetime) -> Ending:
    is_leader = row is lease
    match verdict:
        case Taken(provider_id, note, has_receipts):
            is_asked = has_receipts and provider_id is not None and is_leader
            return Ending(
                AttemptOutcome.SENT,
                NotificationStatus.SENT,
                error=note,
                provider_id=provider_id,
                sent_at=now,
                sent_to=on_record(lease.channel, lease.address),
                receipt_at=now + RECEIPT_WAITS[0] if is_asked else None,
            )
        case Kept(kept_at, note):
            return Ending(
                AttemptOutcome.KEPT,
                NotificationStatus.SUPPRESSED,
                error=note,
                sent_to=on_record(lease.channel, lease.address),
                reason=NO_PROVIDER + kept_at,
            )
        case Lost(error, is_gone):
            return _failed(AttemptOutcome.GAVE_UP, error + GONE if is_gone else error)
        case Unknown(why):
            pending, unknown = NotificationStatus.PENDING, AttemptOutcome.UNKNOWN
            return Ending(unknown, pending, ready_at=now, error=why, is_resend=True)
    return _waiting(row, verdict, now)


def _waiting(row: Leased, verdict: Again | HandedBack, now: datetime) -> Ending:
    """Of what did not go out: it waits, or has waited long enough."""
    is_over = now - ordered_at(row) >= PATIENCE
    match verdict:
        case Again(error, wait, is_counted):
            if is_over:
                return _failed(AttemptOutcome.GAVE_UP, _gave_up(error))
            return Ending(
                AttemptOutcome.RETRY,
                NotificationStatus.PENDING,
                ready_at=now + wait,
                error=error,
                is_counted=is_counted,
            )
        case HandedBack(until, why):
            if is_over and why is not None:
                return _failed(None, _gave_up(why))
            return Ending(None, NotificationStatus.PENDING, ready_at=until or now, error=why)


def _failed(outcome: AttemptOutcome | None, error: str) -> Ending:
    return Ending(outcome, NotificationStatus.FAILED, reason=error, error=error)


def _gave_up(error: str) -> str:
    return f"Gave up {PATIENCE // timedelta(hours=1)} hours after it was due: {error}"


async def _tell_lost(
    session: WriteSession, lost: Iterable[tuple[Leased, str]], *, now: datetime
) -> None:
    entries = [
        notification_service.lost_entry(row.incident.id, row, error, now=now)
        for row, error in lost
        if row.incident is not None
    ]
    await crud_incident.tell(session, entries)
    steps = {row.step.key for row, _ in lost if row.step is not None}
    await notification_service.hurry(session, steps, now=now)


async def _end_addresses(
    session: WriteSession,
    told: Iterable[tuple[Leased, Verdict]],
    recorded: Recorded,
) -> None:
    for lease, verdict in told:
        is_gone = isinstance(verdict, Lost) and verdict.is_gone
        if is_gone and lease.contact is not None and _of(lease, recorded):
            await crud_receipt.unverify(session, lease.contact, since=lease.claimed_at)
