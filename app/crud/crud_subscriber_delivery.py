"""What subscribers are sent: owed, leased, recorded, looked at, forgotten.

A lease is the `ready_at` of a row in `sending`: when it has passed, the sender is taken for dead
and the row is leased again. Only whoever holds the attempt may record how it ended. A notice
that goes into a digest shares the digest's fate, in the same statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Boolean, DateTime, String, bindparam, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.crud import base
from app.db.session import Database, ReadSession, WriteSession
from app.domain.notification import Channel
from app.domain.subscriber import LetterKind, LetterStatus
from app.models import SubscriberDelivery

TIME, KEY, KEYS = DateTime(timezone=True), BigInteger(), ARRAY(BigInteger())
UNWANTED = "Its subscriber wanted nothing more by the time it was due."


# --- Owed -------------------------------------------------------------------------------

# Those whom a notice is for and who agreed before it happened, in the order of their ids from the
# last that has its row: so a fan-out that was cut off goes on where it was. The unique keys make
# one row of two that are written at once.
_OWE = text("""
    WITH about AS (
        SELECT n.id, n.created_at, n.component_ids, n.public_incident_id,
            coalesce((
                SELECT max(d.subscriber_id) FROM subscriber_deliveries d WHERE d.notice_id = n.id
            ), 0) AS reached,
            ARRAY(
                SELECT c.group_id FROM status_components c
                WHERE c.id = ANY(n.component_ids) AND c.group_id IS NOT NULL
            ) AS group_ids
        FROM public_notices n WHERE n.id = :notice
    ), meant AS MATERIALIZED (
        SELECT s.id, s.channel, s.frequency FROM about a JOIN subscribers s ON s.id > a.reached
        WHERE s.state = 'active' AND s.confirmed_at <= a.created_at AND (
            s.is_for_everything OR EXISTS (
                SELECT FROM subscriber_scopes w WHERE w.subscriber_id = s.id AND (
                    w.component_id = ANY(a.component_ids) OR w.group_id = ANY(a.group_ids)
                    OR w.public_incident_id = a.public_incident_id
                )
            )
        )
        ORDER BY s.id LIMIT :limit
        FOR KEY SHARE OF s
    ), digests AS (
        INSERT INTO subscriber_deliveries
            (subscriber_id, channel, kind, digest_at, ready_at, created_at)
        SELECT id, channel, 'digest', :digest_at, :digest_at, :now
        FROM meant WHERE frequency = 'daily'
        ORDER BY id
        ON CONFLICT (subscriber_id, digest_at) DO UPDATE SET digest_at = excluded.digest_at
        RETURNING subscriber_id, id
    ), owed AS (
        INSERT INTO subscriber_deliveries
            (subscriber_id, channel, kind, notice_id, digest_id, ready_at, created_at)
        SELECT m.id, m.channel, 'notice', :notice, d.id,
            CASE WHEN d.id IS NULL THEN CAST(:now AS timestamptz) END, :now
        FROM meant m LEFT JOIN digests d ON d.subscriber_id = m.id
        ORDER BY m.id
        ON CONFLICT (notice_id, subscriber_id) DO NOTHING
    )
    SELECT count(*) FROM meant
