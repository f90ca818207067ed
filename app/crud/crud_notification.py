"""The outbox: promises in, whatever kind they are; and what holds them back or calls them off.

What stops, rests or comes back with an incident are its pages alone. The news of it, and
letters to people, go out in any case. Leases are `crud_outbox`, outcomes `crud_receipt`, news
`crud_status_update`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    DateTime,
    bindparam,
    case,
    delete,
    func,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import selectinload

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.lease import StepKey
from app.domain.notification import (
    FINAL,
    INCIDENT_KINDS,
    WAITING,
    Channel,
    NotificationKind,
    NotificationStatus,
)
from app.models import Notification, NotificationAttempt

IS_PAGE = Notification.kind == NotificationKind.PAGE


async def promise_many(session: WriteSession, rows: Sequence[dict[str, Any]]) -> None:
    """Write promises. One that is there already stays as it is."""
    if rows:
        await session.execute(upsert(Notification).on_conflict_do_nothing(), rows)


async def stop_waiting(
    session: WriteSession, incident_ids: Collection[int], reason: str, *, now: datetime
) -> None:
    """Cancel what has not left, and mark what is on its way as overtaken.

    The caller holds the incidents, so that no step can add to them in between. A bundle holds
    pages of many incidents, so they are taken in order, as whoever records its outcome does.
    """
    on_its_way = Notification.status == NotificationStatus.SENDING
    held = (
        select(Notification.id)
        .where(
            Notification.incident_id.in_(incident_ids), Notification.status.in_(WAITING), IS_PAGE
        )
        .order_by(Notification.id)
        .with_for_update(key_share=True)
        .cte("held")
    )
    await session.execute(
        update(Notification)
        .where(Notification.id == held.c.id, Notification.status.in_(WAITING))
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


_STOP_UNASSIGNED = text("""
    WITH held AS MATERIALIZED (
        SELECT n.id FROM notifications n
        WHERE n.incident_id = :incident_id AND n.status = 'pending' AND n.ready_at IS NOT NULL
            AND n.kind = 'page' AND n.user_id = :user_id AND n.facts->>'target' = 'assignees'
        ORDER BY n.id
        FOR NO KEY UPDATE OF n
    )
    UPDATE notifications n
    SET status = 'cancelled', ready_at = NULL, reason = :reason, updated_at = :now
    FROM held WHERE held.id = n.id
    RETURNING n.escalation_id, n.loop, n.step
""").bindparams(bindparam("now", type_=DateTime(timezone=True)))


async def stop_unassigned(
    session: WriteSession, incident_id: int, user_id: int, reason: str, *, now: datetime
) -> set[StepKey]:
    """Cancel what waits for somebody only because they were assigned; the steps that lost it.

    The caller holds the incident. What is on its way is looked at when it is to go out again.
    """
    parameters = {"incident_id": incident_id, "user_id": user_id, "reason": reason, "now": now}
    stopped = (await session.execute(_STOP_UNASSIGNED, parameters)).tuples()
    return {StepKey(incident_id, *step) for step in stopped}


# A hold, and quiet hours, are for what is not critical.
_SET_URGENCY = text("""
    WITH climbing AS (
        UPDATE escalations SET is_critical = :is_critical,
            held_until = CASE WHEN NOT :is_critical THEN held_until END, updated_at = :now
        WHERE incident_id = :incident_id AND status IN ('active', 'paused')
            AND is_critical <> :is_critical
    ), waiting AS MATERIALIZED (
        SELECT n.id, CASE
                WHEN n.status = 'sending' OR NOT :is_critical THEN NULL
                WHEN n.ready_at = n.held_until THEN :now
                WHEN n.facts ? 'quiet_until' AND n.due_at > :now THEN greatest(:now, n.created_at
                    + coalesce(CAST(n.facts->>'after_minutes' AS float8), 0) * interval '1 minute')
            END AS freed_at
        FROM notifications n
        WHERE n.incident_id = :incident_id AND n.ready_at IS NOT NULL AND n.kind = 'page'
            AND n.is_critical <> :is_critical
        ORDER BY n.id
        FOR NO KEY UPDATE OF n
    )
    UPDATE notifications n SET is_critical = :is_critical,
        due_at = least(n.due_at, w.freed_at),
        ready_at = coalesce(w.freed_at, n.ready_at),
        held_until = CASE WHEN w.freed_at IS NULL THEN n.held_until END,
        facts = CASE WHEN w.freed_at IS NULL THEN n.facts ELSE n.facts - 'quiet_until' END,
        updated_at = :now
    FROM waiting w WHERE w.id = n.id
