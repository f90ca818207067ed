"""What is done about a schedule from its page: somebody put on call instead, the pager taken and
given back, links for calendar programs."""

from datetime import timedelta

from fastapi import APIRouter, Request, Response

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service
from app.core.errors import NotFoundError, TocsinError
from app.db.session import transaction_time
from app.models import ScheduleOverride, TemporarySchedule
from app.schemas.calendar_feed import CalendarFeedCreate
from app.schemas.pager import PagerTake
from app.schemas.schedule import OverrideCreate
from app.services import calendar_feed as calendar_feed_service
from app.services import pager
from app.services import schedule as schedule_service
from app.services import schedule_override as override_service
from app.services.calendar_feed import NewFeed
from app.services.schedule_override import Instead
from app.web import flash, forms, schedule_page, span_form
from app.web.deps import RespondingDep, VisitorDep
from app.web.flash import Undo
from app.web.forms import FormFault
from app.web.pages import schedules

router = APIRouter(prefix="/schedules", include_in_schema=False, route_class=BoundedRoute)


@router.post("/{schedule_id}/overrides")
async def put(
    request: Request, visitor: RespondingDep, service: ServiceDep, schedule_id: KeyPath
) -> Response:
    given = await forms.given(request)
    try:
        wanted = span_form.shaped(OverrideCreate, given, times=("starts_at", "ends_at"))
        async with service.database.writing() as session:
            now = await transaction_time(session)
            instead = Instead(**wanted.model_dump())
            await override_service.put(session, schedule_id, [instead], by=visitor.user, now=now)
    except FormFault as fault:
        errors = fault.errors
    except NotFoundError:
        raise
    except TocsinError as error:
        errors = forms.faults_of(error)
    else:
        return flash.back(request, _place(request, schedule_id), "The calendar says so now.")
    return await schedule_page.shown(
        request, visitor, service, schedule_id, given=given, errors=errors
    )


@router.post("/{schedule_id}/overrides/{override_id}/remove")
async def take_back(
    request: Request,
    visitor: RespondingDep,
    service: ServiceDep,
    schedule_id: KeyPath,
    override_id: KeyPath,
) -> Response:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await override_service.take_back(
            session, ScheduleOverride, schedule_id, override_id, by=visitor.user, now=now
        )
    return flash.back(request, _place(request, schedule_id), "It counts no longer, from now on.")


@router.post("/{schedule_id}/temporary/{temporary_id}/remove")
async def take_temporary_back(
    request: Request,
    visitor: RespondingDep,
    service: ServiceDep,
    schedule_id: KeyPath,
    temporary_id: KeyPath,
) -> Response:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await schedule_service.editable(session, schedule_id, visitor.user)
        await override_service.take_back(
            session, TemporarySchedule, schedule_id, temporary_id, by=visitor.user, now=now
        )
    return flash.back(request, _place(request, schedule_id), "It counts no longer, from now on.")


@router.post("/{schedule_id}/take")
async def take(
    request: Request, visitor: RespondingDep, service: ServiceDep, schedule_id: KeyPath
) -> Response:
    to = _place(request, schedule_id)
    try:
        wanted = await forms.read(request, PagerTake)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            until = wanted.until
            if wanted.for_minutes is not None:
                until = now + timedelta(minutes=wanted.for_minutes)
            await pager.take(session, schedule_id, until=until, by=visitor.user, now=now)
    except FormFault:
        return flash.back(request, to, "Choose one of the spans that are offered.")
    except NotFoundError:
        raise
    except TocsinError as error:
        return flash.back(request, to, error.message)
    return flash.back(request, to, "You have the pager.", undo=(Undo.TAKEN, schedule_id))


@router.post("/{schedule_id}/give-back")
async def give_back(
    request: Request, visitor: RespondingDep, service: ServiceDep, schedule_id: KeyPath
) -> Response:
    to = _place(request, schedule_id)
    try:
        async with service.database.writing() as session:
            now = await transaction_time(session)
            await pager.give_back(session, schedule_id, by=visitor.user, now=now)
    except NotFoundError:
        raise
    except TocsinError as error:
        return flash.back(request, to, error.message)
    return flash.back(request, to, "It is as the schedule says, from now on.")


# --- Links for calendar programs ----------------------------------------------------------


@router.post("/mine/feeds")
async def make_my_feed(request: Request, visitor: VisitorDep, service: ServiceDep) -> Response:
    try:
        url = await _feed(request, visitor, service, None)
    except TocsinError as error:
        return flash.back(request, "/schedules/mine", error.message)
    return await schedules.mine(request, visitor, service, feed_url=url)


@router.post("/mine/feeds/{feed_id}/revoke")
async def revoke_my_feed(
    request: Request, visitor: VisitorDep, service: ServiceDep, feed_id: KeyPath
) -> Response:
    await _revoke(service, visitor, feed_id, None)
    return flash.back(request, "/schedules/mine", "The address shows nothing any more.")


@router.post("/{schedule_id}/feeds")
async def make_feed(
    request: Request, visitor: VisitorDep, service: ServiceDep, schedule_id: KeyPath
) -> Response:
    try:
        url = await _feed(request, visitor, service, schedule_id)
    except NotFoundError:
        raise
    except TocsinError as error:
        return flash.back(request, _place(request, schedule_id), error.message)
    return await schedule_page.shown(request, visitor, service, schedule_id, feed_url=url)


@router.post("/{schedule_id}/feeds/{feed_id}/revoke")
async def revoke_feed(
    request: Request,
    visitor: VisitorDep,
    service: ServiceDep,
    schedule_id: KeyPath,
    feed_id: KeyPath,
) -> Response:
    await _revoke(service, visitor, feed_id, schedule_id)
    to = _place(request, schedule_id)
    return flash.back(request, to, "The address shows nothing any more.")


async def _feed(
    request: Request, visitor: VisitorDep, service: Service, schedule_id: int | None
) -> str:
    """The address of a new feed, which is shown once."""
    try:
        wanted = await forms.read(request, CalendarFeedCreate)
    except FormFault:
        wanted = CalendarFeedCreate(name="Calendar")
    async with service.database.writing() as session:
        now = await transaction_time(session)
        made = await calendar_feed_service.create(
            session,
            wanted.name,
            service.signer,
            owner=visitor.user,
            schedule_id=schedule_id,
            now=now,
        )
    return _address(request, service, made)


def _address(request: Request, service: Service, made: NewFeed) -> str:
    base = (service.settings.public_url or str(request.base_url)).rstrip("/")
    return f"{base}/v1/calendar/{made.token}{calendar_feed_service.SUFFIX}"


async def _revoke(
    service: Service, visitor: VisitorDep, feed_id: int, schedule_id: int | None
) -> None:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await calendar_feed_service.revoke(
            session, feed_id, by=visitor.user, schedule_id=schedule_id, now=now
        )


def _place(request: Request, schedule_id: int) -> str:
    """Back to the page, and to the days that it showed."""
    query = request.url.query
    return f"/schedules/{schedule_id}" + (f"?{query}" if query else "")
