"""Maintenance that the public is told of: announced, told about, changed, ended, withdrawn."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service
from app.crud import (
    crud_public_maintenance,
    crud_public_update,
    crud_status_component,
    crud_status_page,
)
from app.crud.base import Window
from app.crud.crud_public_maintenance import MaintenanceFilter
from app.crud.crud_public_update import About
from app.db.session import transaction_time
from app.domain.public_maintenance import TRANSITIONS, MaintenanceStatus
from app.domain.public_update import UpdateStatus
from app.models import PublicMaintenance
from app.schemas.public_maintenance import PublicMaintenanceCreate, PublicMaintenanceUpdate
from app.schemas.public_update import MaintenanceUpdateCreate
from app.services import public_maintenance as public_maintenance_service
from app.services.public_maintenance import Announcement
from app.services.public_update import NewUpdate
from app.web import asked, flash, incident_form, listing, meanwhile
from app.web.asked import REFUSED
from app.web.deps import RespondingDep, Visitor, VisitorDep
from app.web.incident_form import Typed
from app.web.templating import render

router = APIRouter(
    prefix="/status-page/maintenances", include_in_schema=False, route_class=BoundedRoute
)

PLACE = "/status-page/maintenances"
STATUSES = {
    MaintenanceStatus.SCHEDULED.value: "Announced",
    MaintenanceStatus.IN_PROGRESS.value: "In progress",
    MaintenanceStatus.VERIFYING.value: "Being looked at",
    MaintenanceStatus.COMPLETED.value: "Over",
}
FLAGS = ("starts_itself", "ends_itself")
FEW = 50


@router.get("")
async def show_list(
    request: Request, visitor: VisitorDep, service: ServiceDep, status: str = ""
) -> HTMLResponse:
    number = listing.page_of(request)
    where = MaintenanceFilter(asked.among([status], MaintenanceStatus))
    async with service.database.reading() as session:
        found = await crud_public_maintenance.list_page(
            session, where, Window(listing.PER_PAGE, number)
        )
        ids = [one.id for one in found.items]
        components = await crud_public_maintenance.components(session, ids)
    return render(
        request,
        visitor,
        "status_page/maintenances.html",
        found=listing.shown(found, number),
        components=components,
        only=status if where.status else "",
        statuses=STATUSES,
    )


@router.get("/new")
async def show_new(request: Request, visitor: RespondingDep, service: ServiceDep) -> Response:
    given = {"starts_itself": "true", "ends_itself": "true", "notifies": "true"}
    return await _form(request, visitor, service, None, given, {})


@router.post("/new")
async def announce(request: Request, visitor: RespondingDep, service: ServiceDep) -> Response:
    given = await incident_form.typed(request)
    try:
        wanted = _body(given, visitor)
        wanted |= {"body": given.get("body", ""), "notifies": given.get("notifies") == "true"}
        body = incident_form.shaped(PublicMaintenanceCreate, wanted, given)
        fields = body.model_dump(exclude={"body", "component_ids", "notifies"})
        update = NewUpdate(body.body, notifies=body.notifies)
        new = Announcement(fields, body.component_ids, update)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            made = await public_maintenance_service.announce(
                session, new, by=visitor.user.id, now=now
            )
            key = made.id
    except REFUSED as fault:
        return await _form(request, visitor, service, None, given, asked.told(fault))
    return flash.back(request, f"{PLACE}/{key}", "The public knows of it.")


@router.get("/{maintenance_id}")
async def show(
    request: Request, visitor: VisitorDep, service: ServiceDep, maintenance_id: KeyPath
) -> HTMLResponse:
    return await _page(request, visitor, service, maintenance_id, {"notifies": "true"})


@router.post("/{maintenance_id}/updates")
async def tell(
    request: Request, visitor: RespondingDep, service: ServiceDep, maintenance_id: KeyPath
) -> Response:
    """Tell the public how it goes, or that it is over."""
    given = await incident_form.typed(request)
    try:
        wanted = {
            "body": given.get("body", ""),
            "status": given.get("status") or None,
            "notifies": given.get("notifies") == "true",
        }
        body = incident_form.shaped(MaintenanceUpdateCreate, wanted, given)
        status = None if body.status is None else UpdateStatus(body.status)
        new = NewUpdate(body.body, status, body.notifies)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            await public_maintenance_service.post(
                session, maintenance_id, new, by=visitor.user.id, now=now
            )
    except REFUSED as fault:
        errors = asked.told(fault)
        return await _page(request, visitor, service, maintenance_id, given, errors)
    return flash.back(request, f"{PLACE}/{maintenance_id}", "The public is told.")


@router.get("/{maintenance_id}/edit")
async def show_edit(
    request: Request, visitor: RespondingDep, service: ServiceDep, maintenance_id: KeyPath
) -> Response:
    async with service.database.reading() as session:
        shown = await public_maintenance_service.require(session, maintenance_id)
        chosen = (await crud_public_maintenance.components(session, [shown.id]))[shown.id]
    zone = visitor.user.time_zone
    given = {
        "title": shown.title,
        "scheduled_for": asked.on_clock(shown.scheduled_for, zone),
        "scheduled_until": asked.on_clock(shown.scheduled_until, zone),
        "component_ids[]": [str(one.id) for one in chosen],
        **{name: str(getattr(shown, name)).lower() for name in FLAGS},
        **meanwhile.seen(shown),
    }
    return await _form(request, visitor, service, shown, given, {})


@router.post("/{maintenance_id}/edit")
async def edit(
    request: Request, visitor: RespondingDep, service: ServiceDep, maintenance_id: KeyPath
) -> Response:
    given = await incident_form.typed(request)
    async with service.database.reading() as session:
        shown = await public_maintenance_service.require(session, maintenance_id)
    wanted = _body(given, visitor)
    if shown.started_at is not None:
        wanted.pop("scheduled_for")
    try:
        body = incident_form.shaped(PublicMaintenanceUpdate, wanted, given)
        fields = body.model_dump(exclude_unset=True, exclude={"component_ids"})
        async with service.database.writing() as session:
            now = await transaction_time(session)
            await crud_status_page.lock(session)
            held = await public_maintenance_service.require(session, maintenance_id)
            meanwhile.require_same(given, held)
            await public_maintenance_service.update(
                session, maintenance_id, fields, body.component_ids, now=now
            )
    except REFUSED as fault:
        return await _form(request, visitor, service, shown, given, asked.told(fault))
    return flash.back(request, f"{PLACE}/{maintenance_id}", "Your changes are on the page.")


@router.post("/{maintenance_id}/withdraw")
async def withdraw(
    request: Request, visitor: RespondingDep, service: ServiceDep, maintenance_id: KeyPath
) -> Response:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await public_maintenance_service.withdraw(session, maintenance_id, now=now)
    return flash.back(request, PLACE, "It is off the status page.")


def _body(given: Typed, visitor: Visitor) -> dict[str, Any]:
    zone = visitor.user.time_zone
    ids = [number for word in given.get("component_ids[]", ()) if (number := asked.number(word))]
    return {
        "title": given.get("title", ""),
        "scheduled_for": asked.moment(given.get("scheduled_for"), zone) or "",
        "scheduled_until": asked.moment(given.get("scheduled_until"), zone) or "",
        "component_ids": ids,
        **{name: given.get(name) == "true" for name in FLAGS},
    }


async def _page(
    request: Request,
    visitor: Visitor,
    service: Service,
    maintenance_id: int,
    given: Mapping[str, Any],
    errors: Mapping[str, str] | None = None,
) -> HTMLResponse:
    about = About(public_maintenance_id=maintenance_id)
    async with service.database.reading() as session:
        shown = await public_maintenance_service.require(session, maintenance_id)
        chosen = (await crud_public_maintenance.components(session, [shown.id]))[shown.id]
        updates = await crud_public_update.list_page(session, about, Window(FEW))
    ways = [(one.value, STATUSES[one.value]) for one in TRANSITIONS[shown.status]]
    return render(
        request,
        visitor,
        "status_page/maintenance.html",
        status=422 if errors else 200,
        shown=shown,
        components=chosen,
        updates=updates,
        ways=ways,
        statuses=STATUSES,
        given=given,
        errors=errors or {},
    )


async def _form(
    request: Request,
    visitor: Visitor,
    service: Service,
    shown: PublicMaintenance | None,
    given: Mapping[str, Any],
    errors: Mapping[str, str],
) -> Response:
    async with service.database.reading() as session:
        rows = await crud_status_component.list_all(session)
    return render(
        request,
        visitor,
        "status_page/maintenance_edit.html",
        status=422 if errors else 200,
        shown=shown,
        given=given,
        chosen=given.get("component_ids[]", []),
        components=[(str(one.id), one.name) for one in rows if one.deleted_at is None],
        errors=errors,
    )
