"""Rules and switches of people, and the first contact method of each."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import joinedload

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.notification import Channel
from app.models import ContactMethod, NotificationPreference, NotificationRule


async def add_method(session: WriteSession, method: ContactMethod) -> ContactMethod:
    return await base.add(session, method)


async def add_rule(session: WriteSession, rule: NotificationRule) -> NotificationRule:
    return await base.add(session, rule)


async def rules_of(session: ReadSession, user_id: int) -> Sequence[NotificationRule]:
    """A person's rules in their order, each with its contact method."""
    statement = (
        select(NotificationRule)
        .where(NotificationRule.user_id == user_id)
        .order_by(NotificationRule.position)
        .options(joinedload(NotificationRule.contact_method))
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def remove_rules(session: WriteSession, rule_ids: Collection[int]) -> None:
    await session.execute(
        delete(NotificationRule)
        .where(NotificationRule.id.in_(rule_ids))
        .execution_options(synchronize_session=False)
    )


async def close_ranks(session: WriteSession, user_id: int, *, now: datetime) -> None:
    """Number a person's rules from 0 without a gap, in the order they are in."""
    ranked = (
        select(
            NotificationRule.id,
            (func.row_number().over(order_by=NotificationRule.position) - 1).label("place"),
        )
        .where(NotificationRule.user_id == user_id)
        .subquery()
    )
    await session.execute(
        update(NotificationRule)
        .where(NotificationRule.id == ranked.c.id, NotificationRule.position != ranked.c.place)
        .values(position=ranked.c.place, updated_at=now)
        .execution_options(synchronize_session=False)
    )


async def switches_of(session: ReadSession, user_id: int) -> dict[Channel, bool]:
    """The switches that a person has touched; the rest are on."""
    found = await session.execute(
        select(NotificationPreference.channel, NotificationPreference.is_enabled).where(
            NotificationPreference.user_id == user_id
        )
    )
    return {row.channel: row.is_enabled for row in found}


async def switch(
    session: WriteSession, user_id: int, wanted: Mapping[Channel, bool], *, now: datetime
) -> None:
    """Set these switches; the others stay."""
    if not wanted:
        return
    row = upsert(NotificationPreference).on_conflict_do_update(
        index_elements=[NotificationPreference.user_id, NotificationPreference.channel],
        set_={
            "is_enabled": upsert(NotificationPreference).excluded.is_enabled,
            "updated_at": now,
        },
    )
    rows = [
        {
            "user_id": user_id,
            "channel": channel,
            "is_enabled": is_enabled,
            "created_at": now,
            "updated_at": now,
        }
        for channel, is_enabled in sorted(wanted.items())
    ]
    await session.execute(row, rows)


async def move_address(
    session: WriteSession, user_id: int, channel: Channel, old: str, new: str, *, now: datetime
) -> None:
    """Where a person was reached at `old`, they are reached at `new`.

    If they were reached there already, the rules of `old` go over to it, and `old` is forgotten.
    """
    there = {
        method.address: method
        for method in await session.scalars(
            select(ContactMethod).where(
                ContactMethod.user_id == user_id,
                ContactMethod.channel == channel,
                ContactMethod.address.in_((old, new)),
            )
        )
    }
    moved, known = there.get(old), there.get(new)
    if moved is None:
        return
    if known is None:
        moved.address, moved.updated_at = new, now
        return
    await session.execute(
        update(NotificationRule)
        .where(NotificationRule.contact_method_id == moved.id)
        .values(contact_method_id=known.id, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    if known.verified_at is None:
        known.verified_at, known.updated_at = moved.verified_at, now
    await base.delete(session, moved)