""").bindparams(
    bindparam("notice", type_=KEY),
    bindparam("limit", type_=KEY),
    bindparam("now", type_=TIME),
    bindparam("digest_at", type_=TIME),
)


async def owe(
    session: WriteSession, notice_id: int, *, digest_at: datetime, now: datetime, limit: int
) -> int:
    """Write what up to `limit` more subscribers are owed of a notice; how many that were."""
    values = {"notice": notice_id, "limit": limit, "digest_at": digest_at, "now": now}
    return int((await session.scalars(_OWE, values)).one())


async def owe_link(
    session: WriteSession, rows: Sequence[tuple[int, Channel]], *, now: datetime
) -> None:
    """Owe these subscribers the link that proves their address."""
    if not rows:
        return
    await session.execute(
        upsert(SubscriberDelivery).values(
            [
                {
                    "subscriber_id": one,
                    "channel": channel,
                    "kind": LetterKind.CONFIRMATION,
                    "ready_at": now,
                    "created_at": now,
                }
                for one, channel in rows
            ]
        )
    )


# --- Leased -----------------------------------------------------------------------------


@dataclass(frozen=True)
class LeasedLetter:
    """A sending that was taken, and where it goes. What is secret is still sealed."""

    id: int
    uid: UUID
    kind: LetterKind
    channel: Channel
    notice_id: int | None
    subscriber_id: int
    address: str = field(repr=False)
    address_hash: str = field(repr=False)
    secret: bytes | None = field(repr=False)
    link_number: int = field(repr=False)
    claimed_at: datetime
    created_at: datetime
    attempts: int
    attempts_before: int
    is_resend: bool
    notices: tuple[int, ...] = ()  # what it tells: of a digest, all of them

    @property
    def tries(self) -> int:
        """How often it was tried since it was owed or sent again, this time included."""
        return self.attempts - self.attempts_before


# What is due for somebody who left, or was confirmed, while it was being written ends here.
_LEASE = text("""
    WITH due AS MATERIALIZED (
        SELECT d.id, d.status AS was FROM subscriber_deliveries d
        WHERE d.channel = :channel AND d.ready_at <= :now
        ORDER BY d.ready_at, d.id
        LIMIT :limit
        FOR NO KEY UPDATE SKIP LOCKED
    ), fit AS (
        SELECT due.id, due.was, s.id AS subscriber_id, s.address, s.address_hash, s.secret,
            s.link_number,
            CASE d.kind WHEN 'confirmation' THEN s.state <> 'unsubscribed'
                ELSE s.state = 'active' END AS is_wanted
        FROM due
        JOIN subscriber_deliveries d ON d.id = due.id
        JOIN subscribers s ON s.id = d.subscriber_id
    ), dropped AS (
        UPDATE subscriber_deliveries i SET
            status = 'cancelled', settled_at = :now, last_error = :unwanted
        FROM fit WHERE i.digest_id = fit.id AND i.status = 'pending' AND NOT fit.is_wanted
    )
    UPDATE subscriber_deliveries d SET
        status = CASE WHEN f.is_wanted THEN 'sending' ELSE 'cancelled' END,
        ready_at = CASE WHEN f.is_wanted THEN CAST(:until AS timestamptz) END,
        settled_at = CASE WHEN f.is_wanted THEN NULL ELSE CAST(:now AS timestamptz) END,
        claimed_at = :now,
        attempts = d.attempts + CASE WHEN f.is_wanted THEN 1 ELSE 0 END,
        is_resend = d.is_resend OR f.was = 'sending',
        last_error = CASE WHEN NOT f.is_wanted THEN :unwanted
            WHEN f.was = 'sending' THEN 'The sender vanished in mid-send.'
            ELSE d.last_error END
    FROM fit f WHERE f.id = d.id
    RETURNING f.is_wanted, d.id, d.uid, d.kind, d.channel, d.notice_id, d.subscriber_id,
        f.address, f.address_hash, f.secret, f.link_number, d.claimed_at, d.created_at,
        d.attempts, d.attempts_before, d.is_resend,
        ARRAY(
            SELECT i.notice_id FROM subscriber_deliveries i WHERE i.digest_id = d.id
            AND i.status = 'pending' ORDER BY i.notice_id
        ) AS items
""").bindparams(
    bindparam("channel", type_=String()),
    bindparam("now", type_=TIME),
    bindparam("until", type_=TIME),
    bindparam("limit", type_=KEY),
    bindparam("unwanted", type_=String()),
)


@dataclass(frozen=True)
class Leasing:
    """What was taken; and whether anything was moved at all, so that there may be more."""

    leased: list[LeasedLetter]
    moved: bool


async def lease_due(
    session: WriteSession, channel: Channel, *, now: datetime, until: datetime, limit: int
) -> Leasing:
    """Take up to `limit` sendings of a channel that are due, and drop what nobody wants now."""
    values = {"channel": channel, "now": now, "until": until, "limit": limit}
    found = (await session.execute(_LEASE, {**values, "unwanted": UNWANTED})).mappings().all()
    leased = [_leased(dict(row)) for row in found if row["is_wanted"]]
    return Leasing(sorted(leased, key=lambda one: one.id), bool(found))


def _leased(row: dict[str, Any]) -> LeasedLetter:
    del row["is_wanted"]
    items = tuple(row.pop("items"))
    if row["notice_id"] is not None:
        items = (row["notice_id"],)
    kind, channel = LetterKind(row.pop("kind")), Channel(row.pop("channel"))
    return LeasedLetter(**row, kind=kind, channel=channel, notices=items)


_NEXT_LEAD = """
    SELECT (SELECT ready_at FROM subscriber_deliveries
        WHERE channel = $1 AND ready_at IS NOT NULL
        ORDER BY ready_at LIMIT 1) - (now() + $2::interval) AS lead
