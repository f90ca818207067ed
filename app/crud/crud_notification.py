"""The outbox: promises in, leases out, outcomes recorded.

A lease is the `ready_at` of a row in `sending`: when it has passed, the sender is taken
for dead and the row is leased again. Only the holder of the current lease may record.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    String,
    bindparam,
    case,
    func,
    insert,
    null,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import selectinload

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.notification import (
    WAITING,
    AttemptOutcome,
    Channel,
    NotificationStatus,
)
from app.models import Notification, NotificationAttempt


async def promise_many(session: WriteSession, rows: Sequence[dict[str, Any]]) -> None:
    """Write promises. One that is there already stays as it is."""
    if rows:
        await session.execute(upsert(Notification).on_conflict_do_nothing(), rows)


class StepKey(NamedTuple):
    """One step of one loop of one escalation."""

    incident_id: int
    escalation_id: int
    loop: int
    step: int


@dataclass(frozen=True)
class Leased:
    """A notification taken for sending, with what its message needs."""

    id: int
    escalation_id: int
    attempts: int
    claimed_at: datetime
    is_resend: bool
    channel: Channel
    address: str
    message: str | None
    loop: int
    step: int
    step_count: int
    policy_name: str
    is_fallback: bool
    user_id: int | None
    user_name: str | None
    incident_id: int
    uid: UUID
    title: str
    description: str | None
    severity: str
    service: str
    source: str | None
    url: str | None
    opened_at: datetime
    alert_count: int


# One statement: take due rows that nobody holds; note a sender that vanished; cancel what
# must no longer go out; put off what is snoozed; lease the rest. `due` holds the rows as they
# were locked, so one that an acknowledgement changed a moment ago is not leased on the
# strength of an older snapshot.
_LEASE = text("""
    WITH due AS MATERIALIZED (
        SELECT n.* FROM notifications n
        WHERE n.channel = :channel AND n.ready_at <= :now
        ORDER BY n.ready_at, n.id
        LIMIT :limit
        FOR NO KEY UPDATE OF n SKIP LOCKED
    ), judged AS (
        SELECT d.id, d.status AS was, d.attempts, d.claimed_at, i.uid, i.title, i.description,
            i.severity, i.service, i.source, i.url, i.created_at AS opened_at, t.alert_count,
            e.policy_name, e.is_fallback, jsonb_array_length(e.steps) AS step_count,
            coalesce(u.full_name, u.email) AS user_name,
            coalesce(d.address, c.address) AS address,
            CASE WHEN i.snoozed_until > :now THEN i.snoozed_until END AS rests_until,
            CASE
                WHEN d.overtaken_at IS NOT NULL THEN 'The incident was answered first.'
                WHEN i.status = 'resolved' THEN 'The incident was resolved first.'
                WHEN i.status = 'acknowledged' THEN 'The incident was acknowledged first.'
                WHEN d.user_id IS NOT NULL AND NOT u.is_active THEN 'The recipient was deactivated.'
                WHEN coalesce(d.address, c.address) IS NULL
                    THEN 'The contact method was removed.'
            END AS obstacle
        FROM due d
        JOIN incidents i ON i.id = d.incident_id
        JOIN incident_tallies t ON t.incident_id = d.incident_id
        JOIN escalations e ON e.id = d.escalation_id
        LEFT JOIN users u ON u.id = d.user_id
        LEFT JOIN contact_methods c ON c.id = d.contact_method_id
    ), vanished AS (
        INSERT INTO notification_attempts
            (notification_id, number, outcome, started_at, finished_at, error)
        SELECT id, attempts, 'unknown', claimed_at, :now, 'The sender vanished in mid-send.'
        FROM judged WHERE was = 'sending'
    ), decided AS (
        SELECT *, CASE
            WHEN obstacle IS NOT NULL THEN 'cancelled'
            WHEN rests_until IS NOT NULL THEN 'pending'
            ELSE 'sending'
        END AS becomes
        FROM judged
    )
    UPDATE notifications n SET
        status = j.becomes,
        ready_at = CASE j.becomes
            WHEN 'sending' THEN :until
            WHEN 'pending' THEN j.rests_until
        END,
        claimed_at = CASE j.becomes WHEN 'sending' THEN :now ELSE n.claimed_at END,
        attempts = n.attempts + CASE j.becomes WHEN 'sending' THEN 1 ELSE 0 END,
        is_resend = n.is_resend OR j.was = 'sending',
        reason = j.obstacle,
        updated_at = :now
    FROM decided j WHERE j.id = n.id
    RETURNING n.status, n.escalation_id, n.id, n.attempts, n.claimed_at, n.is_resend, n.channel,
        j.address, n.message, n.loop, n.step, j.step_count, j.policy_name, j.is_fallback,
        n.user_id, j.user_name, n.incident_id, j.uid, j.title, j.description, j.severity,
        j.service, j.source, j.url, j.opened_at, j.alert_count
