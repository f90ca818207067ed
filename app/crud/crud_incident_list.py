"""Incidents as they are listed and looked for.

Rows come plain, without objects: a list is read far more often than anything else, and nobody
changes what is on it.

First the keys of a page are found, along an index wherever there is one for it; then what is
shown of these few. Where a filter has an index with the ids, the first rows of each of its values
are taken from there and merged, so that no page costs more than another.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.core.paging import BIGGEST_KEY, Place
from app.crud import base
from app.db.session import ReadSession
from app.domain.incident import IncidentStatus, Severity
from app.domain.search import MOST_MATCHES
from app.models import Incident, IncidentComment
from app.models.incident import COMMENTS, INCIDENTS

MOST_MERGED = 10
Narrowing = tuple[base.Column, Collection[Any]]


class IncidentOrder(StrEnum):
    """What incidents can be listed by. `relevance` is for what a search finds."""

    ID = "id"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    SEVERITY = "severity"
    STATUS = "status"
    RELEVANCE = "relevance"


@dataclass(frozen=True)
class IncidentFilter:
    """Which incidents; an empty field does not narrow. An `until` itself is outside.

    `search` is what `app.domain.search` makes of it.
    """

    status: Collection[IncidentStatus] = ()
    severity: Collection[Severity] = ()
    service: Collection[str] = ()
    source: Collection[str] = ()
    tag: Collection[str] = ()
    integration_id: int | None = None
    assigned_to: int | None = None
    unassigned: bool = False
    # Of each collection one at least: the custom fields of an incident contain it.
    custom_fields: Collection[Collection[Mapping[str, Any]]] = ()
    since: datetime | None = None
    until: datetime | None = None
    updated_since: datetime | None = None
    updated_until: datetime | None = None
    search: str | None = None
    deleted: bool = False
    drill: bool = False

    @property
    def order(self) -> IncidentOrder:
        """In which order they come where nobody says."""
        if self.search is not None:
            return IncidentOrder.RELEVANCE
        if self.since is not None or self.until is not None:
            return IncidentOrder.CREATED_AT
        if self.updated_since is not None or self.updated_until is not None:
            return IncidentOrder.UPDATED_AT
        return IncidentOrder.ID


ORDERS: base.Orders = {
    IncidentOrder.ID: Incident.id,
    IncidentOrder.CREATED_AT: Incident.created_at,
    IncidentOrder.UPDATED_AT: Incident.updated_at,
    IncidentOrder.SEVERITY: INCIDENTS.c.severity_rank,
    IncidentOrder.STATUS: Incident.status,
}
_WORDS, _SAID = INCIDENTS.c.words, COMMENTS.c.words


async def list_page(
    session: ReadSession, where: IncidentFilter, wanted: base.Window
) -> base.Slice[dict[str, Any]]:
    """What is shown of each, newest first unless another way is wanted.

    What a search finds is looked at in any order, but only the newest `MOST_MATCHES` of it.
    """
    if where.search is None:
        total, is_bound = await base.count(session, _keys(_all_of(where)), wanted)
        newest, keys = None, _page_of_all(where, wanted)
    else:
        newest, total, is_bound = await _extent(session, where, wanted)
        keys = _page_of_matches(where, wanted, newest)
    found = (await session.execute(keys)).tuples().all()
    shown = found[: wanted.per_page]
    last = None
    if len(found) > wanted.per_page:
        reached, key = shown[-1]
        last = Place(reached, key, total, is_bound, newest)
    items = await _shown(session, [key for _, key in shown])
    return base.Slice(items, total, is_bound, last)


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
    if where.tag:
        # The index holds those that have tags at all.
        holds.append(literal_column("incidents.tags <> '{}'", Boolean))
        holds.append(Incident.tags.op("&&")(cast(list(where.tag), ARRAY(Text))))
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
    status, severity = set(where.status), set(where.severity)
    is_unresolved = bool(status) and IncidentStatus.RESOLVED not in status
    if where.assigned_to is not None:
        yield Incident.assigned_to, [where.assigned_to]
    if is_unresolved:
        yield Incident.status, status
    if where.service:
        yield Incident.service, set(where.service)
    if where.integration_id is not None:
        yield Incident.integration_id, [where.integration_id]
    if where.source:
        yield Incident.source, set(where.source)
    if 0 < len(severity) < len(Severity):
        yield INCIDENTS.c.severity_rank, {len(Severity) - one.rank for one in severity}
    if not is_unresolved and 0 < len(status) < len(IncidentStatus):
        yield Incident.status, status


def _keys(holds: Sequence[ColumnElement[bool]], value: base.Column = Incident.id) -> Select[Any]:
    return select(value.label("reached"), Incident.id.label("key")).where(*holds)


# --- a page of their keys


def _page_of_all(where: IncidentFilter, wanted: base.Window) -> Select[Any]:
    value = ORDERS[wanted.order or where.order]
    led = _leading(where, value)
    if led is None:
        return _cut(_keys(_all_of(where), value), value, wanted)
    column, values = led
    either = union_all(*(_of_one(where, wanted, value, column, one) for one in values)).subquery()
    keys = select(either.c.reached, either.c.key)
    # Where the page begins is in each of them already.
    return _cut(keys, either.c.reached, replace(wanted, after=None), either.c.key)


def _leading(where: IncidentFilter, value: base.Column) -> Narrowing | None:
    """The filter whose index gives the rows in the order that is wanted, value by value."""
    for column, values in _narrowings(where):
        if (value is column or value is Incident.id) and len(values) <= MOST_MERGED:
            return column, values
    return None


def _of_one(
    where: IncidentFilter, wanted: base.Window, value: base.Column, column: base.Column, one: Any
) -> Select[Any]:
    """The first rows that have this one value.

    Asked for as a range, because of what is equal PostgreSQL knows that ids are its order, and
    would rather read the whole table in that order than believe that they are far away.
    """
    is_down = wanted.descending is not False
    edge = BIGGEST_KEY + 1 if is_down else -1
    if wanted.after is not None:
        reached = wanted.after.value
        if value is Incident.id or one == reached:
            edge = wanted.after.id
        elif (one > reached) is is_down:  # all of this value came before
            edge = -1 if is_down else BIGGEST_KEY + 1
    typed = literal(one, base.type_of(one))
    here, there = tuple_(column, Incident.id), tuple_(typed, literal(edge, BigInteger))
    within = [column >= typed, here < there] if is_down else [column <= typed, here > there]
    keys = _keys([*_all_of(where, but=column), *within], value)
    order = [part.desc() if is_down else part.asc() for part in (column, Incident.id)]
    return keys.order_by(*order).limit(wanted.per_page + 1 + wanted.offset)


def _cut(
    keys: Select[Any], value: base.Column, wanted: base.Window, key: base.Column = Incident.id
) -> Select[Any]:
    return base.after(keys, value, key, wanted, descending=wanted.descending is not False)


# --- what a search finds


def _matches(where: IncidentFilter, newest: int | None, most: int) -> CTE:
    """The newest that hold the words, or have a comment that does, each with its relevance."""
    asked = func.websearch_to_tsquery(text("'simple'"), where.search)
    holds = _all_of(where)
    if newest is not None:
        holds.append(Incident.id <= newest)
    own = (
        select(Incident.id.label("key"), func.ts_rank(_WORDS, asked).label("rank"))
        .where(_WORDS.op("@@")(asked), *holds)
        .order_by(Incident.id.desc())
        .limit(most)
    )
    commented = IncidentComment.incident_id
    said = (
        select(commented.label("key"), func.max(func.ts_rank(_SAID, asked)).label("rank"))
        .join(Incident, Incident.id == commented)
        .where(_SAID.op("@@")(asked), *holds)
        .group_by(commented)
        .order_by(commented.desc())
        .limit(most)
    )
    either = union_all(own, said).subquery()
    # Whole numbers, which a cursor can hold exactly.
    rank = cast(func.max(either.c.rank) * literal(1e6), BigInteger).label("rank")
    return (
        select(either.c.key, rank)
        .group_by(either.c.key)
        .order_by(either.c.key.desc())
        .limit(most)
        .cte("matches")
    )


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


# --- what is shown of them


# Written out, because to put it together would take longer than to run it.
_SHOWN_SQL = text("""
    SELECT i.id, i.title, i.description, i.status, i.severity, i.service, i.source, i.url, i.tags,
        i.labels, i.is_drill, i.custom_fields, i.integration_id, i.dedup_key, i.created_by,
        i.assigned_to, i.acknowledged_at, i.acknowledged_by, i.resolved_at, i.resolved_by,
        i.snoozed_until, i.deleted_at, i.deleted_by, i.revision, i.created_at, i.updated_at,
        t.alert_count, t.last_alert_at,
        (
            SELECT jsonb_agg(jsonb_build_object('user_id', a.user_id, 'role', a.role,
                'assigned_at', a.assigned_at, 'user', jsonb_build_object(
                    'display_name', coalesce(nullif(u.full_name, ''), u.email))) ORDER BY a.id)
            FROM incident_assignments a JOIN users u ON u.id = a.user_id
            WHERE a.incident_id = i.id
        ) AS assignments
    FROM incidents i LEFT JOIN incident_tallies t ON t.incident_id = i.id
    WHERE i.id = ANY(:ids)
""")
_SHOWN = _SHOWN_SQL.bindparams(bindparam("ids", type_=ARRAY(BigInteger))).columns(
    labels=JSONB, custom_fields=JSONB, assignments=JSONB
)


async def read(session: ReadSession, incident_id: int) -> dict[str, Any] | None:
    """One incident as the API shows it; None where nobody sees it."""
    row = (await session.execute(_SHOWN, {"ids": [incident_id]})).mappings().one_or_none()
    if row is None or row["deleted_at"] is not None:
        return None
    return {**row, "tally": row, "assignments": row["assignments"] or []}


async def _shown(session: ReadSession, ids: Sequence[int]) -> list[dict[str, Any]]:
    """As the API shows them: with their tallies, and with who works on each."""
    if not ids:
        return []
    rows = (await session.execute(_SHOWN, {"ids": ids})).mappings()
    found = {row["id"]: row for row in rows}
    return [
        {**row, "tally": row, "assignments": row["assignments"] or []}
        for row in (found[key] for key in ids)
    ]
