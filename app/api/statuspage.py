"""`/api/v2/…`: the public API of Statuspage, version 2, for programs that know that one.

Anybody may read it from anywhere: a web page of another origin, a bot, a dashboard.
"""

from fastapi import APIRouter, Request, Response

from app.api.bounds import BoundedRoute
from app.api.deps import ServiceDep
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED
from app.api.public_copy import document_of
from app.schemas.statuspage import (
    StatuspageComponents,
    StatuspageIncidents,
    StatuspageMaintenances,
    StatuspageStatus,
    StatuspageSummary,
)

router = APIRouter(
    prefix="/api/v2",
    tags=["Statuspage"],
    route_class=BoundedRoute,
    responses=answers(422, 500, 503) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
    generate_unique_id_function=lambda route: route.name,
)


@router.get("/summary.json", response_model=StatuspageSummary)
async def read_statuspage_summary(request: Request, service: ServiceDep) -> Response:
    """Components, what is not over, what is ahead, and how bad it is."""
    return document_of(request, await service.public_copies.newest(), "summary.json")


@router.get("/status.json", response_model=StatuspageStatus)
async def read_statuspage_status(request: Request, service: ServiceDep) -> Response:
    """How bad it is, in one word and in a few."""
    return document_of(request, await service.public_copies.newest(), "status.json")


@router.get("/components.json", response_model=StatuspageComponents)
async def read_statuspage_components(request: Request, service: ServiceDep) -> Response:
    """Every component and every group."""
    return document_of(request, await service.public_copies.newest(), "components.json")


@router.get("/incidents.json", response_model=StatuspageIncidents)
async def read_statuspage_incidents(request: Request, service: ServiceDep) -> Response:
    """The 50 newest incidents."""
    return document_of(request, await service.public_copies.newest(), "incidents.json")


@router.get("/incidents/unresolved.json", response_model=StatuspageIncidents)
async def read_statuspage_unresolved(request: Request, service: ServiceDep) -> Response:
    """Incidents that are not over."""
    return document_of(request, await service.public_copies.newest(), "incidents/unresolved.json")


@router.get("/scheduled-maintenances.json", response_model=StatuspageMaintenances)
async def read_statuspage_maintenances(request: Request, service: ServiceDep) -> Response:
    """The 50 newest maintenances."""
    return document_of(request, await service.public_copies.newest(), "scheduled-maintenances.json")


@router.get("/scheduled-maintenances/upcoming.json", response_model=StatuspageMaintenances)
async def read_statuspage_upcoming(request: Request, service: ServiceDep) -> Response:
    """Maintenances that have not begun."""
    name = "scheduled-maintenances/upcoming.json"
    return document_of(request, await service.public_copies.newest(), name)


@router.get("/scheduled-maintenances/active.json", response_model=StatuspageMaintenances)
async def read_statuspage_active(request: Request, service: ServiceDep) -> Response:
    """Maintenances that are under way."""
    name = "scheduled-maintenances/active.json"
    return document_of(request, await service.public_copies.newest(), name)
