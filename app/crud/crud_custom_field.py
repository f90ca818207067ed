"""The fields that an installation adds to its incidents."""

from collections.abc import Sequence

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


async def list_page(
    session: ReadSession, wanted: base.Window, *, archived: bool
) -> base.Slice[CustomField]:
    """In the order in which they are asked for.

    They are few, and that order is not that of their ids: a cursor is how many came before.
    """
    rows = await every(session) if archived else await active(session)
    start = (wanted.page - 1) * wanted.per_page if wanted.after is None else wanted.after
    end = start + wanted.per_page
    return base.Slice(
        items=rows[start:end],
        total=len(rows),
        total_is_bound=False,
        next_after=end if end < len(rows) else None,
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