"""


async def next_lead(database: Database, channel: Channel) -> timedelta | None:
    """How long until the next sending of a channel may be leased; negative if it is late."""
    [row] = await database.ask(_NEXT_LEAD, channel, database.clock_shift)
    lead: timedelta | None = row["lead"]
    return lead


# --- Recorded ---------------------------------------------------------------------------


class Ending(NamedTuple):
    """How an attempt ended, and what its row becomes."""

    id: int
    number: int
    status: LetterStatus
    ready_at: datetime | None = None
    error: str | None = None
    is_counted: bool = True  # False: it was never begun
    is_resend: bool = False  # it may have gone out, and does so again


_ENDING: dict[str, Any] = {
    **dict.fromkeys(("id", "number"), KEYS),
    **dict.fromkeys(("status", "error"), ARRAY(String())),
    "ready_at": ARRAY(TIME),
    **dict.fromkeys(("is_counted", "is_resend"), ARRAY(Boolean())),
}
_FINISH = text(
    """
    WITH ended AS (
        SELECT * FROM unnest({arrays}) AS e({names})
    ), held AS MATERIALIZED (
        SELECT e.* FROM subscriber_deliveries d
        JOIN ended e ON e.id = d.id AND e.number = d.attempts
        WHERE d.status = 'sending'
        ORDER BY d.id
        FOR NO KEY UPDATE OF d
    ), items AS (
        UPDATE subscriber_deliveries i SET
            status = h.status, settled_at = :now, last_error = h.error
        FROM held h
        WHERE i.digest_id = h.id AND i.status = 'pending' AND h.ready_at IS NULL
    )
    UPDATE subscriber_deliveries d SET
        status = h.status,
        ready_at = h.ready_at,
        settled_at = CASE WHEN h.ready_at IS NULL THEN CAST(:now AS timestamptz) END,
        attempts = d.attempts - CASE WHEN h.is_counted THEN 0 ELSE 1 END,
        is_resend = d.is_resend OR h.is_resend,
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


# What is being sent just now is let go on: nobody can call it back.
_CANCEL = text("""
    UPDATE subscriber_deliveries SET
        status = 'cancelled', ready_at = NULL, settled_at = :now, last_error = :reason
    WHERE subscriber_id = :subscriber AND status = 'pending'
        AND (CAST(:kind AS text) IS NULL OR kind = :kind)
    RETURNING id
""").bindparams(
    bindparam("now", type_=TIME),
    bindparam("reason", type_=String()),
    bindparam("kind", type_=String()),
    bindparam("subscriber", type_=KEY),
)


async def cancel_waiting(
    session: WriteSession,
    subscriber_id: int,
    reason: str,
    *,
    kind: LetterKind | None = None,
    now: datetime,
) -> int:
    """End what waits for a subscriber: all of it, or what is of one kind."""
    values = {"subscriber": subscriber_id, "reason": reason, "kind": kind, "now": now}
    return len((await session.scalars(_CANCEL, values)).all())


_BOUNCED = text("""
    WITH gone AS (
        SELECT * FROM unnest(:ids, :reasons) AS g(id, reason)
    ), held AS MATERIALIZED (
        SELECT s.id, g.reason FROM subscribers s JOIN gone g ON g.id = s.id
        WHERE s.state IN ('active', 'pending')
        ORDER BY s.id FOR NO KEY UPDATE OF s
    ), stopped AS (
        UPDATE subscriber_deliveries d SET status = 'cancelled', ready_at = NULL,
            settled_at = :now, last_error = 'The address refused what was sent before it.'
        FROM held h WHERE d.subscriber_id = h.id AND d.status = 'pending'
    )
    UPDATE subscribers s SET state = 'bouncing', bounced_at = :now, bounce_reason = h.reason,
        updated_at = :now, revision = s.revision + 1
    FROM held h WHERE h.id = s.id
    RETURNING s.id
""").bindparams(
    bindparam("ids", type_=KEYS),
    bindparam("reasons", type_=ARRAY(String())),
    bindparam("now", type_=TIME),
)


async def pause(session: WriteSession, bounced: dict[int, str], *, now: datetime) -> Sequence[int]:
    """Send nothing more to addresses that refused it for good, and end what waits for them."""
    keys = sorted(bounced)
    values = {"ids": keys, "reasons": [bounced[key] for key in keys], "now": now}
    return (await session.scalars(_BOUNCED, values)).all()


# --- By hand ----------------------------------------------------------------------------


async def get(session: ReadSession, delivery_id: int) -> SubscriberDelivery | None:
    return await base.get(session, SubscriberDelivery, delivery_id)


async def lock(session: WriteSession, delivery_id: int) -> SubscriberDelivery | None:
    """The sending, held until commit."""
    return await base.lock(session, SubscriberDelivery, delivery_id)


async def reopen_items(session: WriteSession, digest_id: int) -> None:
    """What a digest tells is to be told again with it."""
    await session.execute(
        update(SubscriberDelivery)
        .where(SubscriberDelivery.digest_id == digest_id)
        .values(status=LetterStatus.PENDING, settled_at=None, last_error=None)
        .execution_options(synchronize_session=False)
    )


# --- Forgotten --------------------------------------------------------------------------


async def remove_over(session: WriteSession, *, before: datetime, limit: int) -> int:
    """Forget up to `limit` sendings that ended before then; how many."""
    ended = SubscriberDelivery.settled_at
    return await base.remove_some(
        session, SubscriberDelivery.id, ended < before, limit=limit, order=ended
    )
