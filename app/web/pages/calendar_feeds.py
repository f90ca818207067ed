"""The secret address under which a calendar program finds one's own shifts."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service
from app.crud import crud_calendar_feed
from app.crud.base import Window
from app.db.session import transaction_time
from app.schemas.calendar_feed import CalendarFeedCreate
from app.services import calendar_feed as calendar_feed_service
from app.web import asked, flash, forms, listing
from app.web.asked import REFUSED
from app.web.deps import Visitor, VisitorDep
from app.web.templating import render

router = APIRouter(prefix="/profile/calendar", include_in_schema=False, route_class=BoundedRoute)

PLACE = "/profile/calendar"


@router.get("")
async def show(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    return await _page(request, visitor, service)


@router.post("")
async def create(request: Request, visitor: VisitorDep, service: ServiceDep) -> Response:
    try:
        body = await forms.read(request, CalendarFeedCreate)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            made = await calendar_feed_service.create(
                session, body.name, service.signer, owner=visitor.user, now=now
            )
            token = made.token
    except REFUSED as fault:
        return await _page(request, visitor, service, asked.told(fault))
    base = asked.own_address(service, request)
    url = f"{base}/v1/calendar/{token}{calendar_feed_service.SUFFIX}"
    return render(request, visitor, "profile/feed.html", name=body.name, url=url)


@router.post("/{feed_id}/revoke")
async def revoke(
    request: Request, visitor: VisitorDep, service: ServiceDep, feed_id: KeyPath
) -> Response:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await calendar_feed_service.revoke(
            session, feed_id, by=visitor.user, schedule_id=None, now=now
        )
    return flash.back(request, PLACE, "The address shows nothing any more.")


async def _page(
    request: Request,
    visitor: Visitor,
    service: Service,
    errors: dict[str, str] | None = None,
) -> HTMLResponse:
    number = listing.page_of(request)
    async with service.database.reading() as session:
        found = await crud_calendar_feed.list_page(
            session, visitor.user.id, None, Window(listing.PER_PAGE, number)
        )
    return render(
        request,
        visitor,
        "profile/calendar.html",
        status=422 if errors else 200,
        found=listing.shown(found, number),
        errors=errors or {},
    )
