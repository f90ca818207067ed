"""Which channels a person has switched on."""

from typing import Any

from fastapi import APIRouter

from app.api.deps import CurrentUser, Now, OwnerId, ReadSession, WriteSession
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.resource_route import ResourceRoute
from app.db import session as db
from app.schemas.notification_preference import PreferencesRead, PreferencesWrite
from app.services import notification_preference as notification_preference_service

router = APIRouter(
    prefix="/notification-preferences", tags=["notification preferences"], route_class=ResourceRoute
)


async def _shown(session: db.ReadSession, user_id: int) -> dict[str, Any]:
    return {"channels": await notification_preference_service.switches(session, user_id)}


async def _held(session: db.WriteSession, user_id: int) -> PreferencesRead:
    await notification_preference_service.hold(session, user_id)
    return PreferencesRead.model_validate(await _shown(session, user_id))


EDITED = Edited(_held, _shown, PreferencesRead)


@router.get(
    "",
    response_model=PreferencesRead,
    responses=answers(401, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_my_notification_preferences(
    session: ReadSession, user: CurrentUser
) -> dict[str, Any]:
    """Read one's own switches, every channel's. What was never touched is on."""
    return await _shown(session, user.id)


@router.put("", response_model=PreferencesRead, responses=answers(401, 403, 412, 413, 422))
async def update_my_notification_preferences(
    session: WriteSession, body: PreferencesWrite, now: Now, user: CurrentUser, expected: IfMatch
) -> dict[str, Any]:
    """Switch the named channels on or off for oneself. The others stay as they are."""
    await expected.hold(EDITED, session, user.id)
    await notification_preference_service.switch(session, user.id, body.wanted(), now=now)
    return await _shown(session, user.id)


@router.get(
    "/{user_id}",
    response_model=PreferencesRead,
    responses=answers(401, 403, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_notification_preferences(session: ReadSession, user_id: OwnerId) -> dict[str, Any]:
    """Read a person's switches, every channel's. What was never touched is on."""
    return await _shown(session, user_id)


@router.put(
    "/{user_id}", response_model=PreferencesRead, responses=answers(401, 403, 404, 412, 413, 422)
)
async def update_notification_preferences(
    session: WriteSession, user_id: OwnerId, body: PreferencesWrite, now: Now, expected: IfMatch
) -> dict[str, Any]:
    """Switch the named channels of a person on or off. The others stay as they are."""
    await expected.hold(EDITED, session, user_id)
    await notification_preference_service.switch(session, user_id, body.wanted(), now=now)
    return await _shown(session, user_id)
