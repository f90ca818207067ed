"""What every resource's SQL shares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Select,
    String,
    Subquery,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import TypeEngine

from app.core.paging import Place, Value
from app.db.base_class import Base
from app.db.session import ReadSession, WriteSession

Row = TypeVar("Row", bound=Base)
Item = TypeVar("Item")

Column = ColumnElement[Any] | InstrumentedAttribute[Any]
# What a list can be put in order by, other than its ids: none may be null.
Orders = Mapping[str, Column]
COUNTED_AT_MOST = 10_000
BY_ID = "id"


@dataclass(frozen=True)
class Slice(Generic[Item]):
    """One page of a list. `total` is exact up to `COUNTED_AT_MOST`, then a lower bound."""

    items: Sequence[Item]
    total: int
    total_is_bound: bool
    next_after: Place | None


@dataclass(frozen=True)
class Window:
    """Which part of a list, in which order: a numbered page, or what follows a place.

    Where `descending` is None the list goes its own way.
    """

    per_page: int
    page: int = 1
    after: Place | None = None
    order: str = BY_ID
    descending: bool | None = None

    @property
    def offset(self) -> int:
        return 0 if self.after is not None else (self.page - 1) * self.per_page


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
    orders: Orders = {},  # noqa: B006  # nobody changes it
) -> Slice[Row]:
    """A page of `statement` in the order that is wanted, with the count of the whole."""
    total, is_bound = await count(session, statement.with_only_columns(key), wanted)
    value = orders.get(wanted.order, key)
    is_descending = descending if wanted.descending is None else wanted.descending
    page = after(statement, value, key, wanted, descending=is_descending)
    found = (await session.execute(page.add_columns(value))).tuples().all()
    shown = found[: wanted.per_page]
    last = None
    if len(found) > wanted.per_page:
        row, reached = shown[-1]
        last = Place(reached, getattr(row, key.key), total, is_bound)
    return Slice([row for row, _ in shown], total, is_bound, last)


async def count(
    session: ReadSession, keys: Select[Any], wanted: Window, *, most: int = COUNTED_AT_MOST
) -> tuple[int, bool]:
    """How many `keys` there are, and whether there are more; after a place, what it says."""
    if wanted.after is not None:
        return wanted.after.total, wanted.after.total_is_bound
    counted: Subquery = keys.limit(most + 1).subquery()
    total = (await session.scalars(select(func.count()).select_from(counted))).one()
    return min(total, most), total > most


def after(
    statement: Select[Any],
    value: Column,
    key: Column,
    wanted: Window,
    *,
    descending: bool,
) -> Select[Any]:
    """One row more than the page holds: whether another follows.

    The id decides among equal values, so that no row is met twice or left out. An index of
    (value, id) finds the place without reading what came before it.
    """
    columns = [key] if value is key else [value, key]
    if wanted.after is not None:
        place: list[Value] = [wanted.after.value, wanted.after.id][-len(columns) :]
        here = tuple_(*columns)
        there = tuple_(*(literal(one, type_of(one)) for one in place))
        statement = statement.where(here < there if descending else here > there)
    order = [column.desc() if descending else column.asc() for column in columns]
    return statement.order_by(*order).limit(wanted.per_page + 1).offset(wanted.offset or None)


def type_of(value: Value) -> TypeEngine[Any]:
    """As what PostgreSQL is told a value."""
    if isinstance(value, datetime):
        return DateTime(timezone=True)
    return String() if isinstance(value, str) else BigInteger()
