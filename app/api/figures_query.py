"""What a figure is asked for with, and how it is answered: in JSON, or as one CSV file."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Response

from app.api import csv_rows
from app.api.deps import ReadSession
from app.api.paging import refuse_unknown
from app.core.paging import BIGGEST_KEY
from app.crud.crud_figures import FiguresFilter
from app.db.session import transaction_time
from app.domain.incident import Severity
from app.domain.timeline import Interval
from app.schemas.alert import When
from app.schemas.base import ReadSchema
from app.schemas.types import ServiceName, SeverityWord, TimeZone
from app.services import figures as figures_service

CSV = "text/csv"
MOST_SERVICES = 100


class Format(StrEnum):
    JSON = "json"
    CSV = "csv"


async def _format(
    asked: Annotated[
        Format | None,
        Query(alias="format", description="Or `Accept: text/csv`. As CSV only the rows are told."),
    ] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Format:
    if asked is not None:
        return asked
    wanted = accept.lower()
    return Format.CSV if CSV in wanted and "application/json" not in wanted else Format.JSON


WantedFormat = Annotated[Format, Depends(_format)]
Since = Annotated[
    When | None, Query(description="Then or later; thirty days before `until` if not given.")
]
Until = Annotated[When | None, Query(description="Before then; now if not given.")]


async def _during(session: ReadSession, since: Since = None, until: Until = None) -> Interval:
    return figures_service.span(since, until, now=await transaction_time(session))


async def _shortly(session: ReadSession, since: Since = None, until: Until = None) -> Interval:
    return figures_service.span(
        since,
        until,
        now=await transaction_time(session),
        longest=figures_service.LONGEST_NOISE,
    )


During = Annotated[Interval, Depends(_during, scope="function")]
Shortly = Annotated[Interval, Depends(_shortly, scope="function")]


@dataclass(frozen=True)
class Narrowing:
    """Which incidents, whenever they were opened."""

    service: Collection[str]
    severity: Collection[Severity]
    team_id: int | None

    def within(self, during: Interval) -> FiguresFilter:
        return FiguresFilter(during, self.service, self.severity, self.team_id)


async def _narrowing(
    session: ReadSession,
    service: Annotated[
        list[ServiceName], Query(max_length=MOST_SERVICES, description="Any of these.")
    ] = [],  # noqa: B006
    severity: Annotated[list[SeverityWord], Query(description="Any of these.")] = [],  # noqa: B006
    team_id: Annotated[
        int | None,
        Query(ge=1, le=BIGGEST_KEY, description="Services that this team owns now."),
    ] = None,
) -> Narrowing:
    await figures_service.require_team(session, team_id)
    return Narrowing(service, severity, team_id)


Narrowed = Annotated[Narrowing, Depends(_narrowing, scope="function")]
ZoneName = Annotated[
    TimeZone, Query(description="Whose clock tells the hours and days.", examples=["Europe/Berlin"])
]

ASKED = [Depends(refuse_unknown)]
IN_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {CSV: {"schema": {"type": "string"}}}}}


def told(shown: ReadSchema, form: Format, name: str) -> ReadSchema | Response:
    """The figures as they are wanted; as CSV, the rows with a column for each number."""
    if form is Format.JSON:
        return shown
    rows = [dict(_flat(row)) for row in shown.model_dump(mode="json")["rows"]]
    columns = list(_columns(type(shown).model_fields["rows"].annotation))
    body = csv_rows.lines([columns, *([row.get(name) for name in columns] for row in rows)])
    return Response(
        body,
        media_type=f"{CSV}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def _flat(row: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, dict):
            for part, number in value.items():
                yield f"{name}_{part}", number
        else:
            yield name, value


def _columns(annotation: Any) -> Iterator[str]:
    """The head of the file, which is the same when there is no row."""
    (row,) = annotation.__args__
    for name, field in row.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, ReadSchema):
            for part in inner.model_fields:
                yield f"{name}_{part}"
        else:
            yield name
