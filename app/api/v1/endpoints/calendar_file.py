"""The calendar behind a secret address. Nobody logs in here: calendar programs have no login."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from app.api.bounds import BoundedRoute
from app.api.deps import ServiceDep
from app.api.documented import NAMED_REQUEST
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, TAG
from app.api.state import Service
from app.db.session import transaction_time
from app.services import calendar_feed as calendar_feed_service
from app.services.calendar_feed import Shown

router = APIRouter(prefix="/calendar", tags=["calendars"], route_class=BoundedRoute)

TYPE = "text/calendar"
EXAMPLE = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Tocsin//On call//EN\r\nEND:VCALENDAR\r\n"
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "An iCalendar file (RFC 5545): 30 days back, 180 ahead.",
        "content": {TYPE: {"schema": {"type": "string"}, "example": EXAMPLE}},
    }
}
HEADERS = {
    "Cache-Control": "private, no-cache",  # kept by whoever asked, and asked for again each time
    "Content-Disposition": 'inline; filename="on-call.ics"',
}


@router.get(
    "/{token}.ics",
    response_class=Response,
    responses={**FILE, **NOT_MODIFIED, **answers(404, 422)},
    dependencies=CONDITIONAL,
    openapi_extra={"parameters": [NAMED_REQUEST]},
)
async def read_calendar_file(
    request: Request,
    service: ServiceDep,
    token: Annotated[str, Path(max_length=100, description="What the feed’s address ends in.")],
) -> Response:
    """The shifts of a feed, as calendar programs subscribe to them.

    Ask again with `If-None-Match`, and the answer is 304 while nothing has changed.
    """
    shown = await _show(service, token, host=_host(service, request))
    headers = {**HEADERS, "ETag": f'"{shown.tag}"'}
    offered = request.headers.get("if-none-match", "")
    if offered == "*" or shown.tag in TAG.findall(offered):
        return Response(status_code=304, headers=headers)
    return Response(shown.body, media_type=f"{TYPE}; charset=utf-8", headers=headers)


async def _show(service: Service, token: str, *, host: str) -> Shown:
    async with service.database.reading() as session:
        now = await transaction_time(session)
        shown = await calendar_feed_service.show(session, token, host=host, now=now)
    if not shown.is_noted:
        async with service.database.writing() as session:
            await calendar_feed_service.note_use(session, shown.feed_id, now=now)
    return shown


def _host(service: Service, request: Request) -> str:
    """What the names of shifts end in: this installation."""
    base = service.settings.public_url or str(request.base_url)
    return base.partition("://")[2].partition("/")[0].partition(":")[0] or "tocsin"
