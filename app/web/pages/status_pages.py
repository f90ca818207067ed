"""The public page's own settings: what it is called, and which components it has in which order."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import ServiceDep
from app.crud import crud_public_incident, crud_status_component, crud_status_page
from app.crud.base import Window
from app.crud.crud_public_incident import PublicIncidentFilter
from app.db.session import transaction_time
from app.domain.incident import Severity
from app.domain.status_component import ComponentStatus
from app.models import ComponentGroup, StatusComponent, StatusPage
from app.schemas.status_page import StatusPageUpdate
from app.services import status_page as status_page_service
from app.web import asked, flash, forms, incident_form, listing, meanwhile
from app.web.asked import REFUSED
from app.web.deps import AdminDep, Visitor, VisitorDep
from app.web.templating import render

router = APIRouter(prefix="/status-page", include_in_schema=False, route_class=BoundedRoute)

PLACE = "/status-page"
TEXTS = ("url", "description", "support_url")
STATUSES = {
    ComponentStatus.OPERATIONAL.value: "Operational",
    ComponentStatus.DEGRADED_PERFORMANCE.value: "Degraded performance",
    ComponentStatus.PARTIAL_OUTAGE.value: "Partial outage",
    ComponentStatus.MAJOR_OUTAGE.value: "Major outage",
    ComponentStatus.UNDER_MAINTENANCE.value: "Under maintenance",
}


@router.get("")
async def show(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    async with service.database.reading() as session:
        page = await crud_status_page.get(session)
        groups = await crud_status_component.list_groups(session)
        components = await crud_status_component.list_all(session)
    there = [one for one in components if one.deleted_at is None]
    known = {group.id for group in groups}
    grouped: list[tuple[ComponentGroup | None, list[StatusComponent]]] = [
        (group, [one for one in there if one.group_id == group.id]) for group in groups
    ]
    grouped.append((None, [one for one in there if one.group_id not in known]))
    return render(
        request,
        visitor,
        "status_page/show.html",
        page=page,
        grouped=grouped,
        is_empty=not there and not groups,
        statuses=STATUSES,
    )


@router.get("/incidents")
async def show_incidents(
    request: Request, visitor: VisitorDep, service: ServiceDep
) -> HTMLResponse:
    """What of incidents the public was told, newest first."""
    number = listing.page_of(request)
    window = Window(listing.PER_PAGE, number)
    async with service.database.reading() as session:
        found = await crud_public_incident.list_page(session, PublicIncidentFilter(), window)
    shown = listing.shown(found, number)
    return render(request, visitor, "status_page/incidents.html", found=shown)


@router.get("/edit")
async def show_edit(request: Request, visitor: AdminDep, service: ServiceDep) -> Response:
    async with service.database.reading() as session:
        page = await crud_status_page.get(session)
    return _form(request, visitor, _given(page), {})


@router.post("/edit")
async def edit(request: Request, visitor: AdminDep, service: ServiceDep) -> Response:
    given = await forms.given(request)
    try:
        body = incident_form.shaped(StatusPageUpdate, _body(given), given)
        fields = body.model_dump(mode="json", exclude_unset=True)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            written = await status_page_service.update(session, fields, now=now)
            meanwhile.require_next(given, written)
    except REFUSED as fault:
        return _form(request, visitor, given, asked.told(fault))
    return flash.back(request, PLACE, "Your changes are on the page.")


def _given(page: StatusPage) -> dict[str, Any]:
    given: dict[str, Any] = {name: getattr(page, name) or "" for name in ("name", *TEXTS)}
    given |= {"time_zone": page.time_zone, "shows_authors": str(page.shows_authors).lower()}
    given |= meanwhile.seen(page)
    return given | {f"minutes.{one}": page.update_minutes.get(one.value, "") for one in Severity}


def _body(given: dict[str, Any]) -> dict[str, Any]:
    minutes = {one.value: asked.typed_number(given.get(f"minutes.{one}")) for one in Severity}
    return {
        "name": given.get("name", ""),
        "time_zone": given.get("time_zone", ""),
        "shows_authors": given.get("shows_authors") == "true",
        "update_minutes": {name: value for name, value in minutes.items() if value is not None},
        **asked.texts(given, *TEXTS),
    }


def _form(
    request: Request, visitor: Visitor, given: Mapping[str, Any], errors: Mapping[str, str]
) -> Response:
    return render(
        request,
        visitor,
        "status_page/edit.html",
        status=422 if errors else 200,
        given=given,
        errors=errors,
    )
