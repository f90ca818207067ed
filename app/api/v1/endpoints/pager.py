"""Taking the pager now, and giving it back."""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter

from app.api.deps import KeyPath, Now, Responder, WriteSession
from app.api.errors import answers
from app.api.idempotency import Once, replays
from app.api.resource_route import ResourceRoute
from app.schemas.pager import PagerGivenBack, PagerRead, PagerTake
from app.services import pager

router = APIRouter(
    prefix="/schedules/{schedule_id}/take", tags=["being on call"], route_class=ResourceRoute
)


@router.post(
    "",
    response_model=PagerRead,
    status_code=201,
    responses=answers(401, 403, 404, 409, 413, 422) | replays(PagerRead),
)
async def take_pager(
    session: WriteSession,
    schedule_id: KeyPath,
    now: Now,
    user: Responder,
    _: Once,
    body: PagerTake | None = None,
) -> dict[str, Any]:
    """Be on call by this schedule from now on, alone, until the next hand-off or as long as said.

    Whoever you relieve is told. Steps that are due from now on page you; pages that were promised
    before go where they were promised.
    """
    until = None if body is None else body.until
    if body is not None and body.for_minutes is not None:
        until = now + timedelta(minutes=body.for_minutes)
    taken = await pager.take(session, schedule_id, until=until, by=user, now=now)
    override = taken.override
    return {
        "override_id": override.id,
        "schedule_id": schedule_id,
        "user_id": user.id,
        "starts_at": override.starts_at,
        "ends_at": override.ends_at,
        "relieved": taken.relieved,
    }


@router.delete("", response_model=PagerGivenBack, responses=answers(401, 403, 404, 409, 422))
async def give_back_pager(
    session: WriteSession, schedule_id: KeyPath, now: Now, user: Responder
) -> dict[str, Any]:
    """Give back the pager that you have taken: from now on it is as the schedule says."""
    present = await pager.give_back(session, schedule_id, by=user, now=now)
    return {"schedule_id": schedule_id, "on_call": present}
