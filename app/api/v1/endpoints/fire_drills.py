"""Fire drills: marked pages to oneself, to an address, or to whoever a policy would reach.

To start one is counted first, in a unit of work of its own; see `contact_methods`.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from app.api.deps import KeyPath, Paging, Reader, ReadSession, ServiceDep, require
from app.api.errors import answers
from app.api.idempotency import OnceAside, replays
from app.api.resource_route import ResourceRoute
from app.api.throttling import count
from app.core.paging import BIGGEST_KEY
from app.crud.crud_fire_drill import DrillFilter
from app.db.session import WriteSession as Writing
from app.db.session import transaction_time
from app.domain.fire_drill import DrillState
from app.domain.user import Permission
from app.schemas.base import PageRead
from app.schemas.fire_drill import FireDrillCreate, FireDrillRead
from app.services import fire_drill
from app.services.fire_drill import Aim, Shown

router = APIRouter(prefix="/fire-drills", tags=["fire drills"], route_class=ResourceRoute)

_require_responder = require(Permission.RESPOND)


@router.post(
    "",
    response_model=FireDrillRead,
    status_code=201,
    responses=answers(401, 403, 404, 409, 413, 422, 429) | replays(FireDrillRead),
)
async def start_fire_drill(
    service: ServiceDep, body: FireDrillCreate, user: Reader, once: OnceAside
) -> Shown:
    """Page yourself, an address, or whoever a policy would reach now, and see who answers when.

    It goes the whole real way and says in every message that it is a drill. Acknowledging is
    the answer. A policy is drilled by responders; an address of somebody else by admins.
    """
    if body.policy_id is not None:
        await _require_responder(user)
    aim = Aim(body.policy_id, body.contact_method_id, body.message, body.service)
    async with service.database.reading() as session:
        tries = await fire_drill.tries(session, aim, by=user)
    await count(service, tries)

    async def start(session: Writing) -> Shown:
        await once.claim(session)
        now = await transaction_time(session)
        drill = await fire_drill.start(session, aim, by=user, now=now)
        shown = await fire_drill.require(session, drill.id)
        await once.keep(session, FireDrillRead.model_validate(shown))
        return shown

    return await service.database.write(start)


@router.get("", response_model=PageRead[FireDrillRead], responses=answers(401, 422))
async def list_fire_drills(
    session: ReadSession,
    paging: Paging,
    _: Reader,
    state: Annotated[list[DrillState], Query(description="Any of these.")] = [],  # noqa: B006
    started_by: Annotated[int | None, Query(ge=1, le=BIGGEST_KEY)] = None,
    policy_id: Annotated[int | None, Query(ge=1, le=BIGGEST_KEY)] = None,
) -> dict[str, Any]:
    """List fire drills, newest first."""
    where = DrillFilter(state, started_by, policy_id)
    found, items = await fire_drill.page_of_drills(session, where, paging.window)
    return paging.shown(found) | {"items": items}


@router.get("/{drill_id}", response_model=FireDrillRead, responses=answers(401, 404, 422))
async def read_fire_drill(session: ReadSession, drill_id: KeyPath, _: Reader) -> Shown:
    """Read one fire drill: its pages, and when it was answered."""
    return await fire_drill.require(session, drill_id)
