"""The audit log at the console, for admins: who changed what, from what to what."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, StreamingResponse

from app.api import audit_file
from app.api.bounds import BoundedRoute
from app.api.deps import ServiceDep
from app.crud import crud_audit_log, crud_user
from app.crud.base import Window
from app.crud.crud_audit_log import AuditFilter
from app.web import asked, listing
from app.web.deps import AdminDep, Visitor
from app.web.templating import render

router = APIRouter(prefix="/audit", include_in_schema=False, route_class=BoundedRoute)

LONGEST = 128
FILTERS = ("user", "action", "type", "id", "request", "since", "until")


@router.get("")
async def show_list(request: Request, visitor: AdminDep, service: ServiceDep) -> HTMLResponse:
    number = listing.page_of(request)
    query = _query(request)
    where = _filter(query, visitor)
    async with service.database.reading() as session:
        found = await crud_audit_log.list_page(session, where, Window(listing.PER_PAGE, number))
        ids = [where.user_id] if where.user_id else []
        people = await crud_user.by_ids(session, ids)
    return render(
        request,
        visitor,
        "audit/list.html",
        found=listing.shown(found, number),
        query=query,
        whose=next(iter(people.values())).display_name if people else None,
        is_narrowed=any(query.values()),
    )


@router.get("/audit-log.csv")
async def export(request: Request, visitor: AdminDep, service: ServiceDep) -> StreamingResponse:
    return await audit_file.export(service.database, _filter(_query(request), visitor))


def _query(request: Request) -> dict[str, str]:
    given = request.query_params
    return {name: given.get(name, "").replace("\x00", "").strip()[:LONGEST] for name in FILTERS}


def _filter(query: dict[str, str], visitor: Visitor) -> AuditFilter:
    zone = visitor.user.time_zone
    return AuditFilter(
        asked.number(query["user"]),
        query["action"] or None,
        query["type"] or None,
        query["id"] or None,
        query["request"] or None,
        asked.instant(query["since"], zone),
        asked.instant(query["until"], zone),
    )
