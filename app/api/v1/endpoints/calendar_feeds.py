"""Secret addresses for calendar programs: of one’s own shifts, and of a schedule’s."""

from typing import Any

from fastapi import APIRouter, Request, Response

from app.api.deps import (
    CurrentUser,
    InPerson,
    KeyPath,
    Now,
    Paging,
    ReadSession,
    ServiceDep,
    WriteSession,
)
from app.api.errors import answers
from app.api.idempotency import Once, replays
from app.api.resource_route import ResourceRoute
from app.api.state import Service
from app.crud import crud_calendar_feed
from app.domain.user import Permission
from app.models import User
from app.schemas.base import PageRead
from app.schemas.calendar_feed import CalendarFeedCreate, CalendarFeedCreated, CalendarFeedRead
from app.services import calendar_feed as calendar_feed_service
from app.services.calendar_feed import NewFeed

router = APIRouter(tags=["calendars"], route_class=ResourceRoute)
MINE = "/users/me/calendar-feeds"
OF_SCHEDULE = "/schedules/{schedule_id}/calendar-feeds"


@router.get(MINE, response_model=PageRead[CalendarFeedRead], responses=answers(401, 403, 422))
async def list_my_calendar_feeds(
    user: CurrentUser, session: ReadSession, paging: Paging
) -> dict[str, Any]:
    """List the feeds of one’s own shifts, newest first, those that are over included."""
    return paging.shown(await crud_calendar_feed.list_page(session, user.id, None, paging.window))


@router.post(
    MINE,
    response_model=CalendarFeedCreated,
    status_code=201,
    responses=answers(401, 403, 409, 413, 422) | replays(CalendarFeedRead),
)
async def create_my_calendar_feed(
    request: Request,
    service: ServiceDep,
    user: InPerson,
    session: WriteSession,
    body: CalendarFeedCreate,
    now: Now,
    _: Once,
) -> CalendarFeedCreated:
    """Make an address under which a calendar program finds all one’s shifts, of every schedule.

    The answer shows it, this once. Subscribe to it in the calendar program.
    """
    made = await calendar_feed_service.create(
        session, body.name, service.signer, owner=user, now=now
    )
    return _shown(made, service, request)


@router.delete(MINE + "/{feed_id}", status_code=204, responses=answers(401, 403, 404, 422))
async def revoke_my_calendar_feed(
    user: InPerson, session: WriteSession, feed_id: KeyPath, now: Now
) -> Response:
    """End a feed: its address shows nothing from now on. An admin may end anybody’s."""
    await calendar_feed_service.revoke(session, feed_id, by=user, schedule_id=None, now=now)
    return Response(status_code=204)


@router.get(
    OF_SCHEDULE,
    response_model=PageRead[CalendarFeedRead],
    responses=answers(401, 403, 404, 422),
)
async def list_schedule_calendar_feeds(
    user: CurrentUser, session: ReadSession, schedule_id: KeyPath, paging: Paging
) -> dict[str, Any]:
    """List one’s feeds of a schedule, everybody’s for an admin, newest first."""
    await calendar_feed_service.require_schedule(session, schedule_id)
    return paging.shown(
        await crud_calendar_feed.list_page(session, _owner(user), schedule_id, paging.window)
    )


@router.post(
    OF_SCHEDULE,
    response_model=CalendarFeedCreated,
    status_code=201,
    responses=answers(401, 403, 404, 409, 413, 422) | replays(CalendarFeedRead),
)
async def create_schedule_calendar_feed(
    request: Request,
    service: ServiceDep,
    user: InPerson,
    session: WriteSession,
    schedule_id: KeyPath,
    body: CalendarFeedCreate,
    now: Now,
    _: Once,
) -> CalendarFeedCreated:
    """Make an address under which a calendar program finds everybody’s shifts of a schedule.

    The answer shows it, this once.
    """
    made = await calendar_feed_service.create(
        session, body.name, service.signer, owner=user, schedule_id=schedule_id, now=now
    )
    return _shown(made, service, request)


@router.delete(OF_SCHEDULE + "/{feed_id}", status_code=204, responses=answers(401, 403, 404, 422))
async def revoke_schedule_calendar_feed(
    user: InPerson, session: WriteSession, schedule_id: KeyPath, feed_id: KeyPath, now: Now
) -> Response:
    """End a feed of one’s own, or anybody’s for an admin."""
    await calendar_feed_service.revoke(session, feed_id, by=user, schedule_id=schedule_id, now=now)
    return Response(status_code=204)


def _owner(user: User) -> int | None:
    """Whose feeds somebody sees; None: everybody’s."""
    return None if user.may(Permission.ADMINISTER) else user.id


def _shown(made: NewFeed, service: Service, request: Request) -> CalendarFeedCreated:
    base = (service.settings.public_url or str(request.base_url)).rstrip("/")
    url = f"{base}/v1/calendar/{made.token}{calendar_feed_service.SUFFIX}"
    shown = CalendarFeedRead.model_validate(made.row)
    return CalendarFeedCreated(**shown.model_dump(), url=url)
