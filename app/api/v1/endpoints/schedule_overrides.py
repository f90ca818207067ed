"""What people change about a schedule for a while: somebody instead, or other layers."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.api.deps import KeyPath, Now, Paging, Reader, ReadSession, Responder, WriteSession
from app.api.errors import answers
from app.api.idempotency import Once, replays
from app.api.paging import InSpan
from app.api.resource_route import ResourceRoute
from app.crud import crud_schedule_override
from app.models import ScheduleOverride, TemporarySchedule
from app.schemas.base import PageRead
from app.schemas.rota import written
from app.schemas.schedule import OverrideCreate, OverrideRead, TemporaryCreate, TemporaryRead
from app.services import schedule as schedule_service
from app.services import schedule_override as override_service
from app.services.schedule_override import Instead

router = APIRouter(prefix="/schedules/{schedule_id}", tags=["schedules"], route_class=ResourceRoute)

Removed = Annotated[bool, Query(description="Show those that were taken back, too.")]


@router.get("/overrides", response_model=PageRead[OverrideRead], responses=answers(401, 404, 422))
async def list_schedule_overrides(
    session: ReadSession,
    schedule_id: KeyPath,
    paging: Paging,
    during: InSpan,
    _: Reader,
    removed: Removed = False,  # a query
) -> dict[str, Any]:
    """List a schedule’s overrides that touch a time, the newest first."""
    await schedule_service.require(session, schedule_id)
    return paging.shown(
        await crud_schedule_override.page(
            session, ScheduleOverride, schedule_id, during, paging.window, removed=removed
        )
    )


@router.post(
    "/overrides",
    response_model=OverrideRead,
    status_code=201,
    responses=answers(401, 403, 404, 409, 413, 422) | replays(OverrideRead),
)
async def create_schedule_override(
    session: WriteSession,
    schedule_id: KeyPath,
    body: OverrideCreate,
    now: Now,
    user: Responder,
    once: Once,
) -> ScheduleOverride:
    """Put somebody on call instead, of everybody or of one person. The later override wins."""
    wanted = Instead(**body.model_dump())
    made = await override_service.put(session, schedule_id, [wanted], by=user, now=now)
    return made[0]


@router.get(
    "/overrides/{override_id}", response_model=OverrideRead, responses=answers(401, 404, 422)
)
async def read_schedule_override(
    session: ReadSession, schedule_id: KeyPath, override_id: KeyPath, _: Reader
) -> ScheduleOverride:
    """Read one override, taken back or not."""
    return await override_service.require(session, ScheduleOverride, schedule_id, override_id)


@router.delete("/overrides/{override_id}", status_code=204, responses=answers(401, 403, 404, 422))
async def delete_schedule_override(
    session: WriteSession,
    schedule_id: KeyPath,
    override_id: KeyPath,
    now: Now,
    user: Responder,
) -> Response:
    """Take an override back: it counts no longer from now on. What it did before stays."""
    await override_service.take_back(
        session, ScheduleOverride, schedule_id, override_id, by=user, now=now
    )
    return Response(status_code=204)


@router.get(
    "/temporary-schedules",
    response_model=PageRead[TemporaryRead],
    responses=answers(401, 404, 422),
)
async def list_temporary_schedules(
    session: ReadSession,
    schedule_id: KeyPath,
    paging: Paging,
    during: InSpan,
    _: Reader,
    removed: Removed = False,  # a query
) -> dict[str, Any]:
    """List the times in which a schedule has other layers, the newest first."""
    await schedule_service.require(session, schedule_id)
    return paging.shown(
        await crud_schedule_override.page(
            session, TemporarySchedule, schedule_id, during, paging.window, removed=removed
        )
    )


@router.post(
    "/temporary-schedules",
    response_model=TemporaryRead,
    status_code=201,
    responses=answers(401, 403, 404, 409, 413, 422) | replays(TemporaryRead),
)
async def create_temporary_schedule(
    session: WriteSession,
    schedule_id: KeyPath,
    body: TemporaryCreate,
    now: Now,
    user: Responder,
    once: Once,
) -> TemporarySchedule:
    """Give a schedule other layers for a while: for admins, and for leads of its team.

    It is checked as a schedule is; gaps that it opens need `allow_gaps`.
    """
    fields = body.model_dump(exclude={"allow_gaps", "allow_overlaps"})
    return await override_service.put_temporary(
        session,
        schedule_id,
        {**fields, "layers": written(body.layers)},
        allow_gaps=body.allow_gaps,
        allow_overlaps=body.allow_overlaps,
        by=user,
        now=now,
    )


@router.get(
    "/temporary-schedules/{temporary_id}",
    response_model=TemporaryRead,
    responses=answers(401, 404, 422),
)
async def read_temporary_schedule(
    session: ReadSession, schedule_id: KeyPath, temporary_id: KeyPath, _: Reader
) -> TemporarySchedule:
    """Read one temporary schedule, taken back or not."""
    return await override_service.require(session, TemporarySchedule, schedule_id, temporary_id)


@router.delete(
    "/temporary-schedules/{temporary_id}", status_code=204, responses=answers(401, 403, 404, 422)
)
async def delete_temporary_schedule(
    session: WriteSession,
    schedule_id: KeyPath,
    temporary_id: KeyPath,
    now: Now,
    user: Responder,
) -> Response:
    """Take a temporary schedule back, from now on: for admins, and for leads of its team."""
    await schedule_service.editable(session, schedule_id, user)
    await override_service.take_back(
        session, TemporarySchedule, schedule_id, temporary_id, by=user, now=now
    )
    return Response(status_code=204)
