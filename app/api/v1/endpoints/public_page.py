"""What everybody may read: the status page as JSON, without a login."""

import re
from datetime import UTC, date, datetime, time
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from app.api import public_copy
from app.api.bounds import BoundedRoute
from app.api.deps import Paging, ReadSession, ServiceDep
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED
from app.core.errors import InvalidInputError, NotFoundError
from app.crud import crud_public_incident, crud_public_maintenance, crud_status_page
from app.crud.base import ALWAYS, Span
from app.crud.crud_public_incident import PublicIncidentFilter
from app.crud.crud_public_maintenance import MaintenanceFilter
from app.db.session import transaction_time
from app.domain.public_incident import PublicStatus
from app.domain.public_maintenance import MaintenanceStatus
from app.domain.public_page import PublicPage
from app.domain.time_zone import zone
from app.models import StatusPage
from app.schemas.base import PageRead
from app.schemas.public_page import (
    StatusPageComponentsRead,
    StatusPageIncidentRead,
    StatusPageMaintenanceRead,
    StatusPageSummaryRead,
    StatusPageUptimeRead,
    StatusPageUptimesRead,
)
from app.services import public_page

router = APIRouter(prefix="/public", tags=["public"], route_class=BoundedRoute)

MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
Month = Annotated[
    str | None,
    Query(
        pattern=f"^{MONTH.pattern}$",
        description="Only what began in this month, on the page's clock.",
        examples=["2026-11"],
    ),
]
Code = Annotated[
    str,
    Path(min_length=1, max_length=50, description="What the public knows it by."),
]


@router.get(
    "/status",
    response_model=StatusPageSummaryRead,
    responses=answers(422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_public_status(request: Request, service: ServiceDep) -> Response:
    """How everything is just now, in one sentence and in all its parts."""
    copy = await service.public_copies.newest()
    return public_copy.shown_of(request, copy, "status", StatusPageSummaryRead)


@router.get(
    "/components",
    response_model=StatusPageComponentsRead,
    responses=answers(422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def list_public_components(request: Request, service: ServiceDep) -> Response:
    """Every component of the page, in its groups."""
    copy = await service.public_copies.newest()
    return public_copy.shown_of(request, copy, "components", StatusPageComponentsRead)


@router.get(
    "/uptime",
    response_model=StatusPageUptimesRead,
    responses=answers(422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_public_uptime(request: Request, service: ServiceDep) -> Response:
    """How long each component was well in the last 90 days, and how each day was.

    Time under maintenance does not count; of the rest a major outage counts as down in full, a
    partial one by 30 %, degraded performance not at all.
    """
    copy = await service.public_copies.newest()
    return public_copy.shown(request, _uptimes(copy.picture))


def _uptimes(picture: PublicPage) -> StatusPageUptimesRead:
    components = [
        StatusPageUptimeRead.model_validate(
            {
                "id": component.id,
                "name": component.name,
                "uptime": component.uptime,
                "days": [
                    {
                        "on": day.on,
                        "status": day.status,
                        "minutes": dict(day.minutes),
                        "incidents": day.incidents,
                    }
                    for day in component.days
                ],
            }
        )
        for component in picture.components()
        if component.days
    ]
    told = {"page": picture.page, "components": components}
    return StatusPageUptimesRead.model_validate(told)


@router.get(
    "/incidents",
    response_model=PageRead[StatusPageIncidentRead],
    responses=answers(422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def list_public_incidents(
    request: Request,
    session: ReadSession,
    paging: Paging,
    month: Month = None,
    status: Annotated[list[PublicStatus], Query(description="Only those that are so.")] = [],  # noqa: B006
) -> Response:
    """List published incidents, what began last first."""
    page = await crud_status_page.get(session)
    where = PublicIncidentFilter(status, starting=_span(month, page))
    found = await crud_public_incident.list_page(session, where, paging.window)
    drawn = await public_page.incidents(session, page, found.items)
    told = paging.shown(found) | {"items": [drawn[row.id] for row in found.items]}
    return public_copy.shown(request, PageRead[StatusPageIncidentRead].model_validate(told))


@router.get(
    "/incidents/{code}",
    response_model=StatusPageIncidentRead,
    responses=answers(404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_public_incident(request: Request, session: ReadSession, code: Code) -> Response:
    """Read what was told of one incident."""
    now = await transaction_time(session)
    found = await public_page.incident(session, code, now=now)
    if found is None:
        raise NotFoundError("incident", code)
    return public_copy.shown(request, StatusPageIncidentRead.model_validate(found))


@router.get(
    "/maintenances",
    response_model=PageRead[StatusPageMaintenanceRead],
    responses=answers(422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def list_announced_maintenances(
    request: Request,
    session: ReadSession,
    paging: Paging,
    month: Month = None,
    status: Annotated[list[MaintenanceStatus], Query(description="Only those that are so.")] = [],  # noqa: B006
) -> Response:
    """List maintenances that were announced, what is to begin last first."""
    page = await crud_status_page.get(session)
    where = MaintenanceFilter(status, _span(month, page))
    found = await crud_public_maintenance.list_page(session, where, paging.window)
    drawn = await public_page.maintenances(session, page, found.items)
    told = paging.shown(found) | {"items": [drawn[row.id] for row in found.items]}
    return public_copy.shown(request, PageRead[StatusPageMaintenanceRead].model_validate(told))


@router.get(
    "/maintenances/{code}",
    response_model=StatusPageMaintenanceRead,
    responses=answers(404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_announced_maintenance(
    request: Request, session: ReadSession, code: Code
) -> Response:
    """Read what was told of one maintenance."""
    found = await public_page.maintenance(session, code)
    if found is None:
        raise NotFoundError("maintenance", code)
    return public_copy.shown(request, StatusPageMaintenanceRead.model_validate(found))


def _span(month: str | None, page: StatusPage) -> Span:
    """That month on the page's clock."""
    if month is None:
        return ALWAYS
    place = zone(page.time_zone)
    year, number = (int(part) for part in month.split("-"))
    try:
        first = date(year, number, 1)
        after = date(year + number // 12, number % 12 + 1, 1)
        starts, ends = (
            datetime.combine(day, time(), place).astimezone(UTC) for day in (first, after)
        )
    except (ValueError, OverflowError):
        raise InvalidInputError("There is no such month.", field="month") from None
    return Span(starts, ends)
