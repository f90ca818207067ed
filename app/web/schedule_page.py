"""The page of a schedule, drawn: by itself, and again with what was wrong in one of its forms."""

from collections.abc import Mapping
from datetime import timedelta

from fastapi import Request
from fastapi.responses import HTMLResponse

from app.api.state import Service
from app.crud import crud_calendar_feed
from app.crud.base import Window
from app.web import choices, listing, rota_chart, schedule_view
from app.web.deps import Visitor
from app.web.rota_chart import WEEKS
from app.web.templating import render

MOST_FEEDS = 20
FOR_HOW_LONG = (
    ("", "Until the next hand-off"),
    ("60", "1 hour"),
    ("120", "2 hours"),
    ("240", "4 hours"),
    ("480", "8 hours"),
    ("1440", "1 day"),
)


async def shown(
    request: Request,
    visitor: Visitor,
    service: Service,
    schedule_id: int,
    *,
    block: str | None = None,
    given: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    feed_url: str | None = None,
) -> HTMLResponse:
    """The page; `errors` are those of the form for an override. A feed's address is shown once."""
    wanted = schedule_view.asked(request)
    async with service.database.reading() as session:
        seen = await schedule_view.look(session, visitor, schedule_id, wanted)
        offered = await choices.offered(session, now=visitor.now)
        mine = None if visitor.may_administer else visitor.user.id
        feeds = await crud_calendar_feed.list_page(session, mine, schedule_id, Window(MOST_FEEDS))
    first = rota_chart.first_day(seen.wall, visitor.now, wanted.first)
    return render(
        request,
        visitor,
        "schedules/show.html",
        block=block,
        status=422 if errors else 200,
        seen=seen,
        schedule=seen.schedule,
        chart=seen.chart,
        wall=seen.wall,
        asked=wanted,
        weeks=WEEKS,
        earlier=first - timedelta(weeks=wanted.weeks),
        later=first + timedelta(weeks=wanted.weeks),
        last=first + timedelta(weeks=wanted.weeks, days=-1),
        first=first,
        hours=rota_chart.hours,
        people=listing.people(offered.users)[1:],
        for_how_long=FOR_HOW_LONG,
        feeds=[one for one in feeds.items if one.revoked_at is None],
        feed_url=feed_url,
        given=given if given is not None else _prefilled(request, seen),
        errors=errors or {},
    )


def _prefilled(request: Request, seen: schedule_view.Seen) -> dict[str, str]:
    """The form for an override, as the address fills it: the span of a bar, say."""
    query = request.query_params
    return {name: query.get(name, "")[:32] for name in ("starts_at", "ends_at", "replaces")}
