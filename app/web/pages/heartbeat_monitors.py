"""Heartbeats at the console: what must be heard of, whether it was, and the line to paste."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep, acting
from app.crud import crud_heartbeat_monitor
from app.crud.base import Window
from app.crud.crud_heartbeat_monitor import HeartbeatOrder
from app.db.session import transaction_time
from app.domain.heartbeat_monitor import MonitorState
from app.schemas.heartbeat_monitor import HeartbeatCreate, HeartbeatRead, HeartbeatUpdate
from app.services import heartbeat_monitor as heartbeat_monitor_service
from app.web import asked, flash, forms, listing, meanwhile
from app.web.asked import REFUSED
from app.web.deps import AdminDep, Visitor, VisitorDep
from app.web.templating import render

router = APIRouter(prefix="/heartbeats", include_in_schema=False, route_class=BoundedRoute)

PLACE = "/heartbeats"
STATES = {
    "": "All",
    MonitorState.DOWN.value: "Down",
    MonitorState.LATE.value: "Late",
    MonitorState.UP.value: "Up",
    MonitorState.NEW.value: "Never heard of",
    MonitorState.PAUSED.value: "Paused",
}
FIELDS = ("name", "description", "service", "severity", "interval_seconds", "grace_seconds")
FEW = 20


@router.get("")
async def show_list(
    request: Request, visitor: VisitorDep, service: ServiceDep, state: str = ""
) -> HTMLResponse:
    states = asked.among([state], MonitorState)
    window = Window(listing.PER_PAGE, listing.page_of(request), order=HeartbeatOrder.NAME)
    async with service.database.reading() as session:
        found = await crud_heartbeat_monitor.list_page(session, states, (), window, now=visitor.now)
    shown = listing.shown(found, window.page)
    shown["rows"] = [HeartbeatRead.at(one, visitor.now) for one in found.items]
    return render(
        request,
        visitor,
        "heartbeats/list.html",
        found=shown,
        state=state if states else "",
        states=STATES,
    )


@router.get("/new")
async def show_new(request: Request, visitor: AdminDep) -> Response:
    given = {"severity": "high", "interval_seconds": 86_400, "grace_seconds": 1_800}
    return _form(request, visitor, None, {**given, "is_active": "true"}, {})


@router.post("/new")
async def create(request: Request, visitor: AdminDep, service: ServiceDep) -> Response:
    given = await forms.given(request)
    try:
        body = await forms.read(request, HeartbeatCreate)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            made = await heartbeat_monitor_service.create(
                session, body.model_dump(), actor=acting(visitor.user), now=now
            )
            monitor, token = HeartbeatRead.at(made.monitor, now), made.token
    except REFUSED as fault:
        return _form(request, visitor, None, given, asked.told(fault))
    url = f"{asked.own_address(service, request)}/v1/ping/{token}"
    return render(request, visitor, "heartbeats/address.html", monitor=monitor, url=url)


@router.get("/{heartbeat_id}")
async def show(
    request: Request, visitor: VisitorDep, service: ServiceDep, heartbeat_id: KeyPath
) -> HTMLResponse:
    async with service.database.reading() as session:
        found = await heartbeat_monitor_service.require(session, heartbeat_id)
        monitor = HeartbeatRead.at(found, visitor.now)
        pings = await crud_heartbeat_monitor.pings(session, heartbeat_id)
        outages = await crud_heartbeat_monitor.list_outages(session, heartbeat_id, Window(FEW))
    return render(
        request,
        visitor,
        "heartbeats/show.html",
        monitor=monitor,
        pings=pings,
        outages=outages,
        states=STATES,
        url=f"{asked.own_address(service, request)}/v1/ping/{monitor.hint}…",
    )


@router.get("/{heartbeat_id}/edit")
async def show_edit(
    request: Request, visitor: AdminDep, service: ServiceDep, heartbeat_id: KeyPath
) -> Response:
    async with service.database.reading() as session:
        monitor = await heartbeat_monitor_service.require(session, heartbeat_id)
    given = {name: getattr(monitor, name) or "" for name in FIELDS}
    given |= {"is_active": str(monitor.is_active).lower(), **meanwhile.seen(monitor)}
    return _form(request, visitor, heartbeat_id, given, {})


@router.post("/{heartbeat_id}/edit")
async def edit(
    request: Request, visitor: AdminDep, service: ServiceDep, heartbeat_id: KeyPath
) -> Response:
    given = await forms.given(request)
    try:
        body = await forms.read(
            request, HeartbeatUpdate, empties=("name", "description", "service")
        )
        fields = body.model_dump(exclude_unset=True)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            written = await heartbeat_monitor_service.update(session, heartbeat_id, fields, now=now)
            meanwhile.require_next(given, written)
    except REFUSED as fault:
        return _form(request, visitor, heartbeat_id, given, asked.told(fault))
    return flash.back(request, f"{PLACE}/{heartbeat_id}", "Your changes are saved.")


@router.post("/{heartbeat_id}/rotate")
async def rotate(
    request: Request, visitor: AdminDep, service: ServiceDep, heartbeat_id: KeyPath
) -> Response:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        made = await heartbeat_monitor_service.rotate(session, heartbeat_id, now=now)
        monitor, token = HeartbeatRead.at(made.monitor, now), made.token
    url = f"{asked.own_address(service, request)}/v1/ping/{token}"
    return render(request, visitor, "heartbeats/address.html", monitor=monitor, url=url)


@router.post("/{heartbeat_id}/delete")
async def delete(
    request: Request, visitor: AdminDep, service: ServiceDep, heartbeat_id: KeyPath
) -> Response:
    async with service.database.writing() as session:
        await heartbeat_monitor_service.remove(session, heartbeat_id)
    return flash.back(request, PLACE, "Nothing is expected of it any more.")


def _form(
    request: Request,
    visitor: Visitor,
    heartbeat_id: int | None,
    given: dict[str, Any],
    errors: dict[str, str],
) -> Response:
    return render(
        request,
        visitor,
        "heartbeats/edit.html",
        status=422 if errors else 200,
        heartbeat_id=heartbeat_id,
        given=given,
        errors=errors,
    )
