"""Which channels a person has switched on."""

from typing import Any

from fastapi import APIRouter

from app.api.bounds import BoundedRoute
from app.api.deps import CurrentUser, Now, OwnerId, ReadSession, WriteSession
from app.api.errors import answers
from app.schemas.notification_preference import PreferencesRead, PreferencesWrite
from app.services import notification_preference as notification_preference_service

router = APIRouter(
    prefix="/notification-preferences", tags=["notification preferences"], route_class=BoundedRoute
)


@router.get("", response_model=PreferencesRead, responses=answers(401))
async def read_my_notification_preferences(
    session: ReadSession, user: CurrentUser
) -> dict[str, Any]:
    """Read one's own switches, every channel's. What was never touched is on."""
    return {"channels": await notification_preference_service.switches(session, user.id)}


@router.put("", response_model=PreferencesRead, responses=answers(401, 403, 413, 422))
async def update_my_notification_preferences(
    session: WriteSession, body: PreferencesWrite, now: Now, user: CurrentUser
) -> dict[str, Any]:
    """Switch the named channels on or off for oneself. The others stay as they are."""
    await notification_preference_service.switch(session, user.id, body.wanted(), now=now)
    return {"channels": await notification_preference_service.switches(session, user.id)}


@router.get("/{user_id}", response_model=PreferencesRead, responses=answers(401, 403, 404, 422))
async def read_notification_preferences(session: ReadSession, user_id: OwnerId) -> dict[str, Any]:
    """Read a person's switches, every channel's. What was never touched is on."""
    return {"channels": await notification_preference_service.switches(session, user_id)}


@router.put(
    "/{user_id}", response_model=PreferencesRead, responses=answers(401, 403, 404, 413, 422)
)
async def update_notification_preferences(
    session: WriteSession, user_id: OwnerId, body: PreferencesWrite, now: Now
) -> dict[str, Any]:
    """Switch the named channels of a person on or off. The others stay as they are."""
    await notification_preference_service.switch(session, user_id, body.wanted(), now=now)
    return {"channels": await notification_preference_service.switches(session, user_id)}
