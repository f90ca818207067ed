"""Incidents as they are listed and looked for.

First the keys of a page are found, along an index wherever there is one for it; then what is
shown of these few. Where a filter has an index with the ids, the first rows of each of its values
are taken from there and merged, so that no page costs more than another.

A page is one statement, put together once for each `Shape` that a list is asked for in.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    BindParameter,
    Boolean,
    ColumnElement,
    Select,
    Text,
    cast,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import array

from app.core.paging import BIGGEST_KEY, Place
from app.crud import base, crud_incident_shown, crud_search
from app.crud.crud_incident_filter import IncidentFilter, IncidentOrder, Shape, filled_in, shape_of
from app.crud.prepared import Prepared, blank, prepare
from app.db.session import Database, ReadSession
from app.domain.incident import IncidentStatus, Severity
from app.domain.search import MOST_MATCHES
from app.models import Incident
from app.models.incident import INCIDENTS

MOST_SHAPES = 300  # kept
MOST_MERGED = 10
Narrowing = tuple[base.Column, Collection[Any]]


ORDERS: base.Orders = {
    IncidentOrder.ID: Incident.id,
    IncidentOrder.CREATED_AT: Incident.created_at,
    IncidentOrder.UPDATED_AT: Incident.updated_at,
    IncidentOrder.SEVERITY: INCIDENTS.c.severity_rank,
    IncidentOrder.STATUS: Incident.status,
}


async def list_page(
    database: Database, where: IncidentFilter, wanted: base.Window
) -> base.Slice[str]:
    """Each as the API shows it, in JSON, newest first unless another way is wanted.

    What a search finds is looked at in any order, but only the newest `MOST_MATCHES` of it.
    """
    if where.search is not None:
        async with database.reading() as session:
            return await _found(session, where, wanted)
    page = _prepared(shape_of(where, wanted))
    rows = await database.ask(page.text, *page.values(_values(where, wanted)))
    if wanted.after is not None:
        total = wanted.after.total, wanted.after.total_is_bound
    elif rows or wanted.page == 1:
        total = base.bounded(rows[0]["total"] if rows else 0)
    else:  # beyond the end
        async with database.reading() as session:
            total = await base.count(session, _keys(_all_of(where)), wanted)
    shown = rows[: wanted.per_page]
    last = None
    if len(rows) > wanted.per_page:
        last = Place(shown[-1]["reached"], shown[-1]["key"], *total)
    return base.Slice([row["shown"] for row in shown], *total, last)


async def _found(
    session: ReadSession, where: IncidentFilter, wanted: base.Window
) -> base.Slice[str]:
    await base.plan_anew(session)  # a rare word and a common one are looked for in other ways
    newest, total, is_bound = await _extent(session, where, wanted)
    found = (await session.execute(_page_of_matches(where, wanted, newest))).tuples().all()
    shown = found[: wanted.per_page]
    last = None
    if len(found) > wanted.per_page:
        reached, key = shown[-1]
        last = Place(reached, key, total, is_bound, newest)
    items = await crud_incident_shown.as_json(session, [key for _, key in shown])
    return base.Slice(items, total, is_bound, last)


# --- its statement


def _values(where: IncidentFilter, wanted: base.Window) -> dict[str, Any]:
    """What is written in the blanks of its shape."""
    values = {"_".join(name): value for name, value in filled_in(where)}
    values |= {"rows": wanted.per_page + 1, "skipped": wanted.offset}
    values["each"] = wanted.per_page + 1 + wanted.offset
    if wanted.after is not None:
        values |= {"reached": wanted.after.value, "reached_key": wanted.after.id}
    value = ORDERS[wanted.order or where.order]
    led = _leading(where, value)
    if led is not None:
        for turn, one in enumerate(led[1]):
            values[f"edge_{turn}"] = _edge(wanted, value, one)
    return values


@lru_cache(maxsize=MOST_SHAPES)
def _prepared(shape: Shape) -> Prepared:
    where = shape.where()
    page = _page_of_all(where, shape).subquery("page")
    total: Any = null()
    if not shape.goes_on:
        total = base.counted(_keys(_all_of(where))).scalar_subquery()
    order = [c.desc() if shape.descending else c.asc() for c in (page.c.reached, page.c.key)]
    shown = literal_column(crud_incident_shown.AS_JSON, Text).label("shown")
    return prepare(
        select(page.c.reached, page.c.key, total.label("total"), shown)
        .select_from(page)
        .order_by(*order)
    )


# --- which


def _all_of(where: IncidentFilter, *, but: base.Column | None = None) -> list[ColumnElement[bool]]:
    """All that must hold, but for the search and what a column is narrowed to."""
    holds: list[Any] = [
        column.in_(values) for column, values in _narrowings(where) if column is not but
    ]
    is_deleted = Incident.deleted_at.is_not(None)
    holds.append(is_deleted if where.deleted else ~is_deleted)
    holds.append(Incident.is_drill if where.drill else ~Incident.is_drill)
    if where.unassigned:
        holds.append(Incident.assigned_to.is_(None))
    if where.integration_id is not None:
        # The index is for those who say so (`models.incident`).
        holds.append(literal_column("incidents.integration_id > 0", Boolean))
    if where.tag:
        # The index holds those that have tags at all.
        holds.append(literal_column("incidents.tags <> '{}'", Boolean))
        holds.append(Incident.tags.op("&&")(cast(array(where.tag), ARRAY(Text))))
    holds.extend(
        or_(*(Incident.custom_fields.contains(one) for one in alternatives))
        for alternatives in where.custom_fields
    )
    for column, since, until in (
        (Incident.created_at, where.since, where.until),
        (Incident.updated_at, where.updated_since, where.updated_until),
    ):
        if since is not None:
            holds.append(column >= since)
        if until is not None:
            holds.append(column < until)
    return holds


def _narrowings(where: IncidentFilter) -> Iterator[Narrowing]:
    """Each column that is narrowed to some values, and has an index with the ids.

    What usually leaves the fewest comes first: what is unresolved is little beside all that was.
    """
    status, severity = dict.fromkeys(where.status), dict.fromkeys(where.severity)
    is_unresolved = _is_unresolved(where)
    if where.assigned_to is not None:
        yield Incident.assigned_to, [where.assigned_to]
    if is_unresolved:
        yield Incident.status, list(status)
    if where.service:
        yield Incident.service, list(dict.fromkeys(where.service))
    if where.integration_id is not None:
        yield Incident.integration_id, [where.integration_id]
    if where.source:
        yield Incident.source, list(dict.fromkeys(where.source))
    if 0 < len(severity) < len(Severity):
        yield INCIDENTS.c.severity_rank, [len(Severity) - one.rank for one in severity]
    if not is_unresolved and 0 < len(status) < len(IncidentStatus):
        yield Incident.status, list(status)


def _is_unresolved(where: IncidentFilter) -> bool:
    return bool(where.status) and IncidentStatus.RESOLVED not in where.status


def _keys(holds: Sequence[ColumnElement[bool]], value: base.Column = Incident.id) -> Select[Any]:
    return select(value.label("reached"), Incident.id.label("key")).where(*holds)


# --- a page of their keys


def _page_of_all(where: IncidentFilter, shape: Shape) -> Select[Any]:
    value = ORDERS[shape.order]
    led = _leading(where, value)
    if led is None:
        keys = _keys(_all_of(where), value)
        if not _are_few(where):
            return _first_of(keys, value, shape)
        few = keys.cte("few").prefix_with("MATERIALIZED")
        return _first_of(select(few.c.reached, few.c.key), few.c.reached, shape, few.c.key)
    column, values = led
    either = union_all(
        *(_of_one(where, shape, value, column, turn, one) for turn, one in enumerate(values))
    ).subquery()
    keys = select(either.c.reached, either.c.key)
    # Where the page begins is in each of them already.
    return _first_of(keys, either.c.reached, replace(shape, goes_on=False), either.c.key)


def _are_few(where: IncidentFilter) -> bool:
    """Whether a filter leaves few by its nature: then these are taken and put in order.

    Left to itself PostgreSQL may go through the table in the order that is wanted until it has met
    enough of them; and the oldest that is still open comes after all that were resolved.
    """
    return where.assigned_to is not None or _is_unresolved(where)


def _first_of(
    keys: Select[Any], value: base.Column, shape: Shape, key: base.Column = Incident.id
) -> Select[Any]:
    place: list[Any] = [blank("reached", value.type), blank("reached_key", BigInteger())]
    return base.cut(
        keys,
        value,
        key,
        place if shape.goes_on else None,
        descending=shape.descending,
        rows=blank("rows", BigInteger()),
        skipped=blank("skipped", BigInteger()),
    )


def _leading(where: IncidentFilter, value: base.Column) -> Narrowing | None:
    """The filter whose index gives the rows in the order that is wanted, value by value."""
    for column, values in _narrowings(where):
        if (value is column or value is Incident.id) and len(values) <= MOST_MERGED:
            return column, values
    return None


def _of_one(
    where: IncidentFilter,
    shape: Shape,
    value: base.Column,
    column: base.Column,
    turn: int,
    one: Any,
) -> Select[Any]:
    """The first rows that have this one value.

    Asked for as a range, because of what is equal PostgreSQL knows that ids are its order, and
    would rather read the whole table in that order than believe that they are far away.
    """
    is_blank = isinstance(one, BindParameter)
    typed = blank(one.key, column.type) if is_blank else literal(one, base.type_of(one))
    here, there = tuple_(column, Incident.id), tuple_(typed, blank(f"edge_{turn}", BigInteger()))
    is_down = shape.descending
    within = [column >= typed, here < there] if is_down else [column <= typed, here > there]
    keys = _keys([*_all_of(where, but=column), *within], value)
    order = [part.desc() if is_down else part.asc() for part in (column, Incident.id)]
    return keys.order_by(*order).limit(blank("each", BigInteger()))


def _edge(wanted: base.Window, value: base.Column, one: Any) -> int:
    """The id after which the rows of one value begin."""
    is_down = wanted.descending is not False
    before_all, after_all = (BIGGEST_KEY + 1, -1) if is_down else (-1, BIGGEST_KEY + 1)
    if wanted.after is None:
        return before_all
    reached = wanted.after.value
    if value is Incident.id or one == reached:
        return wanted.after.id
    return after_all if (one > reached) is is_down else before_all


def _cut(
    keys: Select[Any], value: base.Column, wanted: base.Window, key: base.Column = Incident.id
) -> Select[Any]:
    return base.after(keys, value, key, wanted, descending=wanted.descending is not False)


# --- what a search finds


def _matches(where: IncidentFilter, newest: int | None, most: int) -> CTE:
    """The newest that are found, each with its relevance."""
    holds = _all_of(where)
    if newest is not None:
        holds.append(Incident.id <= newest)
    return crud_search.matches(where.search or "", holds, most=most)


async def _extent(
    session: ReadSession, where: IncidentFilter, wanted: base.Window
) -> tuple[int | None, int, bool]:
    """The newest match and how many there are; after a place, as it says."""
    if wanted.after is not None:
        return wanted.after.newest, wanted.after.total, wanted.after.total_is_bound
    matches = _matches(where, None, MOST_MATCHES + 1)
    counted = select(func.max(matches.c.key), func.count()).select_from(matches)
    newest, total = (await session.execute(counted)).one()
    return newest, min(total, MOST_MATCHES), total > MOST_MATCHES


def _page_of_matches(where: IncidentFilter, wanted: base.Window, newest: int | None) -> Select[Any]:
    matches = _matches(where, newest, MOST_MATCHES)
    order = wanted.order or where.order
    value = matches.c.rank if order == IncidentOrder.RELEVANCE else ORDERS[order]
    keys = select(value.label("reached"), Incident.id.label("key")).join(
        matches, matches.c.key == Incident.id
    )
    return _cut(keys, value, wanted)