""").bindparams(
    bindparam("channel", type_=String()),
    bindparam("limit", type_=BigInteger()),
    bindparam("now", type_=DateTime(timezone=True)),
    bindparam("until", type_=DateTime(timezone=True)),
)


@dataclass(frozen=True)
class Leasing:
    """What one lease moved: what is to be sent, and the steps that lost a page."""

    leased: list[Leased]
    cancelled: set[StepKey]
    moved: int


async def lease_due(
    session: WriteSession, channel: Channel, *, now: datetime, until: datetime, limit: int
) -> Leasing:
    """Take up to `limit` due notifications of a channel, each for one sender, until `until`."""
    parameters = {"channel": channel, "now": now, "until": until, "limit": limit}
    rows = [dict(row) for row in (await session.execute(_LEASE, parameters)).mappings()]
    leased: list[Leased] = []
    cancelled: set[StepKey] = set()
    for row in rows:
        match NotificationStatus(row.pop("status")):
            case NotificationStatus.SENDING:
                leased.append(Leased(**{**row, "channel": Channel(row["channel"])}))
            case NotificationStatus.CANCELLED:
                cancelled.add(
                    StepKey(row["incident_id"], row["escalation_id"], row["loop"], row["step"])
                )
            case _:
                pass
    leased.sort(key=lambda lease: lease.id)
    return Leasing(leased, cancelled, len(rows))


async def next_ready_at(session: ReadSession, channel: Channel) -> datetime | None:
    """When the next notification of a channel may be leased, in the past if it is late."""
    return await session.scalar(
        select(Notification.ready_at)
        .where(Notification.channel == channel, Notification.ready_at.is_not(None))
        .order_by(Notification.ready_at)
        .limit(1)
    )


async def finish_attempt(
    session: WriteSession,
    lease: Leased,
    outcome: AttemptOutcome,
    *,
    now: datetime,
    error: str | None = None,
    provider_id: str | None = None,
    **values: Any,
) -> bool:
    """Record how an attempt ended; False if the lease was no longer ours to record."""
    held = await session.execute(
        update(Notification)
        .where(
            Notification.id == lease.id,
            Notification.status == NotificationStatus.SENDING,
            Notification.attempts == lease.attempts,
        )
        .values(last_error=error, provider_id=provider_id, updated_at=now, **values)
        .returning(Notification.id)
        .execution_options(synchronize_session=False)
    )
    if held.scalar() is None:
        return False
    await session.execute(
        insert(NotificationAttempt).values(
            notification_id=lease.id,
            number=lease.attempts,
            outcome=outcome,
            started_at=lease.claimed_at,
            finished_at=now,
            error=error,
            provider_id=provider_id,
        )
    )
    return True


def unless_overtaken(status: NotificationStatus, ready_at: datetime) -> dict[str, Any]:
    """Column values for a retry: it is dropped instead if the incident was answered meanwhile."""
    answered = Notification.overtaken_at.is_not(None)
    return {
        "status": case((answered, NotificationStatus.CANCELLED.value), else_=status.value),
        "ready_at": case((answered, null()), else_=ready_at),
        "reason": case((answered, "The incident was answered first."), else_=null()),
    }


async def hand_back(session: WriteSession, lease: Leased, *, now: datetime) -> None:
    """Return a lease unused: nothing was sent, and the attempt does not count."""
    await session.execute(
        update(Notification)
        .where(
            Notification.id == lease.id,
            Notification.status == NotificationStatus.SENDING,
            Notification.attempts == lease.attempts,
        )
        .values(
            attempts=Notification.attempts - 1,
            updated_at=now,
            **unless_overtaken(NotificationStatus.PENDING, now),
        )
        .execution_options(synchronize_session=False)
    )


async def stop_waiting(
    session: WriteSession, incident_ids: Collection[int], reason: str, *, now: datetime
) -> None:
    """Cancel what has not left, and mark what is on its way as overtaken.

    The caller holds the incidents, so that no step can add to them in between.
    """
    on_its_way = Notification.status == NotificationStatus.SENDING
    await session.execute(
        update(Notification)
        .where(Notification.incident_id.in_(incident_ids), Notification.status.in_(WAITING))
        .values(
            status=case(
                (on_its_way, NotificationStatus.SENDING.value),
                else_=NotificationStatus.CANCELLED.value,
            ),
            ready_at=case((on_its_way, Notification.ready_at), else_=null()),
            reason=case((on_its_way, Notification.reason), else_=reason),
            overtaken_at=case((on_its_way, now), else_=Notification.overtaken_at),
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )


async def stop_escalation(
    session: WriteSession, escalation_id: int, reason: str, *, now: datetime
) -> None:
    """Cancel what one escalation still has to send. The caller holds its incident."""
    await session.execute(
        update(Notification)
        .where(
            Notification.escalation_id == escalation_id,
            Notification.status == NotificationStatus.PENDING,
        )
        .values(status=NotificationStatus.CANCELLED, ready_at=null(), reason=reason, updated_at=now)
        .execution_options(synchronize_session=False)
    )


async def put_off(
    session: WriteSession, incident_id: int, *, until: datetime, now: datetime
) -> None:
    """Let an incident's waiting pages rest until `until`."""
    await session.execute(
        update(Notification)
        .where(
            Notification.incident_id == incident_id,
            Notification.status == NotificationStatus.PENDING,
        )
        .values(ready_at=func.greatest(Notification.due_at, until), updated_at=now)
        .execution_options(synchronize_session=False)
    )


