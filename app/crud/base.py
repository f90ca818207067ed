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
    null,
    select,
    text,
    tuple_,
)
from sqlalchemy import delete as sql_delete
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


@dataclass(frozen=True)
class Span:
    """From one time on and up to another, which is outside; None is no end."""

    since: datetime | None = None
    until: datetime | None = None

    def narrow(self, statement: Select[tuple[Row]], at: Column) -> Select[tuple[Row]]:
        """What of a list happened within."""
        if self.since is not None:
            statement = statement.where(at >= self.since)
        if self.until is not None:
            statement = statement.where(at < self.until)
        return statement


ALWAYS = Span()


async def plan_anew(session: ReadSession) -> None:
    """Let each statement of this transaction be planned for what is asked for now, and not once
    for whatever may be asked: where the values decide which way is short."""
    await session.execute(_PLAN_ANEW)


_PLAN_ANEW = text("SET LOCAL plan_cache_mode = force_custom_plan")


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


async def remove_some(
    session: WriteSession,
    key: InstrumentedAttribute[Any],
    over: ColumnElement[bool],
    *,
    limit: int,
    order: Column | None = None,
) -> int:
    """Remove up to `limit` rows of a table that are over and that nobody holds; how many."""
    found = select(key).where(over).order_by(order).limit(limit)
    # In a CTE: a sub-query may be run for every row that it is compared with, limit and all.
    some = found.with_for_update(skip_locked=True).cte("some")
    removed = await session.execute(
        sql_delete(key.class_)
        .where(key == some.c[key.key])
        .returning(key)
        .execution_options(synchronize_session=False)
    )
    return len(removed.all())


async def window(
    session: ReadSession,
    statement: Select[tuple[Row]],
    key: InstrumentedAttribute[int],
    wanted: Window,
    *,
    descending: bool = True,
    orders: Orders = {},  # noqa: B006  # nobody changes it
) -> Slice[Row]:
    """A page of `statement` in the order that is wanted, with the count of the whole: by one
    statement, unless the page lies beyond the end."""
    value = orders.get(wanted.order, key)
    is_descending = descending if wanted.descending is None else wanted.descending
    page = after(statement, value, key, wanted, descending=is_descending)
    keys = statement.with_only_columns(key)
    counts: ColumnElement[Any] = null() if wanted.after else counted(keys).scalar_subquery()
    found = (await session.execute(page.add_columns(value, counts))).tuples().all()
    if found and wanted.after is None:
        total, is_bound = bounded(found[0][2])
    else:
        total, is_bound = await count(session, keys, wanted)
    shown = found[: wanted.per_page]
    last = None
    if len(found) > wanted.per_page:
        row, reached, _ = shown[-1]
        last = Place(reached, getattr(row, key.key), total, is_bound)
    return Slice([row for row, *_ in shown], total, is_bound, last)


async def count(
    session: ReadSession, keys: Select[Any], wanted: Window, *, most: int = COUNTED_AT_MOST
) -> tuple[int, bool]:
    """How many `keys` there are, and whether there are more; after a place, what it says."""
    if wanted.after is not None:
        return wanted.after.total, wanted.after.total_is_bound
    return bounded((await session.scalars(counted(keys, most=most))).one(), most=most)


def counted(keys: Select[Any], *, most: int = COUNTED_AT_MOST) -> Select[tuple[int]]:
    """How many `keys` there are, but never more than one too many."""
    some: Subquery = keys.limit(most + 1).subquery()
    return select(func.count()).select_from(some)


def bounded(count: int, *, most: int = COUNTED_AT_MOST) -> tuple[int, bool]:
    """What was `counted`, and whether there are more."""
    return min(count, most), count > most


def after(
    statement: Select[Any],
    value: Column,
    key: Column,
    wanted: Window,
    *,
    descending: bool,
) -> Select[Any]:
    """The part of a list that is wanted, and one row more: whether another follows."""
    place: list[ColumnElement[Any]] | None = None
    if wanted.after is not None:
        place = [literal(one, type_of(one)) for one in (wanted.after.value, wanted.after.id)]
    return cut(
        statement,
        value,
        key,
        place,
        descending=descending,
        rows=wanted.per_page + 1,
        skipped=wanted.offset or None,
    )


def cut(
    statement: Select[Any],
    value: Column,
    key: Column,
    place: Sequence[ColumnElement[Any]] | None,
    *,
    descending: bool,
    rows: int | ColumnElement[int],
    skipped: int | ColumnElement[int] | None,
) -> Select[Any]:
    """So many rows in the order of `value`, from a place on: the value and the key reached there.

    The id decides among equal values, so that no row is met twice or left out. An index of
    (value, id) finds the place without reading what came before it.
    """
    columns = [key] if value is key else [value, key]
    if place is not None:
        here, there = tuple_(*columns), tuple_(*place[-len(columns) :])
        statement = statement.where(here < there if descending else here > there)
    order = [column.desc() if descending else column.asc() for column in columns]
    return statement.order_by(*order).limit(rows).offset(skipped)


def type_of(value: Value) -> TypeEngine[Any]:
    """As what PostgreSQL is told a value."""
    if isinstance(value, datetime):
        return DateTime(timezone=True)
    return String() if isinstance(value, str) else BigInteger()
