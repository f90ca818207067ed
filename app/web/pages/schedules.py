"""Schedules: who is on call by each and where the holes are; the calendar of one; one's own
shifts; and what was on call when."""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service
from app.core.errors import TocsinError
from app.crud import crud_calendar_feed, crud_schedule, crud_schedule_list
from app.crud.base import Window
from app.crud.crud_schedule_list import ScheduleFilter, ScheduleOrder
from app.domain.timeline import Interval, gaps
from app.services import on_call as on_call_service
from app.services import schedule as schedule_service
from app.web import choices, forms, listing, schedule_page, schedule_view
from app.web.deps import Visitor, VisitorDep
from app.web.rota_chart import hours
from app.web.templating import render
from app.web.wall import wall_of

router = APIRouter(prefix="/schedules", include_in_schema=False, route_class=BoundedRoute)

HOLES_WITHIN = timedelta(days=14)
MY_SHIFTS_WITHIN = timedelta(days=60)
FEW = 50


@router.get("")
async def show_list(
    request: Request, visitor: VisitorDep, service: ServiceDep, q: str = "", team: str = ""
) -> HTMLResponse:
    number, now = listing.page_of(request), visitor.now
    owner = forms.key_of(team)
    where = ScheduleFilter(now, owner, None, q.strip()[:255] or None)
    window = Window(listing.PER_PAGE, number, order=ScheduleOrder.NAME)
    ahead = Interval(now, now + HOLES_WITHIN)
    async with service.database.reading() as session:
        found = await crud_schedule_list.page(session, where, window)
        duties = await on_call_service.duties(session, found.items, now=now)
        courses = await on_call_service.courses(session, [one.id for one in found.items], ahead)
        teams = (await choices.offered(session, now=now)).teams
        may_make = await schedule_view.may_make(session, visitor.user)
    return render(
        request,
        visitor,
        "schedules/list.html",
        found=listing.shown(found, number),
        duties=duties,
        holes={key: gaps(course, ahead) for key, course in courses.items()},
        hours=hours,
        teams=teams,
        team_names={one.id: one.name for one in teams},
        team="" if owner is None else team,
        q=q[:255],
        may_make=may_make,
    )


@router.get("/mine")
async def show_mine(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    return await mine(request, visitor, service)


async def mine(
    request: Request, visitor: Visitor, service: Service, *, feed_url: str | None = None
) -> HTMLResponse:
    """One's own shifts, and what is asked. The address of a new feed is shown once."""
    now, me = visitor.now, visitor.user.id
    during = Interval(now, now + MY_SHIFTS_WITHIN)
    async with service.database.reading() as session:
        personal = await on_call_service.of_person(session, me, during, now=now)
        requests = await schedule_view.my_requests(session, me, now=now)
        feeds = await crud_calendar_feed.list_page(session, me, None, Window(FEW))
    return render(
        request,
        visitor,
        "schedules/mine.html",
        personal=personal,
        wall=wall_of(visitor.user.time_zone),
        hours=hours,
        feeds=[one for one in feeds.items if one.revoked_at is None],
        feed_url=feed_url,
        **requests,
    )


@router.get("/{schedule_id}")
async def show(
    request: Request,
    visitor: VisitorDep,
    service: ServiceDep,
    schedule_id: KeyPath,
    part: str = "",
) -> HTMLResponse:
    """The calendar, and all that can be done about it."""
    return await schedule_page.shown(
        request, visitor, service, schedule_id, block="now" if part == "now" else None
    )


@router.get("/{schedule_id}/history")
async def show_history(
    request: Request,
    visitor: VisitorDep,
    service: ServiceDep,
    schedule_id: KeyPath,
    at: str = "",
    known_at: str = "",
) -> HTMLResponse:
    """Who was on call at a time, as known then or at another one; and each version there was."""
    number = listing.page_of(request)
    wall = wall_of(visitor.user.time_zone)
    values: dict[str, Any] = {"answer": None, "errors": {}}
    async with service.database.reading() as session:
        schedule = await schedule_service.require(session, schedule_id)
        window = Window(listing.PER_PAGE, number)
        versions = await crud_schedule.versions_page(session, schedule_id, window)
        names = await schedule_view.names_of(session, [one.changed_by for one in versions.items])
        if at:
            try:
                values["answer"] = await on_call_service.at_instant(
                    session,
                    schedule_id,
                    at=wall.read(at),
                    known_at=wall.read(known_at) if known_at else None,
                    now=visitor.now,
                )
            except (ValueError, OverflowError):
                values["errors"] = {"at": "Name a date and a time, such as 2026-01-05T09:00."}
            except TocsinError as error:
                values["errors"] = {str(error.details.get("field", "at")): error.message}
    return render(
        request,
        visitor,
        "schedules/history.html",
        schedule=schedule,
        found=listing.shown(versions, number),
        names=names,
        wall=wall,
        at=at[:32],
        known_at=known_at[:32],
        **values,
    )
