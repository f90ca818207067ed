"""Components of the status page and their groups."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.api.deps import Admin, KeyPath, Now, Paging, Reader, ReadSession, Responder, WriteSession
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.idempotency import Once, replays
from app.api.resource_route import ResourceRoute
from app.core.errors import ForbiddenError
from app.core.paging import BIGGEST_KEY
from app.crud import crud_status_component
from app.crud.crud_status_component import ComponentFilter
from app.domain.status_component import ComponentStatus
from app.domain.user import Permission
from app.models import ComponentGroup, StatusComponent
from app.schemas.base import PageRead
from app.schemas.status_component import (
    ComponentGroupCreate,
    ComponentGroupRead,
    ComponentGroupUpdate,
    StatusComponentCreate,
    StatusComponentRead,
    StatusComponentUpdate,
)
from app.services import status_component as status_component_service

router = APIRouter(prefix="/status-page", tags=["status page"], route_class=ResourceRoute)

EDITED = Edited(
    status_component_service.lock, status_component_service.require, StatusComponentRead
)
EDITED_GROUP = Edited(
    status_component_service.lock_group, status_component_service.require_group, ComponentGroupRead
)


@router.get(
    "/components", response_model=PageRead[StatusComponentRead], responses=answers(401, 422)
)
async def list_status_components(
    session: ReadSession,
    paging: Paging,
    _: Reader,
    group_id: Annotated[
        int | None, Query(ge=1, le=BIGGEST_KEY, description="Only those of this group.")
    ] = None,
    status: Annotated[list[ComponentStatus], Query(description="Only those that are so.")] = [],  # noqa: B006
) -> dict[str, Any]:
    """List components, in the order of the page."""
    where = ComponentFilter(group_id, status)
    return paging.shown(await crud_status_component.list_page(session, where, paging.window))


@router.post(
    "/components",
    response_model=StatusComponentRead,
    status_code=201,
    responses=answers(401, 403, 409, 413, 422) | replays(StatusComponentRead),
)
async def create_status_component(
    session: WriteSession, body: StatusComponentCreate, now: Now, _: Admin, once: Once
) -> StatusComponent:
    """Make a component. Its history begins now."""
    return await status_component_service.create(session, body.model_dump(), now=now)


@router.get(
    "/components/{component_id}",
    response_model=StatusComponentRead,
    responses=answers(401, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_status_component(
    session: ReadSession, component_id: KeyPath, _: Reader
) -> StatusComponent:
    """Read one component."""
    return await status_component_service.require(session, component_id)


@router.patch(
    "/components/{component_id}",
    response_model=StatusComponentRead,
    responses=answers(401, 403, 404, 412, 413, 422),
)
async def update_status_component(
    session: WriteSession,
    component_id: KeyPath,
    body: StatusComponentUpdate,
    now: Now,
    user: Responder,
    expected: IfMatch,
) -> StatusComponent:
    """Change the named fields. Responders set the status; the rest is for admins."""
    fields = body.model_dump(exclude_unset=True)
    if fields.keys() - {"status"} and not user.may(Permission.ADMINISTER):
        raise ForbiddenError(
            "You may set a component's status; the rest of it is for admins.",
            needs=Permission.ADMINISTER.value,
        )
    await expected.hold(EDITED, session, component_id)
    return await status_component_service.update(session, component_id, fields, now=now)


@router.delete(
    "/components/{component_id}", status_code=204, responses=answers(401, 403, 404, 412, 422)
)
async def delete_status_component(
    session: WriteSession, component_id: KeyPath, now: Now, _: Admin, expected: IfMatch
) -> Response:
    """Take a component off the page. What was told of it stays."""
    await expected.hold(EDITED, session, component_id)
    await status_component_service.remove(session, component_id, now=now)
    return Response(status_code=204)


@router.get("/groups", response_model=PageRead[ComponentGroupRead], responses=answers(401, 422))
async def list_component_groups(session: ReadSession, paging: Paging, _: Reader) -> dict[str, Any]:
    """List groups of components, in the order of the page."""
    return paging.shown(await crud_status_component.page_of_groups(session, paging.window))


@router.post(
    "/groups",
    response_model=ComponentGroupRead,
    status_code=201,
    responses=answers(401, 403, 409, 413, 422) | replays(ComponentGroupRead),
)
async def create_component_group(
    session: WriteSession, body: ComponentGroupCreate, now: Now, _: Admin, once: Once
) -> ComponentGroup:
    """Make a group of components."""
    return await status_component_service.create_group(session, body.model_dump(), now=now)


@router.get(
    "/groups/{group_id}",
    response_model=ComponentGroupRead,
    responses=answers(401, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_component_group(
    session: ReadSession, group_id: KeyPath, _: Reader
) -> ComponentGroup:
    """Read one group."""
    return await status_component_service.require_group(session, group_id)


@router.patch(
    "/groups/{group_id}",
    response_model=ComponentGroupRead,
    responses=answers(401, 403, 404, 412, 413, 422),
)
async def update_component_group(
    session: WriteSession,
    group_id: KeyPath,
    body: ComponentGroupUpdate,
    now: Now,
    _: Admin,
    expected: IfMatch,
) -> ComponentGroup:
    """Change the named fields of a group."""
    await expected.hold(EDITED_GROUP, session, group_id)
    fields = body.model_dump(exclude_unset=True)
    return await status_component_service.update_group(session, group_id, fields, now=now)


@router.delete("/groups/{group_id}", status_code=204, responses=answers(401, 403, 404, 412, 422))
async def delete_component_group(
    session: WriteSession, group_id: KeyPath, now: Now, _: Admin, expected: IfMatch
) -> Response:
    """Delete a group. Its components stay on the page, without one."""
    await expected.hold(EDITED_GROUP, session, group_id)
    await status_component_service.remove_group(session, group_id, now=now)
    return Response(status_code=204)
