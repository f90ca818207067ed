"""In which order, and after how long, a person is paged over what."""

from collections.abc import Mapping

from fastapi import APIRouter

from app.api.deps import Now, OwnerId, ReadSession, ServiceDep, WriteSession
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.resource_route import ResourceRoute
from app.db import session as db
from app.schemas.notification_preference import RulesRead, RulesWrite
from app.services import notification_preference as notification_preference_service
from app.services.notification_preference import Rules

RULES = "/users/{user_id}/notification-rules"

router = APIRouter(tags=["notification rules"], route_class=ResourceRoute)


async def _held(session: db.WriteSession, user_id: int, states: Mapping[str, str]) -> RulesRead:
    await notification_preference_service.hold(session, user_id)
    found = await notification_preference_service.rules(session, user_id, states)
    return RulesRead.model_validate(found)


EDITED = Edited(_held, notification_preference_service.rules, RulesRead)


@router.get(
    RULES,
    response_model=RulesRead,
    responses=answers(401, 403, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_notification_rules(
    service: ServiceDep, session: ReadSession, user_id: OwnerId
) -> Rules:
    """Read a person's rules in their order, with warnings if pages might not reach them."""
    return await notification_preference_service.rules(session, user_id, service.channel_states())


@router.put(RULES, response_model=RulesRead, responses=answers(401, 403, 404, 412, 413, 422))
async def replace_notification_rules(
    service: ServiceDep,
    session: WriteSession,
    user_id: OwnerId,
    body: RulesWrite,
    now: Now,
    expected: IfMatch,
) -> Rules:
    """Replace a person's rules, all at once. `details.errors` names the path of each fault.

    The answer warns if pages might not reach them; nothing is refused for that.
    """
    await expected.hold(EDITED, session, user_id, service.channel_states())
    wanted = [rule.model_dump() for rule in body.items]
    await notification_preference_service.replace_rules(session, user_id, wanted, now=now)
    return await notification_preference_service.rules(session, user_id, service.channel_states())
