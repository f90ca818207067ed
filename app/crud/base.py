"""What every resource's SQL shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from app.db.base_class import Base
from app.db.session import ReadSession, WriteSession

Row = TypeVar("Row", bound=Base)

COUNTED_AT_MOST = 10_000


@dataclass(frozen=True)
class Slice(Generic[Row]):
    """One page of a list. `total` is exact up to `COUNTED_AT_MOST`, then a lower bound."""

    items: Sequence[Row]
    total: int
    total_is_bound: bool
    next_after: int | None


@dataclass(frozen=True)
class Window:
    """Which part of a list: a numbered page, or what follows a row."""

    per_page: int
    page: int = 1
    after: int | None = None


async def get(session: ReadSession, model: type[Row], key: int) -> Row | None:
    return await session.get(model, key, populate_existing=True)


async def lock(session: WriteSession, model: type[Row], key: int) -> Row | None:
    """The row, held until commit and read afresh, so that whoever comes second sees the first.

    NO KEY UPDATE, because plain FOR UPDATE also blocks every insert that refers to the row.
    """
    return await session.get(
        model, key, with_for_update={"key_share": True}, populate_existing=True
    )


async def add(session: WriteSession, row: Row) -> Row:
    session.add(row)
    await session.flush()
    return row


async def delete(session: WriteSession, row: Base) -> None:
    await session.delete(row)
    await session.flush()


async def window(
    session: ReadSession,
    statement: Select[tuple[Row]],
    key: InstrumentedAttribute[int],
    wanted: Window,
    *,
    descending: bool = True,
) -> Slice[Row]:
    """A page of `statement` in the order of `key`, with the count of the whole."""
    counted = statement.with_only_columns(key).limit(COUNTED_AT_MOST + 1).subquery()
    total = (await session.scalars(select(func.count()).select_from(counted))).one()
    order: ColumnElement[Any] = key.desc() if descending else key.asc()
    page = statement.order_by(order).limit(wanted.per_page + 1)
    if wanted.after is not None:
        page = page.where(key < wanted.after if descending else key > wanted.after)
    else:
        page = page.offset((wanted.page - 1) * wanted.per_page)
    rows = (await session.scalars(page)).all()
    items = rows[: wanted.per_page]
    more = len(rows) > wanted.per_page
    return Slice(
        items=items,
        total=min(total, COUNTED_AT_MOST),
        total_is_bound=total > COUNTED_AT_MOST,
        next_after=getattr(items[-1], key.key) if more else None,
    )
