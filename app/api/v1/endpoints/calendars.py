"""Calendars of others that schedules follow: holidays, and who is on call."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from app.api.deps import Admin, KeyPath, Now, Paging, Reader, ReadSession, ServiceDep, WriteSession
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.idempotency import Once, replays
from app.api.paging import InSpan, PageQuery, paged
from app.api.resource_route import ResourceRoute
from app.crud import crud_calendar, crud_calendar_shift
from app.db.session import transaction_time
from app.domain.calendar import CalendarKind
from app.models import Calendar
from app.schemas.base import PageRead
from app.schemas.calendar import (
    CalendarCreate,
    CalendarDetailRead,
    CalendarRead,
    CalendarShiftRead,
    CalendarUpdate,
    UnmatchedRead,
)
from app.services import calendar as calendar_service

router = APIRouter(prefix="/calendars", tags=["calendars"], route_class=ResourceRoute)
EDITED = Edited(crud_calendar.lock, calendar_service.require, CalendarRead)


@router.get("", response_model=PageRead[CalendarRead], responses=answers(401, 403, 422))
async def list_calendars(
    session: ReadSession,
    paging: Paging,
    _: Reader,
    kind: Annotated[CalendarKind | None, Query(description="Those of one kind.")] = None,
) -> dict[str, Any]:
    """List calendars, in the order they were made."""
    return paging.shown(await crud_calendar.list_page(session, paging.window, kind=kind))


@router.post(
    "",
    response_model=CalendarRead,
    status_code=201,
    responses=answers(401, 403, 409, 413, 422) | replays(CalendarRead),
)
async def create_calendar(
    service: ServiceDep,
    session: WriteSession,
    body: CalendarCreate,
    now: Now,
    admin: Admin,
    _: Once,
) -> Calendar:
    """Follow a calendar at a URL, or upload one.

    One at a URL is fetched at once, and then every quarter of an hour. When it cannot be had or
    read, what it said last goes on to count, and `state` says `failing`. An uploaded one is read
    before the answer.
    """
    return await calendar_service.create(
        session, body.model_dump(), service.objection, by=admin, now=now
    )


@router.get(
    "/{calendar_id}",
    response_model=CalendarDetailRead,
    responses=answers(401, 403, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_calendar(session: ReadSession, calendar_id: KeyPath, _: Reader) -> Any:
    """Read one calendar: how well it is known, and what people have to mend."""
    now = await transaction_time(session)
    found = await calendar_service.detail(session, calendar_id, now=now)
    return _shown(found)


@router.patch(
    "/{calendar_id}",
    response_model=CalendarRead,
    responses=answers(401, 403, 404, 412, 413, 422),
)
async def update_calendar(
    service: ServiceDep,
    session: WriteSession,
    calendar_id: KeyPath,
    body: CalendarUpdate,
    now: Now,
    _: Admin,
    expected: IfMatch,
) -> Calendar:
    """Change the named fields. With another URL, what was said before counts until it is read."""
    await expected.hold(EDITED, session, calendar_id)
    fields = body.model_dump(exclude_unset=True)
    return await calendar_service.update(session, calendar_id, fields, service.objection, now=now)


@router.delete("/{calendar_id}", status_code=204, responses=answers(401, 403, 404, 409, 412, 422))
async def delete_calendar(
    session: WriteSession, calendar_id: KeyPath, now: Now, _: Admin, expected: IfMatch
) -> Response:
    """Ask it no more, unless a schedule follows it. What it said is kept for those who look
    back."""
    await expected.hold(EDITED, session, calendar_id)
    await calendar_service.remove(session, calendar_id, now=now)
    return Response(status_code=204)


@router.post(
    "/{calendar_id}/refresh",
    response_model=CalendarRead,
    status_code=202,
    responses=answers(401, 403, 404, 422),
)
async def refresh_calendar(
    session: WriteSession, calendar_id: KeyPath, now: Now, _: Admin
) -> Calendar:
    """Have it fetched now. What came of it shows in the calendar a moment later.

    Within 30 seconds of the last time that it was read nothing is done.
    """
    return await calendar_service.refresh(session, calendar_id, now=now)


class ShiftOrder(StrEnum):
    STARTS_AT = "starts_at"


@router.get(
    "/{calendar_id}/shifts",
    response_model=PageRead[CalendarShiftRead],
    responses=answers(401, 403, 404, 422),
)
async def list_calendar_shifts(
    session: ReadSession,
    calendar_id: KeyPath,
    paging: Annotated[PageQuery, Depends(paged(ShiftOrder, ShiftOrder.STARTS_AT))],
    _: Reader,
    during: InSpan,
) -> dict[str, Any]:
    """List what a calendar says, in the order of time. With `since` and `until`, all that shares
    time with the span between them."""
    await calendar_service.require(session, calendar_id)
    return paging.shown(
        await crud_calendar_shift.list_page(session, calendar_id, during, paging.window)
    )


def _shown(found: calendar_service.Detail) -> CalendarDetailRead:
    shown = CalendarRead.model_validate(found.calendar)
    return CalendarDetailRead.model_validate(
        {
            **shown.model_dump(),
            "place": shown.url,
            "entries_ahead": found.entries_ahead,
            "faults": found.calendar.faults,
            "unmatched": [UnmatchedRead.model_validate(one) for one in found.unmatched],
        }
    )
