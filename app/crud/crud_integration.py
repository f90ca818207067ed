"""Integrations, their keys, and the record of every alert."""

from collections.abc import Collection, Sequence
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.integration import IntegrationKind
from app.models import Integration, IntegrationKey


async def get(session: ReadSession, integration_id: int) -> Integration | None:
    """The integration with its keys."""
    return await session.get(
        Integration,
        integration_id,
        options=[selectinload(Integration.keys)],
        populate_existing=True,
    )


async def by_name(session: ReadSession, name: str) -> Integration | None:
    return (
        await session.scalars(select(Integration).where(Integration.name == name))
    ).one_or_none()


class IntegrationOrder(StrEnum):
    ID = "id"
    NAME = "name"
    KIND = "kind"
    CREATED_AT = "created_at"


ORDERS: base.Orders = {
    IntegrationOrder.NAME: func.lower(Integration.name),
    IntegrationOrder.KIND: Integration.kind,
    IntegrationOrder.CREATED_AT: Integration.created_at,
}


async def list_page(
    session: ReadSession,
    kinds: Collection[IntegrationKind],
    wanted: base.Window,
    *,
    is_active: bool | None = None,
) -> base.Slice[Integration]:
    """Those of any of these kinds, active or not; nothing given does not narrow."""
    statement = select(Integration).options(selectinload(Integration.keys))
    if kinds:
        statement = statement.where(Integration.kind.in_(kinds))
    if is_active is not None:
        statement = statement.where(Integration.is_active == is_active)
    return await base.window(
        session, statement, Integration.id, wanted, descending=False, orders=ORDERS
    )


async def add(session: WriteSession, integration: Integration) -> Integration:
    return await base.add(session, integration)


async def lock(session: WriteSession, integration_id: int) -> Integration | None:
    return await base.lock(session, Integration, integration_id)


async def add_key(session: WriteSession, key: IntegrationKey) -> IntegrationKey:
    return await base.add(session, key)


async def live_keys(session: ReadSession, integration_id: int) -> Sequence[IntegrationKey]:
    statement = (
        select(IntegrationKey)
        .where(IntegrationKey.integration_id == integration_id, IntegrationKey.revoked_at.is_(None))
        .order_by(IntegrationKey.id)
    )
    return (await session.scalars(statement)).all()
