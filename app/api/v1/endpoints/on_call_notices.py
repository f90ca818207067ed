"""When a person is told of their duty, and over which channels."""

from fastapi import APIRouter

from app.api.deps import Now, OwnerId, ReadSession, WriteSession
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.resource_route import ResourceRoute
from app.db import session as db
from app.domain.on_call_notice import Wishes
from app.schemas.on_call_notice import OnCallNoticesRead, OnCallNoticesWrite
from app.services import notification_preference as notification_preference_service
from app.services import on_call_notice as on_call_notice_service
from app.services import user as user_service

router = APIRouter(
    prefix="/users/{user_id}/on-call-notices", tags=["being on call"], route_class=ResourceRoute
)


async def _shown(session: db.ReadSession, user_id: int) -> Wishes:
    await user_service.require(session, user_id)
    return await on_call_notice_service.wishes(session, user_id)


async def _held(session: db.WriteSession, user_id: int) -> OnCallNoticesRead:
    await notification_preference_service.hold(session, user_id)
    return OnCallNoticesRead.model_validate(await _shown(session, user_id))


EDITED = Edited(_held, _shown, OnCallNoticesRead)


@router.get(
    "",
    response_model=OnCallNoticesRead,
    responses=answers(401, 403, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_on_call_notices(session: ReadSession, user_id: OwnerId) -> Wishes:
    """Read of what a person is told about their duty. What was never touched is as usual."""
    return await _shown(session, user_id)


@router.put("", response_model=OnCallNoticesRead, responses=answers(401, 403, 404, 412, 413, 422))
async def update_on_call_notices(
    session: WriteSession, user_id: OwnerId, body: OnCallNoticesWrite, now: Now, expected: IfMatch
) -> Wishes:
    """Write of what a person is told about their duty. Fields that are not named stay."""
    await expected.hold(EDITED, session, user_id)
    return await on_call_notice_service.wish(session, user_id, body.wanted(), now=now)
