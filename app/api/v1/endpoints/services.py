"""The catalogue of services: what is run, who owns it, and how its incidents are met."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from app.api.deps import KeyPath, Now, Reader, ReadSession, Responder, WriteSession
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.idempotency import Once, replays
from app.api.paging import PageQuery, paged
from app.api.resource_route import ResourceRoute
from app.core.paging import BIGGEST_KEY
from app.crud import crud_service
from app.crud.crud_service import ServiceFilter, ServiceOrder
from app.db.session import transaction_time
from app.models import Service
from app.schemas.alert import When
from app.schemas.base import PageRead
from app.schemas.service import (
    OnCallPersonRead,
    ServiceCreate,
    ServiceOnCallRead,
    ServiceRead,
    ServiceStandingRead,
    ServiceUpdate,
    UncataloguedListRead,
    UncataloguedRead,
    UnresolvedRead,
)
from app.services import service as service_service

router = APIRouter(prefix="/services", tags=["catalogue"], route_class=ResourceRoute)

ServicePaging = Annotated[PageQuery, Depends(paged(ServiceOrder, ServiceOrder.ID))]
EDITED = Edited(crud_service.lock, service_service.require, ServiceRead)
OwnerQuery = Annotated[int | None, Query(ge=1, le=BIGGEST_KEY)]


@router.get("", response_model=PageRead[ServiceRead], responses=answers(401, 422))
async def list_services(
    session: ReadSession,
    paging: ServicePaging,
    _: Reader,
    name: Annotated[
        list[str], Query(max_length=100, description="Any of these names, letter for letter.")
    ] = [],  # noqa: B006
    search: Annotated[
        str | None, Query(min_length=1, max_length=100, description="A part of the name.")
    ] = None,
    team_id: OwnerQuery = None,
    policy_id: OwnerQuery = None,
    schedule_id: OwnerQuery = None,
) -> dict[str, Any]:
    """List catalogued services, in the order they were made."""
    where = ServiceFilter(name, search, team_id, policy_id, schedule_id)
    return paging.shown(await crud_service.list_page(session, where, paging.window))


@router.post(
    "",
    response_model=ServiceRead,
    status_code=201,
    responses=answers(401, 403, 409, 413, 422) | replays(ServiceRead),
)
async def create_service(
    session: WriteSession, body: ServiceCreate, now: Now, user: Responder, once: Once
) -> Service:
    """Catalogue a service. For admins, and for the leads of the team that shall own it.

    Incidents that name it already are its own from here on.
    """
    return await service_service.create(session, body.model_dump(mode="json"), by=user, now=now)


@router.get("/uncatalogued", response_model=UncataloguedListRead, responses=answers(401, 422))
async def list_uncatalogued_services(session: ReadSession, _: Reader) -> UncataloguedListRead:
    """List up to 100 services that incidents of the last 30 days name and nobody has catalogued."""
    now = await transaction_time(session)
    found, is_whole = await service_service.uncatalogued(session, now=now)
    items = [
        UncataloguedRead(name=one.name, last_incident_at=one.last_incident_at, spelled=one.spelled)
        for one in found
    ]
    return UncataloguedListRead(items=items, is_whole=is_whole)


@router.get(
    "/{service_id}",
    response_model=ServiceStandingRead,
    responses=answers(401, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_service(session: ReadSession, service_id: KeyPath, _: Reader) -> ServiceStandingRead:
    """Read one service: how it is set up, what is unresolved, and whether it is worked on."""
    service = await service_service.require(session, service_id)
    now = await transaction_time(session)
    standing = await service_service.standing(session, service, now=now)
    by_severity, total, is_bound = standing.unresolved
    return ServiceStandingRead(
        **ServiceRead.model_validate(service).model_dump(),
        unresolved=UnresolvedRead(**by_severity, total=total, total_is_bound=is_bound),
        in_maintenance_until=standing.in_maintenance_until,
    )


@router.patch(
    "/{service_id}",
    response_model=ServiceRead,
    responses=answers(401, 403, 404, 409, 412, 413, 422),
)
async def update_service(
    session: WriteSession,
    service_id: KeyPath,
    body: ServiceUpdate,
    now: Now,
    user: Responder,
    expected: IfMatch,
) -> Service:
    """Change the named fields. For admins and the leads of the owning team."""
    await expected.hold(EDITED, session, service_id)
    fields = body.model_dump(mode="json", exclude_unset=True)
    return await service_service.update(session, service_id, fields, by=user, now=now)


@router.delete("/{service_id}", status_code=204, responses=answers(401, 403, 404, 412, 422))
async def delete_service(
    session: WriteSession, service_id: KeyPath, user: Responder, expected: IfMatch
) -> Response:
    """Take a service out of the catalogue. Its incidents stay, and page as those of any name."""
    await expected.hold(EDITED, session, service_id)
    await service_service.remove(session, service_id, by=user)
    return Response(status_code=204)


@router.get(
    "/{service_id}/on-call",
    response_model=ServiceOnCallRead,
    responses=answers(401, 404, 422),
)
async def read_service_on_call(
    session: ReadSession,
    service_id: KeyPath,
    _: Reader,
    at: Annotated[When | None, Query(description="Left out: now.")] = None,
) -> ServiceOnCallRead:
    """Say who is on call for a service, now or at an instant."""
    when = at or await transaction_time(session)
    found = await service_service.on_call(session, service_id, at=when)
    people = [OnCallPersonRead(user_id=one.id, name=one.display_name) for one in found.people]
    return ServiceOnCallRead(at=found.at, schedule_id=found.schedule_id, people=people)
