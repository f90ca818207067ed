"""Integrations, their keys, and the record of every alert."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import selectinload

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.models import Alert, Integration, IntegrationKey


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


async def by_key_hash(session: ReadSession, key_hash: str) -> Integration | None:
    """The active integration that a live key opens."""
    statement = (
        select(Integration)
        .join(IntegrationKey, IntegrationKey.integration_id == Integration.id)
        .where(
            IntegrationKey.key_hash == key_hash,
            IntegrationKey.revoked_at.is_(None),
            Integration.is_active,
        )
    )
    return (await session.scalars(statement)).one_or_none()


async def list_page(session: ReadSession, wanted: base.Window) -> base.Slice[Integration]:
    statement = select(Integration).options(selectinload(Integration.keys))
    return await base.window(session, statement, Integration.id, wanted, descending=False)


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


async def record_alerts(
    session: WriteSession, rows: Sequence[dict[str, Any]], *, now: datetime
) -> list[int]:
    """Write what came and what became of it; the ids, in the order of `rows`."""
    if not rows:
        return []
    statement = insert(Alert).returning(Alert.id, sort_by_parameter_order=True)
    stamped = [{**row, "received_at": now} for row in rows]
    return list((await session.scalars(statement, stamped)).all())
