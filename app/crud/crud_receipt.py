"""What became of messages: told by whoever sent them, or later by a provider.

An attempt is known by its row and its number, and only the current one may be recorded: a
sender that was taken for dead changes nothing any more. A provider is believed in any order:
what it says arrived has arrived, whatever was thought of it before.

Rows that go together, as in a bundle, are taken in the order of their ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
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


class Attempt(NamedTuple):
    """One sender's hold on one row."""

    id: int
    number: int


@dataclass(frozen=True)
class Ending:
    """How an attempt ended, and what its row becomes."""

    outcome: AttemptOutcome | None  # None: it was never begun, and does not count
    status: NotificationStatus
    ready_at: datetime | None = None  # of what is tried again
    reason: str | None = None
    error: str | None = None
    provider_id: str | None = None
    sent_at: datetime | None = None
    sent_to: str | None = None
    receipt_at: datetime | None = None  # the leader's alone: one message has one receipt
    is_counted: bool = True  # among the tries that a message has
    is_resend: bool = False  # from now on: it may have gone out


_COLUMNS: dict[str, Any] = {
    **dict.fromkeys(("id", "number"), KEYS),
    **dict.fromkeys(("outcome", "status", "reason", "error"), ARRAY(String())),
    **dict.fromkeys(("provider_id", "sent_to"), ARRAY(String())),
    **dict.fromkeys(("ready_at", "sent_at", "receipt_at", "claimed_before"), ARRAY(TIME)),
    **dict.fromkeys(("is_counted", "is_resend"), ARRAY(Boolean())),
}
# A row that would be tried again is dropped instead if its incident was answered meanwhile.
_FINISH = text(
    """
    WITH ended AS (
        SELECT * FROM unnest({arrays}) AS e({names})
    ), held AS MATERIALIZED (
        SELECT e.*, n.claimed_at,
            n.overtaken_at IS NOT NULL AND e.status = 'pending' AS is_overtaken
        FROM notifications n JOIN ended e ON e.id = n.id AND e.number = n.attempts
        WHERE n.status = 'sending'
        ORDER BY n.id
        FOR NO KEY UPDATE OF n
    ), recorded AS (
        INSERT INTO notification_attempts
            (notification_id, number, outcome, started_at, finished_at, error, provider_id)
        SELECT id, number, outcome, claimed_at, :now, error, provider_id
        FROM held WHERE outcome IS NOT NULL
    )
    UPDATE notifications n SET
        status = CASE WHEN h.is_overtaken THEN 'cancelled' ELSE h.status END,
        ready_at = CASE WHEN NOT h.is_overtaken THEN h.ready_at END,
        reason = CASE WHEN h.is_overtaken
            THEN 'The incident was answered first.' ELSE h.reason END,
        bundled_into = CASE WHEN h.status <> 'pending' THEN n.bundled_into END,
        attempts = n.attempts - CASE WHEN h.outcome IS NULL THEN 1 ELSE 0 END,
        attempts_before = n.attempts_before + CASE WHEN h.is_counted THEN 0 ELSE 1 END,
        claimed_at = CASE WHEN h.outcome IS NULL THEN h.claimed_before ELSE n.claimed_at END,
        is_resend = n.is_resend OR h.is_resend,
        last_error = h.error,
        provider_id = h.provider_id,
        sent_at = coalesce(h.sent_at, n.sent_at),
        sent_to = coalesce(h.sent_to, n.sent_to),
        receipt_at = h.receipt_at,
        receipt_checks = 0,
        updated_at = :now
    FROM held h WHERE h.id = n.id
    RETURNING n.id, h.number, n.status
""".replace("{arrays}", ", ".join(f":{name}" for name in _COLUMNS)).replace(
        "{names}", ", ".join(_COLUMNS)
    )
).bindparams(
    *(bindparam(name, type_=kind) for name, kind in _COLUMNS.items()), bindparam("now", type_=TIME)
)


async def finish_attempts(
    session: WriteSession, endings: Sequence[tuple[Leased, Ending]], *, now: datetime
) -> dict[Attempt, NotificationStatus]:
    """Record how attempts ended, each row its own; what those became that were still ours."""
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for row, ending in endings:
        values = {
            "id": row.id,
            "number": row.attempts,
            "claimed_before": row.before.claimed_at,
            **vars(ending),
        }
        for name, value in values.items():
            columns[name].append(value)
    found = (await session.execute(_FINISH, {**columns, "now": now})).tuples()
    return {Attempt(key, number): NotificationStatus(status) for key, number, status in found}


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
            AND (n.status IN ('sent', 'sending', 'failed') OR n.status = 'pending' AND EXISTS (
                SELECT 1 FROM notification_attempts a
                WHERE a.notification_id = n.id AND a.number = n.attempts
                    AND a.outcome IN ('retry', 'unknown')))
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
