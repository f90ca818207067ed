"""Maintenance windows at the console: planned, changed and ended. Nobody is paged meanwhile."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service
from app.crud import crud_maintenance_window
from app.crud.base import Window
from app.crud.crud_maintenance_window import WindowFilter, WindowOrder
from app.db.session import transaction_time
from app.domain.maintenance_window import WindowStatus
from app.models import MaintenanceWindow
from app.schemas.maintenance_window import MaintenanceWindowCreate, MaintenanceWindowUpdate
from app.services import maintenance_window as maintenance_window_service
from app.web import asked, choices, flash, incident_form, listing, meanwhile
from app.web.asked import REFUSED
from app.web.deps import RespondingDep, Visitor, VisitorDep
from app.web.incident_form import Typed
from app.web.templating import render

router = APIRouter(prefix="/maintenance-windows", include_in_schema=False, route_class=BoundedRoute)

PLACE = "/maintenance-windows"
STATUSES = {
    "": "All",
    WindowStatus.RUNNING.value: "On now",
    WindowStatus.SCHEDULED.value: "Planned",
    WindowStatus.OVER.value: "Over",
    WindowStatus.CANCELLED.value: "Cancelled",
}
ALIVE = (WindowStatus.RUNNING, WindowStatus.SCHEDULED)


@router.get("")
async def show_list(
    request: Request, visitor: VisitorDep, service: ServiceDep, status: str = ""
) -> HTMLResponse:
    where = WindowFilter(asked.among([status], WindowStatus))
    window = Window(listing.PER_PAGE, listing.page_of(request), order=WindowOrder.STARTS_AT)
    async with service.database.reading() as session:
        found = await crud_maintenance_window.list_page(session, where, window, now=visitor.now)
    shown = listing.shown(found, window.page)
    shown["rows"] = [one.seen_at(visitor.now) for one in found.items]
    return render(
        request,
        visitor,
        "maintenance_windows/list.html",
        found=shown,
        only=status if where.status else "",
        statuses=STATUSES,
    )


@router.get("/new")
async def show_new(request: Request, visitor: RespondingDep, service: ServiceDep) -> Response:
    chosen = request.query_params.get("service", "")
    return await _form(request, visitor, service, None, {"service_ids[]": [chosen]}, {})


@router.post("/new")
async def create(request: Request, visitor: RespondingDep, service: ServiceDep) -> Response:
    given = await incident_form.typed(request)
    try:
        body = incident_form.shaped(MaintenanceWindowCreate, _body(given, visitor), given)
        fields = body.model_dump(exclude={"service_ids"})
        async with service.database.writing() as session:
            now = await transaction_time(session)
            made = await maintenance_window_service.plan(
                session, fields, body.service_ids, by=visitor.user, now=now
            )
    except REFUSED as fault:
        return await _form(request, visitor, service, None, given, asked.told(fault))
    return flash.back(request, f"{PLACE}/{made.id}", "Nobody is paged for it meanwhile.")


@router.get("/{window_id}")
async def show(
    request: Request, visitor: VisitorDep, service: ServiceDep, window_id: KeyPath
) -> Response:
    async with service.database.reading() as session:
        shown = await maintenance_window_service.require(session, window_id)
    shown = shown.seen_at(visitor.now)
    zone = visitor.user.time_zone
    given = {
        "title": shown.title,
        "description": shown.description or "",
        "starts_at": asked.on_clock(shown.starts_at, zone),
        "ends_at": asked.on_clock(shown.ends_at, zone),
        "service_ids[]": [str(one.id) for one in shown.services],
        **meanwhile.seen(shown),
    }
    return await _form(request, visitor, service, shown, given, {})


@router.post("/{window_id}")
async def edit(
    request: Request, visitor: RespondingDep, service: ServiceDep, window_id: KeyPath
) -> Response:
    given = await incident_form.typed(request)
    async with service.database.reading() as session:
        shown = await maintenance_window_service.require(session, window_id)
    shown = shown.seen_at(visitor.now)
    wanted = _body(given, visitor)
    wanted.pop("is_for_everything")
    if shown.is_for_everything:
        wanted.pop("service_ids")
    if wanted["starts_at"] is None or shown.status is WindowStatus.RUNNING:
        wanted.pop("starts_at")
    try:
        body = incident_form.shaped(MaintenanceWindowUpdate, wanted, given)
        fields = body.model_dump(exclude_unset=True, exclude={"service_ids"})
        async with service.database.writing() as session:
            now = await transaction_time(session)
            held = await crud_maintenance_window.lock(session, window_id)
            if held is not None:
                meanwhile.require_same(given, held)
            await maintenance_window_service.update(
                session, window_id, fields, body.service_ids, by=visitor.user, now=now
            )
    except REFUSED as fault:
        return await _form(request, visitor, service, shown, given, asked.told(fault))
    return flash.back(request, f"{PLACE}/{window_id}", "Your changes are saved.")


@router.post("/{window_id}/end")
async def end(
    request: Request, visitor: RespondingDep, service: ServiceDep, window_id: KeyPath
) -> Response:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await maintenance_window_service.end(session, window_id, by=visitor.user, now=now)
    return flash.back(request, PLACE, "It has ended. Whoever waited for it is paged now.")


@router.post("/{window_id}/cancel")
async def cancel(
    request: Request, visitor: RespondingDep, service: ServiceDep, window_id: KeyPath
) -> Response:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await maintenance_window_service.cancel(session, window_id, by=visitor.user, now=now)
    return flash.back(request, PLACE, "It is cancelled.")


def _body(given: Typed, visitor: Visitor) -> dict[str, Any]:
    zone = visitor.user.time_zone
    ids = [number for word in given.get("service_ids[]", ()) if (number := asked.number(word))]
    return {
        "title": given.get("title", ""),
        **asked.texts(given, "description"),
        "starts_at": asked.moment(given.get("starts_at"), zone),
        "ends_at": asked.moment(given.get("ends_at"), zone) or "",
        "service_ids": ids,
        "is_for_everything": given.get("is_for_everything") == "true",
    }


async def _form(
    request: Request,
    visitor: Visitor,
    service: Service,
    shown: MaintenanceWindow | None,
    given: Mapping[str, Any],
    errors: Mapping[str, str],
) -> Response:
    async with service.database.reading() as session:
        offered = await choices.offered(session, now=visitor.now)
    services = asked.offers(offered.services)
    known = {key for key, _ in services}
    chosen = [one for one in given.get("service_ids[]", []) if one]
    kept = {str(one.id): one.name for one in shown.services} if shown else {}
    services += [(key, kept.get(key, f"#{key}")) for key in chosen if key not in known]
    return render(
        request,
        visitor,
        "maintenance_windows/edit.html",
        status=422 if errors else 200,
        shown=shown,
        is_alive=shown is None or shown.status in ALIVE,
        given=given,
        chosen=chosen,
        errors=errors,
        services=services,
        statuses=STATUSES,
    )