async def bring_back(session: WriteSession, incident_id: int, *, now: datetime) -> None:
    """Undo `put_off`: waiting pages are due again as they were, but not before now."""
    await session.execute(
        update(Notification)
        .where(
            Notification.incident_id == incident_id,
            Notification.status == NotificationStatus.PENDING,
        )
        .values(ready_at=func.greatest(Notification.due_at, now), updated_at=now)
        .execution_options(synchronize_session=False)
    )


async def statuses_of_step(session: ReadSession, key: StepKey) -> set[NotificationStatus]:
    """The states in which a step's notifications stand."""
    statement = select(Notification.status).where(
        Notification.escalation_id == key.escalation_id,
        Notification.loop == key.loop,
        Notification.step == key.step,
    )
    return set((await session.scalars(statement.distinct())).all())


async def page_of_incident(
    session: ReadSession, incident_id: int, wanted: base.Window
) -> base.Slice[Notification]:
    """What was promised for an incident and how each try went, in the order of the promises."""
    statement = (
        select(Notification)
        .where(Notification.incident_id == incident_id)
        .options(selectinload(Notification.history))
    )
    return await base.window(session, statement, Notification.id, wanted, descending=False)


async def add(session: WriteSession, notification: Notification) -> Notification:
    return await base.add(session, notification)


async def get(session: ReadSession, notification_id: int) -> Notification | None:
    return await base.get(session, Notification, notification_id)


async def use_link(session: WriteSession, notification_id: int, *, now: datetime) -> bool:
    """Use up a page's link; False if it was used already."""
    used = await session.execute(
        update(Notification)
        .where(Notification.id == notification_id, Notification.link_used_at.is_(None))
        .values(link_used_at=now, updated_at=now)
        .returning(Notification.id)
        .execution_options(synchronize_session=False)
    )
    return used.scalar() is not None
