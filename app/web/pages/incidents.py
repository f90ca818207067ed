"""Incidents: the list that scans in a second, and the page of one."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service
from app.core.paging import BIGGEST_KEY
from app.crud import crud_incident_list, crud_incident_page, crud_user
from app.crud.base import Slice
from app.crud.crud_incident_page import Telling
from app.db.session import ReadSession
from app.domain.incident import AssignmentRole, IncidentStatus, Severity
from app.web import choices, incident_query, incident_rows, incident_view
from app.web.deps import VisitorDep
from app.web.incident_query import SORTS, SPANS, Listing
from app.web.templating import render

router = APIRouter(prefix="/incidents", include_in_schema=False, route_class=BoundedRoute)

TABS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Unresolved", {}),
    ("Mine", {"assignee": "me"}),
    ("Nobody’s", {"assignee": "none"}),
    ("Resolved", {"status": ["resolved"]}),
    ("All", {"status": ["any"]}),
)


@router.get("")
async def show_list(
    request: Request, visitor: VisitorDep, service: ServiceDep, part: str = ""
) -> HTMLResponse:
    async with service.database.reading() as session:
        asked = await incident_query.listing(session, service, request, visitor)
        people = await _names(session, asked.given)
        chips = await incident_query.chips(session, asked.given, people)
        offered = None if part == "rows" else await choices.offered(session, now=visitor.now)
    found = await _page(service, asked)
    async with service.database.reading() as session:
        ids = [one.id for one in found["items"]]
        due = await crud_incident_page.next_steps(session, ids) if ids else {}
    return render(
        request,
        visitor,
        "incidents/list.html",
        block="rows" if part == "rows" else None,
        found=found,
        asked=asked,
        chips=chips,
        due=due,
        tabs=TABS,
        sorts=SORTS,
        spans=SPANS,
        severities=list(Severity),
        statuses=list(IncidentStatus),
        is_after_first="cursor" in request.query_params,
        offered=offered,
    )


@router.get("/{incident_id}")
async def show(
    request: Request,
    visitor: VisitorDep,
    service: ServiceDep,
    incident_id: KeyPath,
    part: str = "",
    told: str = "",
    before: str = "",
) -> HTMLResponse:
    by_people = {"people": True, "machine": False}.get(told)
    which = Telling(_place(before), by_people)
    values: dict[str, Any] = {"told": told if by_people is not None else "", "before": before}
    if part in ("story", "alerts"):  # which need little of what the page needs
        async with service.database.reading() as session:
            values["incident"] = await incident_view.require(session, incident_id)
            if part == "story":
                values["story"] = await incident_view.tell(session, visitor, incident_id, which)
            else:
                values["alerts"] = await incident_view.alerts_of(
                    session, incident_id, now=visitor.now
                )
        return render(request, visitor, "incidents/show.html", block=part, **values)
    seen = await incident_view.look(service, visitor, incident_id)
    async with service.database.reading() as session:
        if part != "beside":
            values["story"] = await incident_view.tell(session, visitor, incident_id, which)
        values["offered"] = await choices.offered(session, now=visitor.now)
    return render(
        request,
        visitor,
        "incidents/show.html",
        block="beside" if part == "beside" else None,
        seen=seen,
        incident=seen.incident,
        alerts=seen.alerts,
        naps=choices.naps(visitor),
        roles=list(AssignmentRole),
        **values,
    )


def _place(before: str) -> int | None:
    """The entry of a story that it goes on before; None for what is no number."""
    is_number = before.isascii() and before.isdigit() and len(before) <= 16
    return int(before) if is_number and int(before) <= BIGGEST_KEY else None


async def _page(service: Service, asked: Listing) -> dict[str, Any]:
    """The rows as objects; what a team without services has is nothing."""
    if asked.is_impossible:
        return asked.paging.shown(Slice([], 0, total_is_bound=False, next_after=None))
    found = await crud_incident_list.list_page(service.database, asked.where, asked.paging.window)
    return asked.paging.shown(found) | {"items": incident_rows.rows(found.items)}


async def _names(session: ReadSession, given: Mapping[str, Any]) -> Mapping[int, str]:
    assignee = given.get("assignee", "")
    found = await crud_user.by_ids(session, [int(assignee)]) if assignee.isdigit() else {}
    return {key: person.display_name for key, person in found.items()}