""").bindparams(
    bindparam("now", type_=DateTime(timezone=True)), bindparam("is_critical", type_=Boolean())
)


async def set_urgency(
    session: WriteSession, incident_id: int, *, is_critical: bool, now: datetime
) -> None:
    """Let what waits of an incident go before everything lower, or with it.

    What becomes critical is held back no longer. The caller holds the incident.
    """
    parameters = {"incident_id": incident_id, "is_critical": is_critical, "now": now}
    await session.execute(_SET_URGENCY, parameters)


async def put_off(
    session: WriteSession, incident_id: int, *, until: datetime, now: datetime
) -> None:
    """Let an incident's waiting pages rest until `until`."""
    await session.execute(
        update(Notification)
        .where(
            Notification.incident_id == incident_id,
            Notification.status == NotificationStatus.PENDING,
            IS_PAGE,
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
            IS_PAGE,
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


@dataclass(frozen=True)
class NotificationFilter:
    """Which messages; an empty field does not narrow.

    `seen_by` leaves out what is between Tocsin and other people.
    """

    seen_by: int | None = None
    kind: Collection[NotificationKind] = ()
    status: Collection[NotificationStatus] = ()
    channel: Collection[Channel] = ()
    user_id: int | None = None
    incident_id: int | None = None
    promised: base.Span = base.ALWAYS


async def list_page(
    session: ReadSession, where: NotificationFilter, wanted: base.Window
) -> base.Slice[Notification]:
    """Newest first, each with its attempts."""
    statement = select(Notification).options(selectinload(Notification.history))
    statement = where.promised.narrow(statement, Notification.created_at)
    if where.seen_by is not None:
        statement = statement.where(
            or_(Notification.kind.in_(INCIDENT_KINDS), Notification.user_id == where.seen_by)
        )
    if where.kind:
        statement = statement.where(Notification.kind.in_(where.kind))
    if where.status:
        statement = statement.where(Notification.status.in_(where.status))
    if where.channel:
        statement = statement.where(Notification.channel.in_(where.channel))
    if where.user_id is not None:
        statement = statement.where(Notification.user_id == where.user_id)
    if where.incident_id is not None:
        statement = statement.where(Notification.incident_id == where.incident_id)
    return await base.window(session, statement, Notification.id, wanted)


async def add(session: WriteSession, notification: Notification) -> Notification:
    return await base.add(session, notification)


async def get(session: ReadSession, notification_id: int) -> Notification | None:
    return await base.get(session, Notification, notification_id)


async def get_with_history(session: ReadSession, notification_id: int) -> Notification | None:
    """A message and how each try went."""
    history = selectinload(Notification.history)
    return await session.get(
        Notification, notification_id, options=[history], populate_existing=True
    )


async def lock(session: WriteSession, notification_id: int) -> Notification | None:
    return await base.lock(session, Notification, notification_id)


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


async def remove_old_letters(session: WriteSession, *, before: datetime, limit: int) -> int:
    """Forget up to `limit` letters to people that were promised before then and have ended."""
    statement = (
        select(Notification.id)
        .where(
            Notification.incident_id.is_(None),
            Notification.created_at < before,
            Notification.status.in_(FINAL),
        )
        .order_by(Notification.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = (await session.scalars(statement)).all()
    for column in (NotificationAttempt.notification_id, Notification.id):
        await session.execute(
            delete(column.class_)
            .where(column.in_(ids))
            .execution_options(synchronize_session=False)
        )
    return len(ids)
