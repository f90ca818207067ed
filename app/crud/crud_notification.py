"""The outbox: promises in, whatever kind they are; and what holds them back or calls them off.

What stops, rests or comes back with an incident are its pages alone. The news of it, and
letters to people, go out in any case. Leases are `crud_outbox`, outcomes `crud_receipt`.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    String,
    TextClause,
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


_NEWS = """
    INSERT INTO notifications (kind, incident_id, channel, recipient, rule, user_id,
        contact_method_id, address, facts, due_at, ready_at, created_at, updated_at)
    SELECT :kind, incident_id, channel, recipient, 0, user_id, contact_method_id, address,
        CAST(:facts AS jsonb), :now, :now, :now, :now
    FROM ({told}) told
    ORDER BY incident_id, contact_method_id, address
    RETURNING id
"""
# An address of somebody who wants the news, is not who made it, and has the channel on.
_WANTS_NEWS = """
    c.wants_updates AND c.verified_at IS NOT NULL AND u.is_active
    AND u.id IS DISTINCT FROM :actor_id
    AND NOT EXISTS (
        SELECT 1 FROM notification_preferences p
        WHERE p.user_id = c.user_id AND p.channel = c.channel AND NOT p.is_enabled)
"""
# Whoever was really paged, and every webhook that was called: it needs to know how it ended.
_PAGED = """
    SELECT DISTINCT n.incident_id, n.channel, n.recipient, n.user_id, n.contact_method_id,
        n.address
    FROM notifications n
    LEFT JOIN contact_methods c ON c.id = n.contact_method_id
    LEFT JOIN users u ON u.id = n.user_id
    WHERE n.incident_id = ANY(:incidents) AND n.kind = 'page'
        AND n.status IN ('sending', 'sent', 'delivered', 'suppressed')
        AND (n.user_id IS NULL OR {wants})
"""
_ASSIGNED = """
    SELECT i.incident_id, c.channel, 'user:' || c.user_id AS recipient, c.user_id,
        c.id AS contact_method_id, CAST(NULL AS text) AS address
    FROM unnest(:incidents) AS i(incident_id), contact_methods c JOIN users u ON u.id = c.user_id
    WHERE c.user_id = :assignee_id AND {wants}
"""
_NEWS_TYPES: dict[str, Any] = {
    "kind": String(),
    "facts": String(),
    "incidents": ARRAY(BigInteger()),
    "actor_id": BigInteger(),
    "now": DateTime(timezone=True),
}


def _news(told: str, **types: Any) -> TextClause:
    binds = [bindparam(name, type_=kind) for name, kind in (_NEWS_TYPES | types).items()]
    statement = _NEWS.replace("{told}", told).replace("{wants}", _WANTS_NEWS)
    return text(statement).bindparams(*binds)


_TELL_PAGED = _news(_PAGED)
_TELL_ASSIGNEE = _news(_ASSIGNED, assignee_id=BigInteger())


@dataclass(frozen=True)
class News:
    """What is told about incidents, and who made it so."""

    kind: NotificationKind
    incident_ids: Collection[int]
    facts: Mapping[str, str]
    actor_id: int | None

    def parameters(self, now: datetime) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "facts": json.dumps(self.facts),
            "incidents": sorted(self.incident_ids),
            "actor_id": self.actor_id,
            "now": now,
        }


async def tell_paged(session: WriteSession, news: News, *, now: datetime) -> int:
    """Promise the news to whoever was paged and wants it; how many messages that makes."""
    return len((await session.scalars(_TELL_PAGED, news.parameters(now))).all())


async def tell_assignee(
    session: WriteSession, news: News, assignee_id: int, *, now: datetime
) -> int:
    """Promise the news to all addresses of the assignee that want it; how many that makes."""
    parameters = news.parameters(now) | {"assignee_id": assignee_id}
    return len((await session.scalars(_TELL_ASSIGNEE, parameters)).all())


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


async def list_page(
    session: ReadSession, where: NotificationFilter, wanted: base.Window
) -> base.Slice[Notification]:
    """Newest first, each with its attempts."""
    statement = select(Notification).options(selectinload(Notification.history))
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
