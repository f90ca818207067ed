"""The fields that an installation adds to its incidents."""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import func, select

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.models import CustomField

ADDING = 4_826_391_705  # an advisory lock


async def active(session: ReadSession) -> Sequence[CustomField]:
    """Those that are asked for, in the order in which they are."""
    statement = (
        select(CustomField)
        .where(CustomField.archived_at.is_(None))
        .order_by(CustomField.position, CustomField.id)
    )
    return (await session.scalars(statement)).all()


async def every(session: ReadSession) -> Sequence[CustomField]:
    """The archived ones, too."""
    statement = select(CustomField).order_by(CustomField.position, CustomField.id)
    return (await session.scalars(statement)).all()


class FieldOrder(StrEnum):
    POSITION = "position"
    KEY = "key"
    LABEL = "label"
    CREATED_AT = "created_at"


ORDERS: base.Orders = {
    FieldOrder.POSITION: CustomField.position,
    FieldOrder.KEY: CustomField.key,
    FieldOrder.LABEL: func.lower(CustomField.label),
    FieldOrder.CREATED_AT: CustomField.created_at,
}


async def list_page(
    session: ReadSession, wanted: base.Window, *, archived: bool
) -> base.Slice[CustomField]:
    """In the order in which they are asked for, unless another is wanted."""
    statement = select(CustomField)
    if not archived:
        statement = statement.where(CustomField.archived_at.is_(None))
    return await base.window(
        session, statement, CustomField.id, wanted, descending=False, orders=ORDERS
    )


async def get(session: ReadSession, key: str) -> CustomField | None:
    statement = select(CustomField).where(CustomField.key == key)
    return (await session.scalars(statement)).one_or_none()


async def lock(session: WriteSession, key: str) -> CustomField | None:
    """The field, held until commit."""
    statement = (
        select(CustomField)
        .where(CustomField.key == key)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()


async def wait_for_other_additions(session: WriteSession) -> None:
    """Until commit nobody else adds a field: keys and their number can be counted on."""
    await session.execute(select(func.pg_advisory_xact_lock(ADDING)))


async def add(session: WriteSession, field: CustomField) -> CustomField:
    return await base.add(session, field)
