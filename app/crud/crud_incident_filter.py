"""What a list of incidents is narrowed to, and the shape that its statement has by that."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB

from app.crud import base
from app.crud.prepared import blank
from app.domain.incident import IncidentStatus, Severity


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


@dataclass(frozen=True)
class Shape:
    """What a statement is made for. It has a blank for whatever else a list is asked for with."""

    blanks: tuple[tuple[str, ...], ...]
    # Words that are few, and that say where to look: they are written in it.
    status: tuple[IncidentStatus, ...]
    severity: tuple[Severity, ...]
    unassigned: bool
    deleted: bool
    drill: bool
    order: str
    descending: bool
    goes_on: bool

    def named(self, field: str) -> list[str]:
        """The blanks of a filter."""
        return ["_".join(name) for name in self.blanks if name[0] == field]

    def where(self) -> IncidentFilter:
        """The filter with its blanks."""
        many: Any = {field: [blank(name) for name in self.named(field)] for field in _MANY}
        one: Any = {field: blank(field) for field in _ONE if self.named(field)}
        within: dict[str, list[Any]] = {}
        for name in self.blanks:
            if name[0] == "custom_fields":
                within.setdefault(name[1], []).append(blank("_".join(name), JSONB()))
        return IncidentFilter(
            status=self.status,
            severity=self.severity,
            unassigned=self.unassigned,
            custom_fields=list(within.values()),
            deleted=self.deleted,
            drill=self.drill,
            **many,
            **one,
        )


_MANY = ("service", "source", "tag")
_ONE = (
    "integration_id",
    "assigned_to",
    "since",
    "until",
    "updated_since",
    "updated_until",
)


def filled_in(where: IncidentFilter) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The blanks of a filter, each with what is written there."""
    for field in _MANY:
        for turn, one in enumerate(dict.fromkeys(getattr(where, field))):
            yield (field, str(turn)), one
    for field in _ONE:
        if getattr(where, field) is not None:
            yield (field,), getattr(where, field)
    for turn, alternatives in enumerate(where.custom_fields):
        for choice, one in enumerate(alternatives):
            yield ("custom_fields", str(turn), str(choice)), json.dumps(one)


def shape_of(where: IncidentFilter, wanted: base.Window) -> Shape:
    return Shape(
        blanks=tuple(name for name, _ in filled_in(where)),
        status=tuple(dict.fromkeys(where.status)),
        severity=tuple(dict.fromkeys(where.severity)),
        unassigned=where.unassigned,
        deleted=where.deleted,
        drill=where.drill,
        order=wanted.order or where.order,
        descending=wanted.descending is not False,
        goes_on=wanted.after is not None,
    )
