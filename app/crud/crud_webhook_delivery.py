"""Deliveries to webhook subscriptions: promised, leased, recorded, forgotten.

A lease is the `ready_at` of a row in `sending`: when it has passed, the sender is taken for
dead and the row is leased again. Only whoever holds the attempt may record how it ended.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    DateTime,
    RowMapping,
    String,
    bindparam,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.webhook import DeliveryStatus
from app.models import WebhookDelivery

TIME, KEY, KEYS = DateTime(timezone=True), BigInteger(), ARRAY(BigInteger())


# --- Promised, and looked at ------------------------------------------------------------


async def promise(session: WriteSession, rows: Sequence[dict[str, Any]]) -> int:
    """Write one delivery for each event, unless there is one; how many are new."""
    if not rows:
        return 0
    statement = (
        upsert(WebhookDelivery)
        .values(list(rows))
        .on_conflict_do_nothing(index_elements=["subscription_id", "event_id"])
        .returning(WebhookDelivery.id)
    )
    return len((await session.scalars(statement)).all())


async def list_page(
    session: ReadSession,
    subscription_id: int,
    statuses: Collection[DeliveryStatus],
    promised: base.Span,
    wanted: base.Window,
) -> base.Slice[WebhookDelivery]:
    statement = select(WebhookDelivery).where(WebhookDelivery.subscription_id == subscription_id)
    statement = promised.narrow(statement, WebhookDelivery.created_at)
    if statuses:
        statement = statement.where(WebhookDelivery.status.in_(statuses))
    return await base.window(session, statement, WebhookDelivery.id, wanted)


async def lock(session: WriteSession, delivery_id: int) -> WebhookDelivery | None:
    """The delivery, held until commit."""
    return await base.lock(session, WebhookDelivery, delivery_id)


# --- Leased -----------------------------------------------------------------------------


@dataclass(frozen=True)
class LeasedDelivery:
    """A delivery taken for sending, and where it goes. The secrets are still locked."""

    id: int
    subscription_id: int
    uid: UUID
    url: str = field(repr=False)
    type: str
    data: dict[str, Any]
    occurred_at: datetime
    claimed_at: datetime
    attempts: int
    attempts_before: int
    is_failing: bool  # nothing has got through to the endpoint lately
    secret: bytes | None = field(repr=False)
    previous_secret: bytes | None = field(repr=False)

    @property
    def tries(self) -> int:
        """How often it was tried since it was promised or replayed, this time included."""
        return self.attempts - self.attempts_before


# The part of the index that belongs to each subscription is read by itself, so a long queue of
# one keeps no other waiting. Where nothing gets through, one at a time is enough to find out.
_LEASE = text("""
    WITH due AS MATERIALIZED (
        SELECT d.id, d.status AS was, s.url, s.failing_since, s.secret,
            CASE WHEN s.previous_until > :now THEN s.previous_secret END AS previous_secret
        FROM webhook_subscriptions s CROSS JOIN LATERAL (
            SELECT id, status, ready_at FROM webhook_deliveries
            WHERE subscription_id = s.id AND ready_at <= :now
            ORDER BY ready_at, id
            LIMIT CASE WHEN s.failing_since IS NULL THEN CAST(:each AS bigint) ELSE 1 END
            FOR NO KEY UPDATE SKIP LOCKED
        ) d
        WHERE s.is_active AND s.id <> ALL(:busy)
        ORDER BY d.ready_at, d.id
        LIMIT :most
    )
    UPDATE webhook_deliveries d SET
        status = 'sending',
        ready_at = :until,
        claimed_at = :now,
        attempts = d.attempts + 1,
        is_resend = d.is_resend OR due.was = 'sending',
        last_error = CASE WHEN due.was = 'sending'
            THEN 'The sender vanished in mid-send.' ELSE d.last_error END
    FROM due WHERE due.id = d.id
    RETURNING d.id, d.subscription_id, d.uid, due.url, d.type, d.data, d.occurred_at,
        d.claimed_at, d.attempts, d.attempts_before, due.failing_since IS NOT NULL AS is_failing,
        due.secret, due.previous_secret
""").bindparams(
    bindparam("now", type_=TIME),
    bindparam("until", type_=TIME),
    bindparam("busy", type_=KEYS),
    bindparam("each", type_=KEY),
    bindparam("most", type_=KEY),
)
_NEXT = text("""
    SELECT min(d.ready_at)
    FROM webhook_subscriptions s CROSS JOIN LATERAL (
        SELECT ready_at FROM webhook_deliveries
        WHERE subscription_id = s.id AND ready_at IS NOT NULL
        ORDER BY ready_at LIMIT 1
    ) d
    WHERE s.is_active AND s.id <> ALL(:busy)
