"""What became of messages: told by whoever sent them, or later by a provider.

An attempt is known by its row and its number, and only the current one may be recorded: a
sender that was taken for dead changes nothing any more. A provider is believed in any order:
what it says arrived has arrived, whatever was thought of it before.

Rows that go together, as in a bundle, are taken in the order of their ids.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Interval,
    RowMapping,
    String,
    bindparam,
    func,
    or_,
    select,
    text,
    update,
)

from app.db.session import ReadSession, WriteSession
from app.domain.lease import Leased, LeasedContact, StepKey
from app.domain.notification import (
    RECEIPT_WAITS,
    AttemptOutcome,
    Channel,
    NotificationKind,
    NotificationStatus,
)
from app.models import ContactMethod, Notification

TIME, KEY, KEYS = DateTime(timezone=True), BigInteger(), ARRAY(BigInteger())


@dataclass(frozen=True)
class Ending:
    """How an attempt ended, and what its rows become."""

    outcome: AttemptOutcome
    status: NotificationStatus
    ready_at: datetime | None = None  # of what is tried again
    reason: str | None = None
    error: str | None = None
    provider_id: str | None = None
    sent_at: datetime | None = None
    sent_to: str | None = None
    receipt_at: datetime | None = None  # the leader's alone: one message has one receipt


# A row that would be tried again is dropped instead if its incident was answered meanwhile.
_FINISH = text("""
    WITH held AS MATERIALIZED (
        SELECT n.id FROM notifications n
        JOIN unnest(:ids, :numbers) AS h(id, number) ON h.id = n.id AND h.number = n.attempts
        WHERE n.status = 'sending'
        ORDER BY n.id
        FOR NO KEY UPDATE OF n
    ), done AS (
        UPDATE notifications n SET
            status = CASE WHEN n.overtaken_at IS NOT NULL AND :status = 'pending'
                THEN 'cancelled' ELSE :status END,
            ready_at = CASE WHEN n.overtaken_at IS NULL THEN :ready_at END,
            reason = CASE WHEN n.overtaken_at IS NOT NULL AND :status = 'pending'
                THEN 'The incident was answered first.' ELSE :reason END,
            bundled_into = CASE WHEN :status <> 'pending' THEN n.bundled_into END,
            last_error = :error,
            provider_id = :provider_id,
            sent_at = coalesce(:sent_at, n.sent_at),
            sent_to = coalesce(:sent_to, n.sent_to),
            receipt_at = CASE WHEN n.id = :leader THEN :receipt_at END,
            receipt_checks = 0,
            updated_at = :now
        FROM held WHERE held.id = n.id
        RETURNING n.id, n.attempts, n.claimed_at
    )
    INSERT INTO notification_attempts
        (notification_id, number, outcome, started_at, finished_at, error, provider_id)
    SELECT id, attempts, :outcome, claimed_at, :now, :error, :provider_id FROM done
    RETURNING notification_id
""").bindparams(
    *(bindparam(name, type_=TIME) for name in ("now", "ready_at", "sent_at", "receipt_at")),
    *(bindparam(name, type_=KEYS) for name in ("ids", "numbers")),
    *(bindparam(n, type_=String()) for n in ("status", "reason", "error", "provider_id")),
    *(bindparam(n, type_=String()) for n in ("sent_to", "outcome")),
    bindparam("leader", type_=KEY),
)


async def finish_attempt(
    session: WriteSession, lease: Leased, ending: Ending, *, now: datetime
) -> set[int]:
    """Record how an attempt ended, for every page it told; which of them were still ours."""
    parameters = {
        "ids": [row.id for row in lease.rows],
        "numbers": [row.attempts for row in lease.rows],
        "leader": lease.id,
        "now": now,
        **vars(ending),
    }
    return set((await session.scalars(_FINISH, parameters)).all())


async def unverify(session: WriteSession, contact: LeasedContact, *, since: datetime) -> None:
    """Page a contact method no more, unless it was verified anew since then."""
    await session.execute(
        update(ContactMethod)
        .where(ContactMethod.id == contact.id, ContactMethod.verified_at <= since)
        .values(verified_at=None)
        .execution_options(synchronize_session=False)
    )


# --- What providers say later --------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """A message that its provider is to be asked about."""

    id: int
    channel: Channel
    provider_id: str


_CLAIM = text("""
    WITH due AS MATERIALIZED (
        SELECT n.id FROM notifications n
        WHERE n.channel = ANY(:channels) AND n.receipt_at <= :now
        ORDER BY n.receipt_at, n.id
        LIMIT :limit
        FOR NO KEY UPDATE OF n SKIP LOCKED
    )
    UPDATE notifications n SET
        receipt_checks = n.receipt_checks + 1,
        receipt_at = :now + (:waits)[n.receipt_checks + 2]
    FROM due WHERE due.id = n.id
    RETURNING n.id, n.channel, n.provider_id
