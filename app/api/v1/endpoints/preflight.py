"""Checks before the night."""

from fastapi import APIRouter, Depends

from app.api.bounds import BoundedRoute
from app.api.deps import ReadSession, Responder, ServiceDep
from app.api.errors import answers
from app.api.paging import refuse_unknown
from app.api.preflight_shown import shown
from app.db.session import transaction_time
from app.schemas.preflight import PreflightRead
from app.services import preflight as preflight_service
from app.services.notification_preference import unconfigured

router = APIRouter(tags=["preflight"], route_class=BoundedRoute)


@router.get(
    "/preflight",
    response_model=PreflightRead,
    responses=answers(401, 403, 422),
    dependencies=[Depends(refuse_unknown)],
)
async def read_preflight(service: ServiceDep, session: ReadSession, _: Responder) -> PreflightRead:
    """Look for what would let a page reach nobody, now: gaps of schedules in the next 30 days,
    people who cannot be paged, steps that reach nobody, and more.

    Each finding names the hole and what closes it. The same is looked at once a day, and admins
    are told by mail of what is new.
    """
    now = await transaction_time(session)
    silent = unconfigured(service.channel_states())
    return shown(await preflight_service.report(session, silent, now=now))
