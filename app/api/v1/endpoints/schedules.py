"""Schedules: what they say, what they said, and what an edit would change."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from app.api.deps import KeyPath, Now, Reader, ReadSession, Responder, ServiceDep, WriteSession
from app.api.deps import Paging as PagingById
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.idempotency import Once, replays
from app.api.paging import PageQuery, paged
from app.api.preflight_shown import holes
from app.api.resource_route import ResourceRoute
from app.api.state import Service
from app.core.paging import BIGGEST_KEY
from app.crud import crud_schedule, crud_schedule_list
from app.crud.crud_schedule_list import ScheduleFilter, ScheduleOrder
from app.db.session import transaction_time
from app.domain.timeline import Interval
from app.models import Schedule
from app.schemas.base import PageRead
from app.schemas.on_call import SchedulePreview, SchedulePreviewRead
from app.schemas.rota import written
from app.schemas.schedule import (
    ScheduleCreate,
    ScheduleRead,
    ScheduleUpdate,
    VersionRead,
)
from app.services import preflight_saved, rota_preview
from app.services import schedule as schedule_service
from app.services.notification_preference import unconfigured
from app.services.rota_preview import Draft
from app.services.schedule_check import AHEAD

router = APIRouter(prefix="/schedules", tags=["schedules"], route_class=ResourceRoute)

SchedulePaging = Annotated[PageQuery, Depends(paged(ScheduleOrder, ScheduleOrder.ID))]
NOT_KEPT = {"allow_gaps", "allow_overlaps", "schedule_id", "since", "until"}

EDITED = Edited(crud_schedule.lock, schedule_service.require, ScheduleRead)


@router.get("", response_model=PageRead[ScheduleRead], responses=answers(401, 422))
async def list_schedules(
    session: ReadSession,
    paging: SchedulePaging,
    _: Reader,
    team_id: Annotated[int | None, Query(ge=1, le=BIGGEST_KEY)] = None,
    user_id: Annotated[
        int | None, Query(ge=1, le=BIGGEST_KEY, description="Who has a part in it, now or later.")
    ] = None,
    search: Annotated[
        str | None, Query(min_length=1, max_length=255, description="A part of the name.")
    ] = None,
) -> dict[str, Any]:
    """List schedules, in the order they were made."""
    where = ScheduleFilter(await transaction_time(session), team_id, user_id, search)
    return paging.shown(await crud_schedule_list.page(session, where, paging.window))


@router.post(
    "",
    response_model=ScheduleRead,
    status_code=201,
    responses=answers(401, 403, 409, 413, 422) | replays(ScheduleRead),
)
async def create_schedule(
    service: ServiceDep,
    session: WriteSession,
    body: ScheduleCreate,
    now: Now,
    user: Responder,
    once: Once,
) -> ScheduleRead:
    """Make a schedule: for admins, and for leads of the team that owns it.

    It is checked whole. If nobody were on call at some time in the next 30 days, the answer is
    409 `SCHEDULE_HAS_GAPS` with the gaps named, unless `allow_gaps` says that this is meant.
    What else would let a page reach nobody is told in `findings`.
    """
    saved = await schedule_service.create(
        session,
        _fields(body),
        allow_gaps=body.allow_gaps,
        allow_overlaps=body.allow_overlaps,
        by=user,
        now=now,
    )
    return await _checked(service, session, saved, now)


@router.post("/preview", response_model=SchedulePreviewRead, responses=answers(401, 404, 413, 422))
async def preview_schedule(
    session: ReadSession, body: SchedulePreview, _: Reader
) -> dict[str, Any]:
    """Show what a draft says, and what it would change for whom. Nothing is saved."""
    now = await transaction_time(session)
    since = body.since or now
    fields = {name: value for name, value in _fields(body).items() if value is not None}
    draft = Draft(body.schedule_id, fields, Interval(since, body.until or since + AHEAD))
    return await rota_preview.preview(session, draft, now=now)


@router.get(
    "/{schedule_id}",
    response_model=ScheduleRead,
    responses=answers(401, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_schedule(session: ReadSession, schedule_id: KeyPath, _: Reader) -> Schedule:
    """Read what a schedule says."""
    return await schedule_service.require(session, schedule_id)


@router.patch(
    "/{schedule_id}",
    response_model=ScheduleRead,
    responses=answers(401, 403, 404, 409, 412, 413, 422),
)
async def update_schedule(
    service: ServiceDep,
    session: WriteSession,
    schedule_id: KeyPath,
    body: ScheduleUpdate,
    now: Now,
    user: Responder,
    expected: IfMatch,
) -> ScheduleRead:
    """Change the named fields: for admins, and for leads of the team that owns it.

    What was on call up to now stays what it was. A gap that the change opens in the next 30 days
    is refused with 409 `SCHEDULE_HAS_GAPS`, unless `allow_gaps` says that it is meant. What else
    would let a page reach nobody is told in `findings`.
    """
    await expected.hold(EDITED, session, schedule_id)
    saved = await schedule_service.update(
        session,
        schedule_id,
        _fields(body),
        allow_gaps=body.allow_gaps,
        allow_overlaps=body.allow_overlaps,
        by=user,
        now=now,
    )
    return await _checked(service, session, saved, now)


@router.delete("/{schedule_id}", status_code=204, responses=answers(401, 403, 404, 409, 412, 422))
async def delete_schedule(
    session: WriteSession, schedule_id: KeyPath, now: Now, user: Responder, expected: IfMatch
) -> Response:
    """Delete a schedule that no policy and no service goes by. Its history stays."""
    await expected.hold(EDITED, session, schedule_id)
    await schedule_service.remove(session, schedule_id, by=user, now=now)
    return Response(status_code=204)


@router.get(
    "/{schedule_id}/history", response_model=PageRead[VersionRead], responses=answers(401, 404, 422)
)
async def read_schedule_history(
    session: ReadSession, schedule_id: KeyPath, paging: PagingById, _: Reader
) -> dict[str, Any]:
    """List what a schedule said and from when to when, the newest first."""
    await schedule_service.require(session, schedule_id)
    return paging.shown(await crud_schedule.versions_page(session, schedule_id, paging.window))


async def _checked(
    service: Service, session: ReadSession, saved: Schedule, now: datetime
) -> ScheduleRead:
    silent = unconfigured(service.channel_states())
    found = await preflight_saved.of_schedule(session, saved.id, silent, now=now)
    return ScheduleRead.model_validate(saved).model_copy(update={"findings": holes(found)})


def _fields(body: ScheduleCreate | ScheduleUpdate | SchedulePreview) -> dict[str, Any]:
    fields = body.model_dump(exclude_unset=not isinstance(body, ScheduleCreate), exclude=NOT_KEPT)
    if body.layers is not None:
        fields["layers"] = written(body.layers)
    return fields
