"""People by id, mail address and role; and people as the pager sees them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Row,
    String,
    any_,
    bindparam,
    cast,
    delete,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONPATH

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.notification import Channel, Recipient, Rule
from app.domain.user import Role
from app.models import (
    ContactMethod,
    EscalationPolicy,
    NotificationPreference,
    NotificationRule,
    User,
)


async def by_email(session: ReadSession, email: str) -> User | None:
    """The account with this address; case does not matter."""
    folded = func.lower(email.strip())
    return (
        await session.scalars(
            select(User).where(func.lower(User.email) == folded, User.deleted_at.is_(None))
        )
    ).one_or_none()


async def by_ids(session: ReadSession, ids: Collection[int]) -> dict[int, User]:
    """Those of these users that exist."""
    found = await session.scalars(select(User).where(User.id.in_(ids)))
    return {user.id: user for user in found}


class UserOrder(StrEnum):
    ID = "id"
    NAME = "name"
    EMAIL = "email"
    CREATED_AT = "created_at"


ORDERS: base.Orders = {
    UserOrder.NAME: func.lower(func.coalesce(User.full_name, User.email)),
    UserOrder.EMAIL: func.lower(User.email),
    UserOrder.CREATED_AT: User.created_at,
}


@dataclass(frozen=True)
class UserFilter:
    """Which people; an empty field does not narrow. `search` is a part of a name or address."""

    role: Collection[Role] = ()
    is_active: bool | None = None
    search: str | None = None


async def list_page(
    session: ReadSession, where: UserFilter, wanted: base.Window
) -> base.Slice[User]:
    statement = select(User).where(User.deleted_at.is_(None))
    if where.role:
        statement = statement.where(User.role.in_(where.role))
    if where.is_active is not None:
        statement = statement.where(User.is_active == where.is_active)
    if where.search is not None:
        statement = statement.where(
            User.full_name.icontains(where.search, autoescape=True)
            | User.email.icontains(where.search, autoescape=True)
        )
    return await base.window(session, statement, User.id, wanted, descending=False, orders=ORDERS)


async def active_admins(session: ReadSession) -> Sequence[User]:
    statement = select(User).where(User.role == Role.ADMIN, User.is_active).order_by(User.id)
    return (await session.scalars(statement)).all()


async def lock_active_admins(session: WriteSession) -> Sequence[User]:
    """The active admins, held, so that two of them cannot remove each other at once."""
    statement = (
        select(User)
        .where(User.role == Role.ADMIN, User.is_active)
        .order_by(User.id)
        .with_for_update(key_share=True)
    )
    return (await session.scalars(statement)).all()


async def policies_that_page(session: ReadSession, user_id: int) -> list[str]:
    """The names of the active policies that name this person as a target."""
    wanted = func.jsonb_path_exists(
        EscalationPolicy.steps,
        cast("$[*].actions[*].target ? (@.user == $id || @.round_robin[*] == $id)", JSONPATH),
        func.jsonb_build_object("id", user_id),
    )
    statement = (
        select(EscalationPolicy.name)
        .where(EscalationPolicy.is_active, wanted)
        .order_by(EscalationPolicy.id)
    )
    return list((await session.scalars(statement)).all())


async def any_exists(session: ReadSession) -> bool:
    return await session.scalar(select(User.id).limit(1)) is not None


async def recipients(session: ReadSession, user_ids: Collection[int]) -> dict[int, Recipient]:
    """These people with their rules and switches, as paging needs them."""
    if not user_ids:
        return {}
    found = await session.execute(_RECIPIENTS, {"ids": list(user_ids)})
    by_person = groupby(found, key=attrgetter("id"))
    return {user_id: _recipient(list(rows)) for user_id, rows in by_person}


# A row for each rule, and one for whoever has none.
_RECIPIENTS = (
    select(
        User.id,
        User.email,
        User.full_name,
        User.is_active,
        User.time_zone,
        func.array(
            select(NotificationPreference.channel)
            .where(NotificationPreference.user_id == User.id, ~NotificationPreference.is_enabled)
            .scalar_subquery(),
            type_=ARRAY(String()),
        ).label("switched_off"),
        NotificationRule.id.label("rule_id"),
        NotificationRule.delay_minutes,
        NotificationRule.min_severity,
        NotificationRule.urgency,
        NotificationRule.quiet_from,
        NotificationRule.quiet_until,
        ContactMethod.id.label("method_id"),
        ContactMethod.channel,
        ContactMethod.verified_at,
    )
    .outerjoin(NotificationRule, NotificationRule.user_id == User.id)
    .outerjoin(ContactMethod, ContactMethod.id == NotificationRule.contact_method_id)
    .where(User.id == any_(bindparam("ids", type_=ARRAY(BigInteger()))))
    .order_by(User.id, NotificationRule.position)
)


def _recipient(rows: Sequence[Row[Any]]) -> Recipient:
    person = rows[0]
    return Recipient(
        user_id=person.id,
        name=person.full_name or person.email,
        is_active=person.is_active,
        time_zone=person.time_zone,
        rules=tuple(_rule(row) for row in rows if row.rule_id is not None),
        switched_off=frozenset(Channel(channel) for channel in person.switched_off),
    )


def _rule(row: Row[Any]) -> Rule:
    return Rule(
        id=row.rule_id,
        channel=row.channel,
        contact_method_id=row.method_id,
        is_verified=row.verified_at is not None,
        delay=timedelta(minutes=row.delay_minutes),
        min_severity=row.min_severity,
        urgency=row.urgency,
        quiet_from=row.quiet_from,
        quiet_until=row.quiet_until,
    )


async def get(session: ReadSession, user_id: int) -> User | None:
    return await base.get(session, User, user_id)


async def lock(session: WriteSession, user_id: int) -> User | None:
    return await base.lock(session, User, user_id)


async def add(session: WriteSession, user: User) -> User:
    return await base.add(session, user)


async def remove_addresses(session: WriteSession, user_id: int) -> None:
    """Forget where a person is reached; their rules go with their contact methods."""
    for model in (ContactMethod, NotificationPreference):
        await session.execute(
            delete(model)
            .where(model.user_id == user_id)
            .execution_options(synchronize_session=False)
        )


FIRST_USER = 7_236_180_452  # an advisory lock


async def lock_first(session: WriteSession) -> None:
    """Be the only one, until commit, who looks whether there is anybody."""
    await session.execute(select(func.pg_advisory_xact_lock(FIRST_USER)))
