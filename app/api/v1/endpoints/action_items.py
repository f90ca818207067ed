"""Action items: what people do so that it does not happen again."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from app.api.deps import KeyPath, Now, Reader, ReadSession, Responder, WriteSession
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.idempotency import Once, replays
from app.api.paging import PageQuery, paged
from app.api.resource_route import ResourceRoute
from app.core.paging import BIGGEST_KEY
from app.crud import crud_action_item
from app.crud.crud_action_item import ActionItemFilter, ActionItemOrder
from app.db.session import transaction_time
from app.domain.action_item import ActionItemPriority, ActionItemState
from app.models import ActionItem, User
from app.schemas.action_item import ActionItemCreate, ActionItemRead, ActionItemUpdate
from app.schemas.base import PageRead
from app.schemas.types import Day
from app.services import action_item as action_item_service

router = APIRouter(tags=["postmortems"], route_class=ResourceRoute)

ActionItemPaging = Annotated[PageQuery, Depends(paged(ActionItemOrder, ActionItemOrder.ID))]
EDITED = Edited(crud_action_item.lock, action_item_service.require, ActionItemRead)
KeyQuery = Annotated[int | None, Query(ge=1, le=BIGGEST_KEY)]


@router.get("/action-items", response_model=PageRead[ActionItemRead], responses=answers(401, 422))
async def list_action_items(
    session: ReadSession,
    paging: ActionItemPaging,
    user: Reader,
    state: Annotated[list[ActionItemState], Query()] = [],  # noqa: B006
    priority: Annotated[list[ActionItemPriority], Query()] = [],  # noqa: B006
    owner_id: Annotated[
        str | None,
        Query(pattern=r"^(me|[1-9][0-9]{0,14})$", description="`me`, or the id of a user."),
    ] = None,
    is_owned: Annotated[bool | None, Query(description="Whether somebody has it.")] = None,
    incident_id: KeyQuery = None,
    due_before: Annotated[Day | None, Query(description="That day is outside.")] = None,
    is_overdue: Annotated[
        bool, Query(description="Only what is not finished and was due before today, in UTC.")
    ] = False,
    search: Annotated[
        str | None, Query(min_length=1, max_length=100, description="A part of the title.")
    ] = None,
) -> dict[str, Any]:
    """List action items of all postmortems, the newest first."""
    now = await transaction_time(session)
    where = ActionItemFilter(
        state=state,
        priority=priority,
        owner_id=_owner(owner_id, user),
        is_owned=is_owned,
        incident_id=incident_id,
        due_before=due_before,
        overdue_on=action_item_service.today(now) if is_overdue else None,
        search=search,
    )
    return paging.shown(await crud_action_item.list_page(session, where, paging.window))


def _owner(word: str | None, user: User) -> int | None:
    if word is None:
        return None
    return user.id if word == "me" else int(word)


@router.get(
    "/postmortems/{postmortem_id}/action-items",
    response_model=PageRead[ActionItemRead],
    responses=answers(401, 404, 422),
)
async def list_action_items_of_postmortem(
    session: ReadSession, paging: ActionItemPaging, postmortem_id: KeyPath, _: Reader
) -> dict[str, Any]:
    """List the action items of one postmortem, the newest first."""
    await action_item_service.require_postmortem(session, postmortem_id)
    where = ActionItemFilter(postmortem_id=postmortem_id)
    return paging.shown(await crud_action_item.list_page(session, where, paging.window))


@router.post(
    "/postmortems/{postmortem_id}/action-items",
    response_model=ActionItemRead,
    status_code=201,
    responses=answers(401, 403, 404, 409, 413, 422) | replays(ActionItemRead),
)
async def create_action_item(
    session: WriteSession,
    postmortem_id: KeyPath,
    body: ActionItemCreate,
    now: Now,
    user: Responder,
    once: Once,
) -> ActionItem:
    """Add something to be done. Whoever owns it is reminded the day before it is due, and the day
    after if it is not done."""
    return await action_item_service.create(
        session, postmortem_id, body.model_dump(), by=user, now=now
    )


@router.get(
    "/action-items/{item_id}",
    response_model=ActionItemRead,
    responses=answers(401, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_action_item(session: ReadSession, item_id: KeyPath, _: Reader) -> ActionItem:
    """Read one action item."""
    return await action_item_service.require(session, item_id)


@router.patch(
    "/action-items/{item_id}",
    response_model=ActionItemRead,
    responses=answers(401, 403, 404, 412, 413, 422),
)
async def update_action_item(
    session: WriteSession,
    item_id: KeyPath,
    body: ActionItemUpdate,
    now: Now,
    _: Responder,
    expected: IfMatch,
) -> ActionItem:
    """Change the named fields. Reminders follow what it says then."""
    await expected.hold(EDITED, session, item_id)
    fields = body.model_dump(exclude_unset=True)
    return await action_item_service.update(session, item_id, fields, now=now)


@router.delete(
    "/action-items/{item_id}", status_code=204, responses=answers(401, 403, 404, 412, 422)
)
async def delete_action_item(
    session: WriteSession, item_id: KeyPath, _: Responder, expected: IfMatch
) -> Response:
    """Remove an action item. What was decided against is better dropped, and stays on record."""
    await expected.hold(EDITED, session, item_id)
    await action_item_service.remove(session, item_id)
    return Response(status_code=204)
