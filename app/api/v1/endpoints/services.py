"""The catalogue of services: what is run, who owns it, and how its incidents are met."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from app.api.deps import KeyPath, Now, Reader, ReadSession, Responder, WriteSession
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.idempotency import Once, replays
from app.api.paging import PageQuery, paged
from app.api.preflight_shown import holes
from app.api.resource_route import ResourceRoute
from app.api.spans import Since, Until
from app.core.paging import BIGGEST_KEY
from app.crud import crud_service
from app.crud.crud_service import ServiceFilter, ServiceOrder
from app.db.session import transaction_time
from app.domain.timeline import Interval
from app.models import Service
from app.schemas.alert import When
from app.schemas.base import PageRead
from app.schemas.on_call import NextRead, ShiftsRead
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
from app.services import preflight_saved, rota
from app.services import service as service_service
from app.services.schedule_check import AHEAD

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
) -> ServiceRead:
    """Catalogue a service. For admins, and for the leads of the team that shall own it.

    Incidents that name it already are its own from here on. What would let its pages reach nobody
    is told in `findings`.
    """
    saved = await service_service.create(session, body.model_dump(mode="json"), by=user, now=now)
    return await _checked(session, saved, now)


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
) -> ServiceRead:
    """Change the named fields. For admins and the leads of the owning team."""
    await expected.hold(EDITED, session, service_id)
    fields = body.model_dump(mode="json", exclude_unset=True)
    saved = await service_service.update(session, service_id, fields, by=user, now=now)
    return await _checked(session, saved, now)


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
    """Say who is on call for a service, now or at an instant, and who follows."""
    now = await transaction_time(session)
    found = await service_service.on_call(session, service_id, at=at, now=now)
    people = [OnCallPersonRead(user_id=one.id, name=one.name) for one in found.people]
    follows = None if found.next is None else NextRead.model_validate(found.next)
    return ServiceOnCallRead(
        at=found.at, schedule_id=found.schedule_id, people=people, next=follows
    )


@router.get(
    "/{service_id}/shifts", response_model=ShiftsRead, responses=answers(401, 404, 409, 422)
)
async def read_service_shifts(
    session: ReadSession, service_id: KeyPath, _: Reader, since: Since = None, until: Until = None
) -> dict[str, Any]:
    """Read who is on call for a service from when to when, of up to 400 days: what its schedule
    says."""
    now = await transaction_time(session)
    begin = since or now
    during = Interval(begin, until or begin + AHEAD)
    schedule_id = await service_service.schedule_of(session, service_id)
    return await rota.shown(session, schedule_id, during, known_at=None, now=now)


async def _checked(session: ReadSession, saved: Service, now: datetime) -> ServiceRead:
    found = await preflight_saved.of_service(session, saved.id, now=now)
    return ServiceRead.model_validate(saved).model_copy(update={"findings": holes(found)})
