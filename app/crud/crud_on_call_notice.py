"""What people want to hear of their duty, over which addresses, and the notices themselves."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import and_, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.notification import Channel
from app.domain.on_call_notice import USUAL, NoticeState, Plan, Wishes
from app.models import (
    ContactMethod,
    Notification,
    NotificationPreference,
    NotificationRule,
    OnCallNotice,
    OnCallNoticePreference,
    OnCallWatch,
    User,
)

# --- People -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Address:
    """A verified contact method over a channel that is on, and when it is to be left alone."""

    contact_method_id: int
    channel: Channel
    quiet_from: time | None
    quiet_until: time | None


@dataclass(frozen=True)
class Hearer:
    """A person as far as notices need to know them; the addresses are those they want used."""

    user_id: int
    name: str
    is_active: bool
    time_zone: str
    wishes: Wishes
    addresses: Sequence[Address]


async def wishes_of(session: ReadSession, user_ids: Collection[int]) -> dict[int, Wishes]:
    """What these people want to hear, of those who have said so."""
    statement = select(OnCallNoticePreference).where(OnCallNoticePreference.user_id.in_(user_ids))
    return {row.user_id: _wishes(row) for row in await session.scalars(statement)}


def _wishes(row: OnCallNoticePreference) -> Wishes:
    return Wishes(
        row.at_start,
        row.at_end,
        row.on_change,
        row.reminder_minutes,
        tuple(Channel(channel) for channel in row.channels),
    )


async def preference(session: ReadSession, user_id: int) -> OnCallNoticePreference | None:
    return await base.get(session, OnCallNoticePreference, user_id)


async def add_preference(
    session: WriteSession, row: OnCallNoticePreference
) -> OnCallNoticePreference:
    return await base.add(session, row)


async def hearers(session: ReadSession, user_ids: Collection[int]) -> dict[int, Hearer]:
    """These people, each with the addresses over which they want to hear of their duty."""
    users = (await session.scalars(select(User).where(User.id.in_(user_ids)))).all()
    wishes = await wishes_of(session, user_ids)
    # The quiet hours of an address are those of the first rule that uses it.
    first = (
        select(
            NotificationRule.contact_method_id,
            NotificationRule.quiet_from,
            NotificationRule.quiet_until,
        )
        .where(NotificationRule.user_id.in_(user_ids))
        .distinct(NotificationRule.contact_method_id)
        .order_by(NotificationRule.contact_method_id, NotificationRule.position)
        .subquery()
    )
    is_off = and_(
        NotificationPreference.user_id == ContactMethod.user_id,
        NotificationPreference.channel == ContactMethod.channel,
        ~NotificationPreference.is_enabled,
    )
    rows = await session.execute(
        select(
            ContactMethod.user_id,
            ContactMethod.id,
            ContactMethod.channel,
            first.c.quiet_from,
            first.c.quiet_until,
        )
        .outerjoin(first, first.c.contact_method_id == ContactMethod.id)
        .outerjoin(NotificationPreference, is_off)
        .where(
            ContactMethod.user_id.in_(user_ids),
            ContactMethod.verified_at.is_not(None),
            NotificationPreference.id.is_(None),
        )
        .order_by(ContactMethod.id)
    )
    found: dict[int, list[Address]] = defaultdict(list)
    for user_id, method_id, channel, quiet_from, quiet_until in rows.tuples():
        if channel in wishes.get(user_id, USUAL).channels:
            found[user_id].append(Address(method_id, Channel(channel), quiet_from, quiet_until))
    return {
        user.id: Hearer(
            user.id,
            user.display_name,
            user.is_active,
            user.time_zone,
            wishes.get(user.id, USUAL),
            tuple(found[user.id]),
        )
        for user in users
    }


async def promise(session: WriteSession, letters: Sequence[Mapping[str, Any]]) -> None:
    """Put messages into the outbox, all by one statement."""
    if letters:
        await session.execute(insert(Notification), list(letters))


# --- Looking at schedules -----------------------------------------------------------------


async def lock_due_watches(
    session: WriteSession, *, now: datetime, limit: int
) -> Sequence[OnCallWatch]:
    """Schedules whose time has come to be looked at, held; those that others hold are left."""
    statement = (
        select(OnCallWatch)
        .where(OnCallWatch.next_look_at <= now)
        .order_by(OnCallWatch.next_look_at, OnCallWatch.schedule_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def look_again(session: WriteSession, schedule_ids: Collection[int]) -> None:
    """Have these schedules looked at soon: what lies ahead may be another thing now."""
    if not schedule_ids:
        return
    soon = func.to_timestamp(0)
    rows = [{"schedule_id": key, "next_look_at": soon} for key in sorted(schedule_ids)]
    statement = upsert(OnCallWatch).values(rows)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[OnCallWatch.schedule_id],
            set_={"next_look_at": statement.excluded.next_look_at},
        ).execution_options(synchronize_session=False)
    )


async def watched_with(session: ReadSession, user_id: int) -> list[int]:
    """The schedules by which something is planned for this person."""
    statement = (
        select(OnCallNotice.schedule_id)
        .where(OnCallNotice.user_id == user_id, OnCallNotice.state == NoticeState.PLANNED)
        .distinct()
    )
    return list((await session.scalars(statement)).all())


async def remove_watch(session: WriteSession, watch: OnCallWatch) -> None:
    await base.delete(session, watch)


# --- Notices ------------------------------------------------------------------------------


async def replan(
    session: WriteSession,
    plans: Mapping[int, Collection[Plan]],
    *,
    now: datetime,
) -> None:
    """Let these be what is planned by each schedule of what is about later times.

    What was told stays told, and what waits for the end of quiet hours goes on waiting.
    """
    kept = [(key, *plan[:3]) for key, its in plans.items() for plan in its]
    columns = (
        OnCallNotice.schedule_id,
        OnCallNotice.user_id,
        OnCallNotice.kind,
        OnCallNotice.about_at,
    )
    gone = (
        update(OnCallNotice)
        .where(
            OnCallNotice.schedule_id.in_(plans),
            OnCallNotice.state == NoticeState.PLANNED,
            OnCallNotice.about_at > now,
            OnCallNotice.kind != "change",
        )
        .values(state=NoticeState.WITHDRAWN, ready_at=None, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    await session.execute(gone.where(tuple_(*columns).not_in(kept)) if kept else gone)
    rows = [
        {
            "schedule_id": key,
            "user_id": plan.user_id,
            "kind": plan.kind,
            "about_at": plan.about_at,
            "due_at": plan.due_at,
            "ready_at": plan.due_at,
            "created_at": now,
            "updated_at": now,
        }
        for key, its in plans.items()
        for plan in its
        if plan.due_at > now  # what is due stands as it was planned
    ]
    if not rows:
        return
    statement = upsert(OnCallNotice)
    new = statement.excluded
    # What stands is changed only where it is due at another time, or was withdrawn.
    statement = statement.on_conflict_do_update(
        index_elements=list(columns),
        set_={
            "due_at": new.due_at,
            "ready_at": new.ready_at,
            "state": NoticeState.PLANNED,
            "updated_at": now,
        },
        where=or_(
            OnCallNotice.state == NoticeState.WITHDRAWN,
            and_(OnCallNotice.state == NoticeState.PLANNED, OnCallNotice.due_at != new.due_at),
        ),
    )
    await session.execute(statement, rows)


async def plan_changes(
    session: WriteSession, rows: Sequence[Mapping[str, Any]], *, now: datetime
) -> None:
    """Plan to tell of these changes now; of what changed before at the same time, again."""
    if not rows:
        return
    statement = upsert(OnCallNotice)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["schedule_id", "user_id", "kind", "about_at"],
        set_={
            "due_at": new.due_at,
            "ready_at": new.ready_at,
            "facts": new.facts,
            "state": NoticeState.PLANNED,
            "updated_at": now,
        },
    )
    await session.execute(
        statement,
        [
            {**row, "due_at": now, "ready_at": now, "created_at": now, "updated_at": now}
            for row in rows
        ],
    )


async def withdraw_all(session: WriteSession, schedule_id: int, *, now: datetime) -> None:
    """Nothing is told of a schedule that is gone."""
    await session.execute(
        update(OnCallNotice)
        .where(OnCallNotice.schedule_id == schedule_id, OnCallNotice.state == NoticeState.PLANNED)
        .values(state=NoticeState.WITHDRAWN, ready_at=None, updated_at=now)
        .execution_options(synchronize_session=False)
    )


async def lock_due(session: WriteSession, *, now: datetime, limit: int) -> Sequence[OnCallNotice]:
    """Notices whose time has come, held, the longest due first.

    Those of a schedule that is to be looked at first wait for that: it may say otherwise.
    """
    is_unseen = (
        select(OnCallWatch.schedule_id)
        .where(OnCallWatch.schedule_id == OnCallNotice.schedule_id, OnCallWatch.next_look_at <= now)
        .exists()
    )
    statement = (
        select(OnCallNotice)
        .where(OnCallNotice.ready_at <= now, ~is_unseen)
        .order_by(OnCallNotice.ready_at, OnCallNotice.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def next_at(session: ReadSession) -> datetime | None:
    """When the next notice is due, or the next look, whatever comes first."""
    notice = select(func.min(OnCallNotice.ready_at)).where(OnCallNotice.ready_at.is_not(None))
    look = select(func.min(OnCallWatch.next_look_at))
    return await session.scalar(
        select(func.least(notice.scalar_subquery(), look.scalar_subquery()))
    )


async def remove_old(session: WriteSession, *, before: datetime, limit: int) -> int:
    """Forget up to `limit` notices that were settled before then."""
    is_old = and_(OnCallNotice.updated_at < before, OnCallNotice.ready_at.is_(None))
    return await base.remove_some(
        session, OnCallNotice.id, is_old, limit=limit, order=OnCallNotice.updated_at
    )