""").bindparams(bindparam("busy", type_=KEYS))


async def lease_due(
    session: WriteSession,
    *,
    now: datetime,
    until: datetime,
    most: int,
    each: int,
    busy: Collection[int] = (),
) -> list[LeasedDelivery]:
    """Take up to `most` due deliveries, `each` of a subscription, none of those that are busy."""
    values = {"now": now, "until": until, "most": most, "each": each, "busy": list(busy)}
    found = (await session.execute(_LEASE, values)).mappings()
    return sorted((_leased(row) for row in found), key=lambda leased: leased.id)


async def next_ready_at(session: ReadSession, *, busy: Collection[int] = ()) -> datetime | None:
    """When the next delivery of those that are not busy may be leased."""
    found: datetime | None = await session.scalar(_NEXT, {"busy": list(busy)})
    return found


def _leased(row: RowMapping) -> LeasedDelivery:
    return LeasedDelivery(**row)


# --- Recorded ---------------------------------------------------------------------------


class Ending(NamedTuple):
    """How an attempt ended, and what its row becomes."""

    id: int
    number: int
    status: DeliveryStatus
    ready_at: datetime | None = None
    response_code: int | None = None
    error: str | None = None
    is_counted: bool = True  # False: it was never begun
    is_resend: bool = False  # it may have gone out, and does so again


_ENDING: dict[str, Any] = {
    **dict.fromkeys(("id", "number", "response_code"), KEYS),
    **dict.fromkeys(("status", "error"), ARRAY(String())),
    "ready_at": ARRAY(TIME),
    **dict.fromkeys(("is_counted", "is_resend"), ARRAY(Boolean())),
}
_FINISH = text(
    """
    WITH ended AS (
        SELECT * FROM unnest({arrays}) AS e({names})
    ), held AS MATERIALIZED (
        SELECT e.* FROM webhook_deliveries d
        JOIN ended e ON e.id = d.id AND e.number = d.attempts
        WHERE d.status = 'sending'
        ORDER BY d.id
        FOR NO KEY UPDATE OF d
    )
    UPDATE webhook_deliveries d SET
        status = h.status,
        ready_at = h.ready_at,
        settled_at = CASE WHEN h.ready_at IS NULL THEN CAST(:now AS timestamptz) END,
        attempts = d.attempts - CASE WHEN h.is_counted THEN 0 ELSE 1 END,
        is_resend = d.is_resend OR h.is_resend,
        response_code = CASE WHEN h.is_counted THEN h.response_code ELSE d.response_code END,
        last_error = CASE WHEN h.is_counted THEN h.error ELSE d.last_error END
    FROM held h WHERE h.id = d.id
    RETURNING d.id
""".replace("{arrays}", ", ".join(f":{name}" for name in _ENDING)).replace(
        "{names}", ", ".join(_ENDING)
    )
).bindparams(
    bindparam("now", type_=TIME),
    *(bindparam(name, type_=kind) for name, kind in _ENDING.items()),
)


async def finish(session: WriteSession, endings: Sequence[Ending], *, now: datetime) -> set[int]:
    """Write down how attempts ended; the rows that were still theirs."""
    columns = {name: [getattr(ending, name) for ending in endings] for name in _ENDING}
    return set((await session.scalars(_FINISH, {"now": now, **columns})).all())


async def cancel_waiting(
    session: WriteSession, subscription_id: int, reason: str, *, now: datetime
) -> int:
    """End whatever waits for a subscription; what is being sent just now is let go on."""
    statement = (
        update(WebhookDelivery)
        .where(
            WebhookDelivery.subscription_id == subscription_id,
            WebhookDelivery.status == DeliveryStatus.PENDING,
        )
        .values(status=DeliveryStatus.CANCELLED, ready_at=None, settled_at=now, last_error=reason)
        .returning(WebhookDelivery.id)
        .execution_options(synchronize_session=False)
    )
    return len((await session.scalars(statement)).all())


# --- Forgotten --------------------------------------------------------------------------

# What was being sent when its subscription was switched off, by a sender that vanished.
_ABANDONED = text("""
    WITH dead AS (
        SELECT d.id FROM webhook_deliveries d
        JOIN webhook_subscriptions s ON s.id = d.subscription_id AND NOT s.is_active
        WHERE d.status = 'sending' AND d.ready_at <= :now
        LIMIT :limit FOR NO KEY UPDATE OF d SKIP LOCKED
    )
    UPDATE webhook_deliveries d SET status = 'cancelled', ready_at = NULL, settled_at = :now,
        last_error = 'The sender vanished in mid-send, and the subscription was switched off.'
    FROM dead WHERE dead.id = d.id
    RETURNING d.id
""").bindparams(bindparam("now", type_=TIME), bindparam("limit", type_=KEY))


async def cancel_abandoned(session: WriteSession, *, now: datetime, limit: int) -> int:
    """End what nobody will send again."""
    found = await session.scalars(_ABANDONED, {"now": now, "limit": limit})
    return len(found.all())


async def remove_over(session: WriteSession, *, before: datetime, limit: int) -> int:
    """Forget up to `limit` deliveries that ended before then; how many."""
    ended = WebhookDelivery.settled_at
    return await base.remove_some(
        session, WebhookDelivery.id, ended < before, limit=limit, order=ended
    )