""").bindparams(
    bindparam("channels", type_=ARRAY(String())),
    bindparam("now", type_=TIME),
    bindparam("limit", type_=KEY),
    bindparam("waits", type_=ARRAY(Interval())),
)


async def claim_due(
    session: WriteSession, channels: list[Channel], *, now: datetime, limit: int
) -> list[Question]:
    """The messages to ask about now, each put off to the next time, or for good after the last."""
    parameters = {"channels": channels, "now": now, "limit": limit, "waits": list(RECEIPT_WAITS)}
    found = (await session.execute(_CLAIM, parameters)).tuples()
    return [
        Question(key, Channel(channel), provider_id)
        for key, channel, provider_id in found
        if provider_id is not None
    ]


async def next_due_at(session: ReadSession, channels: list[Channel]) -> datetime | None:
    """When a provider on one of these channels is to be asked next."""
    return await session.scalar(
        select(func.min(Notification.receipt_at)).where(
            Notification.channel.in_(channels), Notification.receipt_at.is_not(None)
        )
    )


async def incidents_of(session: ReadSession, notification_id: int) -> list[int]:
    """The incidents that a message told of, in order."""
    statement = (
        select(Notification.incident_id)
        .where(
            or_(Notification.id == notification_id, Notification.bundled_into == notification_id),
            Notification.incident_id.is_not(None),
        )
        .distinct()
        .order_by(Notification.incident_id)
    )
    return [key for key in await session.scalars(statement) if key is not None]


# Whatever comes before its sender could record it ends the attempt itself. A provider speaks of
# an attempt that it took, so one that was never made, or was ordered anew, is not meant.
_ARRIVED = text("""
    WITH told AS MATERIALIZED (
        SELECT n.id, n.status AS was, n.attempts, n.claimed_at FROM notifications n
        WHERE (n.id = :key OR n.bundled_into = :key)
            AND (n.status IN ('sent', 'sending', 'failed')
                OR n.status = 'pending' AND n.attempts > n.attempts_before)
        ORDER BY n.id
        FOR NO KEY UPDATE OF n
    ), recorded AS (
        INSERT INTO notification_attempts
            (notification_id, number, outcome, started_at, finished_at, provider_id)
        SELECT id, attempts, 'sent', claimed_at, :now, :provider_id FROM told
        WHERE was = 'sending'
    )
    UPDATE notifications n SET
        status = 'delivered',
        delivered_at = :now,
        sent_at = coalesce(n.sent_at, :now),
        provider_id = coalesce(n.provider_id, :provider_id),
        ready_at = NULL, receipt_at = NULL, reason = NULL, last_error = NULL, updated_at = :now
    FROM told WHERE told.id = n.id
""").bindparams(
    bindparam("key", type_=KEY),
    bindparam("now", type_=TIME),
    bindparam("provider_id", type_=String()),
)


async def record_delivered(
    session: WriteSession, notification_id: int, provider_id: str | None, *, now: datetime
) -> None:
    """It arrived, with every page it told."""
    await session.execute(
        _ARRIVED, {"key": notification_id, "provider_id": provider_id, "now": now}
    )


@dataclass(frozen=True)
class Lost:
    """A message that a provider took and could not deliver."""

    id: int
    kind: NotificationKind
    channel: Channel
    user_name: str | None
    incident_id: int | None
    step: StepKey | None


_LOST = text("""
    WITH told AS MATERIALIZED (
        SELECT n.id, n.status AS was, n.attempts, n.claimed_at FROM notifications n
        WHERE (n.id = :key OR n.bundled_into = :key)
            AND (n.status = 'sending' OR n.status = 'sent'
                AND coalesce(n.provider_id = :provider_id, true))
        ORDER BY n.id
        FOR NO KEY UPDATE OF n
    ), recorded AS (
        INSERT INTO notification_attempts
            (notification_id, number, outcome, started_at, finished_at, error, provider_id)
        SELECT id, attempts, 'gave_up', claimed_at, :now, :error, :provider_id FROM told
        WHERE was = 'sending'
    ), corrected AS (
        UPDATE notification_attempts a SET outcome = 'gave_up', error = :error
        FROM told
        WHERE a.notification_id = told.id AND a.number = told.attempts AND told.was = 'sent'
    ), lost AS (
        UPDATE notifications n SET
            status = 'failed', reason = :error, last_error = :error, ready_at = NULL,
            receipt_at = NULL, updated_at = :now
        FROM told WHERE told.id = n.id
        RETURNING n.*
    )
    SELECT n.id, n.kind, n.channel, n.incident_id, n.escalation_id, n.loop, n.step,
        coalesce(u.full_name, u.email) AS user_name
    FROM lost n LEFT JOIN users u ON u.id = n.user_id
    ORDER BY n.id
""").bindparams(
    bindparam("key", type_=KEY),
    bindparam("now", type_=TIME),
    *(bindparam(name, type_=String()) for name in ("error", "provider_id")),
)


async def record_lost(
    session: WriteSession,
    notification_id: int,
    error: str,
    provider_id: str | None,
    *,
    now: datetime,
) -> list[Lost]:
    """It will never arrive, nor will what else it told; what that is.

    A provider that speaks of another message than the last one speaks of an older attempt.
    """
    parameters = {
        "key": notification_id,
        "error": error,
        "provider_id": provider_id,
        "now": now,
    }
    return [_lost(row) for row in (await session.execute(_LOST, parameters)).mappings()]


def _lost(row: RowMapping) -> Lost:
    step = None
    if row["escalation_id"] is not None:
        step = StepKey(row["incident_id"], row["escalation_id"], row["loop"], row["step"])
    return Lost(
        row["id"],
        NotificationKind(row["kind"]),
        Channel(row["channel"]),
        row["user_name"],
        row["incident_id"],
        step,
    )
