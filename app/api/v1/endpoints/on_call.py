"""Who is on call: by one schedule, by all of them, and when somebody is."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from app.api.deps import CurrentUser, KeyPath, Paging, Reader, ReadSession
from app.api.errors import answers
from app.api.resource_route import ResourceRoute
from app.api.spans import Since, Until
from app.crud import crud_schedule_list
from app.crud.crud_schedule_list import ScheduleFilter
from app.db.session import transaction_time
from app.domain.timeline import Interval
from app.schemas.base import PageRead
from app.schemas.on_call import DutyRead, OnCallRead, ShiftsRead, UserOnCallRead
from app.schemas.rota import RotaTime
from app.services import on_call as on_call_service
from app.services import rota
from app.services.on_call import OnCall, Personal
from app.services.schedule_check import AHEAD

router = APIRouter(tags=["on call"], route_class=ResourceRoute)

KnownAt = Annotated[
    RotaTime | None,
    Query(description="As it was known then. Left out: each time as it was known when it came."),
]


@router.get("/on-call", response_model=PageRead[DutyRead], responses=answers(401, 422))
async def list_on_call(session: ReadSession, paging: Paging, _: Reader) -> dict[str, Any]:
    """List who is on call now, schedule by schedule, and who follows."""
    now = await transaction_time(session)
    found = await crud_schedule_list.page(session, ScheduleFilter(now), paging.window)
    duties = await on_call_service.duties(session, found.items, now=now)
    return paging.shown(found) | {"items": duties}


@router.get(
    "/schedules/{schedule_id}/on-call",
    response_model=OnCallRead,
    responses=answers(401, 404, 422),
)
async def read_on_call(
    session: ReadSession,
    schedule_id: KeyPath,
    _: Reader,
    at: Annotated[RotaTime | None, Query(description="Left out: now.")] = None,
    known_at: KnownAt = None,
) -> OnCall:
    """Read who is on call now or at another time, and who follows when.

    Of a time that is past it is who was on call then, whatever was edited since; `known_at` asks
    for what was known at yet another time. A schedule that was deleted has a past, too.
    """
    now = await transaction_time(session)
    return await on_call_service.at_instant(
        session, schedule_id, at=at or now, known_at=known_at, now=now
    )


@router.get(
    "/schedules/{schedule_id}/shifts",
    response_model=ShiftsRead,
    responses=answers(401, 404, 422),
)
async def read_shifts(
    session: ReadSession,
    schedule_id: KeyPath,
    _: Reader,
    since: Since = None,
    until: Until = None,
    known_at: KnownAt = None,
) -> dict[str, Any]:
    """Read who is on call from when to when, of up to 400 days: all in all, and by each layer
    alone; with the overrides, and the times at which nobody is, or more than one."""
    now = await transaction_time(session)
    begin = since or now
    during = Interval(begin, until or begin + AHEAD)
    return await rota.shown(session, schedule_id, during, known_at=known_at, now=now)


@router.get(
    "/users/{user_id}/on-call", response_model=UserOnCallRead, responses=answers(401, 404, 422)
)
async def read_user_on_call(
    session: ReadSession,
    me: CurrentUser,
    _: Reader,
    user_id: Annotated[
        str,
        Path(
            pattern=r"^(me|[1-9][0-9]{0,14})$",
            description="`me`, or the id of a user.",
            examples=["me"],
        ),
    ],
    since: Since = None,
    until: Until = None,
) -> Personal:
    """Read when somebody is on call: now, next, and between two times, by all the schedules that
    they have a part in today, of which the first 100 are looked at."""
    now = await transaction_time(session)
    begin = since or now
    during = Interval(begin, until or begin + AHEAD)
    who = me.id if user_id == "me" else int(user_id)
    return await on_call_service.of_person(session, who, during, now=now)
