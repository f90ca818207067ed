"""Calendars of others that schedules follow: how well each is known, and what is to mend.

A calendar's address is a secret: no page shows more of it than its host, and a form that leaves it
empty keeps it.
"""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from starlette.datastructures import UploadFile

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service
from app.core.errors import NotFoundError, TocsinError
from app.crud import crud_calendar, crud_calendar_shift
from app.crud.base import Span, Window
from app.db.session import transaction_time
from app.domain.calendar import CalendarKind, CalendarState
from app.domain.time_zone import time_zones
from app.schemas.calendar import CalendarCreate, CalendarUpdate
from app.services import calendar as calendar_service
from app.web import flash, forms, listing, schedule_view
from app.web.deps import AdminDep, Visitor, VisitorDep
from app.web.forms import FormFault
from app.web.templating import render
from app.web.wall import wall_of

router = APIRouter(prefix="/calendars", include_in_schema=False, route_class=BoundedRoute)

KINDS = {
    CalendarKind.HOLIDAYS.value: "Holidays",
    CalendarKind.ON_CALL.value: "Who is on call",
}
STATES = {
    CalendarState.WAITING.value: ("pending", "Not read yet"),
    CalendarState.OK.value: ("ok", "Well"),
    CalendarState.FAILING.value: ("lost", "Failing"),
}
SOON = 20  # of its entries


@router.get("")
async def show_list(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    number = listing.page_of(request)
    async with service.database.reading() as session:
        found = await crud_calendar.list_page(session, Window(listing.PER_PAGE, number))
    return render(
        request,
        visitor,
        "calendars/list.html",
        found=listing.shown(found, number),
        kinds=KINDS,
        states=STATES,
    )


@router.get("/new")
async def show_new(request: Request, visitor: AdminDep) -> Response:
    given = {"kind": CalendarKind.HOLIDAYS.value, "time_zone": visitor.user.time_zone}
    return _new(request, visitor, given, {})


@router.post("/new")
async def create(request: Request, visitor: AdminDep, service: ServiceDep) -> Response:
    given = await _given(request)
    try:
        body = forms.shaped(CalendarCreate, _filled(given), given)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            made = await calendar_service.create(
                session, body.model_dump(), service.objection, by=visitor.user, now=now
            )
            number = made.id
    except FormFault as fault:
        return _new(request, visitor, given, fault.errors)
    except TocsinError as error:
        return _new(request, visitor, given, forms.faults_of(error))
    return flash.back(request, f"/calendars/{number}", "The calendar is followed.")


@router.get("/{calendar_id}")
async def show(
    request: Request, visitor: VisitorDep, service: ServiceDep, calendar_id: KeyPath
) -> Response:
    return await _shown(request, visitor, service, calendar_id, None, {})


@router.post("/{calendar_id}")
async def update(
    request: Request, visitor: AdminDep, service: ServiceDep, calendar_id: KeyPath
) -> Response:
    given = await _given(request)
    try:
        body = forms.shaped(CalendarUpdate, _filled(given), given)
        fields = body.model_dump(exclude_unset=True)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            await calendar_service.update(session, calendar_id, fields, service.objection, now=now)
    except FormFault as fault:
        return await _shown(request, visitor, service, calendar_id, given, fault.errors)
    except NotFoundError:
        raise
    except TocsinError as error:
        errors = forms.faults_of(error)
        return await _shown(request, visitor, service, calendar_id, given, errors)
    return flash.back(request, f"/calendars/{calendar_id}", "Your changes are saved.")


@router.post("/{calendar_id}/refresh")
async def refresh(
    request: Request, visitor: AdminDep, service: ServiceDep, calendar_id: KeyPath
) -> Response:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await calendar_service.refresh(session, calendar_id, now=now)
    said = "It is being fetched; what came of it shows here in a moment."
    return flash.back(request, f"/calendars/{calendar_id}", said)


@router.post("/{calendar_id}/delete")
async def delete(
    request: Request, visitor: AdminDep, service: ServiceDep, calendar_id: KeyPath
) -> Response:
    try:
        async with service.database.writing() as session:
            now = await transaction_time(session)
            await calendar_service.remove(session, calendar_id, now=now)
    except NotFoundError:
        raise
    except TocsinError as error:
        return flash.back(request, f"/calendars/{calendar_id}", error.message)
    return flash.back(request, "/calendars", "The calendar is followed no longer.")


async def _given(request: Request) -> dict[str, str]:
    """What was typed; a file that was chosen stands for its text."""
    given = await forms.given(request)
    file = (await request.form()).get("file")
    if isinstance(file, UploadFile):
        body = await file.read()
        if body:
            given["ical"] = body.decode("utf-8-sig", errors="replace")
    return {name: text for name, text in given.items() if name not in ("csrf", "file")}


def _filled(given: dict[str, str]) -> dict[str, Any]:
    return {name: text for name, text in given.items() if text.strip()}


def _new(
    request: Request, visitor: Visitor, given: dict[str, str], errors: dict[str, str]
) -> HTMLResponse:
    return render(
        request,
        visitor,
        "calendars/new.html",
        status=422 if errors else 200,
        given=given,
        errors=errors,
        kinds=KINDS,
        zones=sorted(time_zones()),
    )


async def _shown(
    request: Request,
    visitor: Visitor,
    service: Service,
    calendar_id: int,
    given: dict[str, str] | None,
    errors: dict[str, str],
) -> HTMLResponse:
    async with service.database.reading() as session:
        found = await calendar_service.detail(session, calendar_id, now=visitor.now)
        coming = await crud_calendar_shift.list_page(
            session, calendar_id, Span(visitor.now, None), Window(SOON, order="starts_at")
        )
        followers = await crud_calendar.followers(session, calendar_id, now=visitor.now)
        names = await schedule_view.names_of(session, [one.user_id for one in coming.items])
    calendar = found.calendar
    if given is None:
        given = {"name": calendar.name, "time_zone": calendar.time_zone}
    return render(
        request,
        visitor,
        "calendars/show.html",
        status=422 if errors else 200,
        calendar=calendar,
        detail=found,
        coming=coming.items,
        followers=followers,
        names=names,
        given=given,
        errors=errors,
        kinds=KINDS,
        states=STATES,
        zones=sorted(time_zones()),
        wall=wall_of(visitor.user.time_zone),
    )
