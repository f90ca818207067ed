"""Maintenance that the public is told of."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.api.deps import KeyPath, Now, Paging, Reader, ReadSession, Responder, WriteSession
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.idempotency import Once, replays
from app.api.paging import InSpan
from app.api.resource_route import ResourceRoute
from app.crud import crud_public_maintenance, crud_public_update
from app.crud.crud_public_maintenance import MaintenanceFilter
from app.crud.crud_public_update import About
from app.db import session as db
from app.domain.public_maintenance import MaintenanceStatus
from app.domain.public_update import UpdateStatus
from app.models import PublicMaintenance, PublicUpdate
from app.schemas.base import PageRead
from app.schemas.public_maintenance import (
    PublicMaintenanceCreate,
    PublicMaintenanceRead,
    PublicMaintenanceUpdate,
)
from app.schemas.public_update import MaintenanceUpdateCreate, PublicUpdateRead
from app.services import public_maintenance as public_maintenance_service
from app.services.public_maintenance import Announcement
from app.services.public_update import NewUpdate

router = APIRouter(
    prefix="/status-page/maintenances", tags=["status page"], route_class=ResourceRoute
)


async def _shown(session: db.ReadSession, maintenance_id: int) -> dict[str, Any]:
    maintenance = await public_maintenance_service.require(session, maintenance_id)
    return (await _with_components(session, [maintenance]))[0]


async def _with_components(
    session: db.ReadSession, found: list[PublicMaintenance]
) -> list[dict[str, Any]]:
    ids = [maintenance.id for maintenance in found]
    components = await crud_public_maintenance.components(session, ids)
    columns = PublicMaintenanceRead.model_fields.keys() - {"components"}
    return [
        {name: getattr(one, name) for name in columns} | {"components": components[one.id]}
        for one in found
    ]


EDITED = Edited(public_maintenance_service.lock, _shown, PublicMaintenanceRead)


@router.get("", response_model=PageRead[PublicMaintenanceRead], responses=answers(401, 422))
async def list_public_maintenances(
    session: ReadSession,
    paging: Paging,
    _: Reader,
    starting: InSpan,
    status: Annotated[list[MaintenanceStatus], Query(description="Only those that are so.")] = [],  # noqa: B006
) -> dict[str, Any]:
    """List what was announced, what is to begin last first."""
    where = MaintenanceFilter(status, starting)
    found = await crud_public_maintenance.list_page(session, where, paging.window)
    return paging.shown(found) | {"items": await _with_components(session, list(found.items))}


@router.post(
    "",
    response_model=PublicMaintenanceRead,
    status_code=201,
    responses=answers(401, 403, 409, 413, 422) | replays(PublicMaintenanceRead),
)
async def announce_maintenance(
    session: WriteSession, body: PublicMaintenanceCreate, now: Now, user: Responder, _: Once
) -> dict[str, Any]:
    """Let the public know of maintenance. It keeps no page quiet: that is a maintenance window.

    It begins and ends by itself at its times, unless it says otherwise.
    """
    fields = body.model_dump(exclude={"body", "component_ids", "notifies"})
    update = NewUpdate(body.body, notifies=body.notifies)
    new = Announcement(fields, body.component_ids, update)
    made = await public_maintenance_service.announce(session, new, by=user.id, now=now)
    return await _shown(session, made.id)


@router.get(
    "/{maintenance_id}",
    response_model=PublicMaintenanceRead,
    responses=answers(401, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_public_maintenance(
    session: ReadSession, maintenance_id: KeyPath, _: Reader
) -> dict[str, Any]:
    """Read one maintenance."""
    return await _shown(session, maintenance_id)


@router.patch(
    "/{maintenance_id}",
    response_model=PublicMaintenanceRead,
    responses=answers(401, 403, 404, 409, 412, 413, 422),
)
async def update_public_maintenance(
    session: WriteSession,
    maintenance_id: KeyPath,
    body: PublicMaintenanceUpdate,
    now: Now,
    _: Responder,
    expected: IfMatch,
) -> dict[str, Any]:
    """Change the named fields of a maintenance that is not over. Other times are told to
    subscribers."""
    await expected.hold(EDITED, session, maintenance_id)
    fields = body.model_dump(exclude_unset=True, exclude={"component_ids"})
    await public_maintenance_service.update(
        session, maintenance_id, fields, body.component_ids, now=now
    )
    return await _shown(session, maintenance_id)


@router.delete("/{maintenance_id}", status_code=204, responses=answers(401, 403, 404, 412, 422))
async def withdraw_public_maintenance(
    session: WriteSession, maintenance_id: KeyPath, now: Now, _: Responder, expected: IfMatch
) -> Response:
    """Take a maintenance off the status page, as if it had never been there."""
    await expected.hold(EDITED, session, maintenance_id)
    await public_maintenance_service.withdraw(session, maintenance_id, now=now)
    return Response(status_code=204)


@router.get(
    "/{maintenance_id}/updates",
    response_model=PageRead[PublicUpdateRead],
    responses=answers(401, 404, 422),
)
async def list_maintenance_updates(
    session: ReadSession, maintenance_id: KeyPath, paging: Paging, _: Reader
) -> dict[str, Any]:
    """List what the public was told of a maintenance, drafts and what was withdrawn among it,
    newest first."""
    await public_maintenance_service.require(session, maintenance_id)
    about = About(public_maintenance_id=maintenance_id)
    return paging.shown(await crud_public_update.list_page(session, about, paging.window))


@router.post(
    "/{maintenance_id}/updates",
    response_model=PublicUpdateRead,
    status_code=201,
    responses=answers(400, 401, 403, 404, 409, 413, 422) | replays(PublicUpdateRead),
)
async def post_maintenance_update(
    session: WriteSession,
    maintenance_id: KeyPath,
    body: MaintenanceUpdateCreate,
    now: Now,
    user: Responder,
    _: Once,
) -> PublicUpdate:
    """Tell the public how a maintenance goes, or keep a draft of it."""
    status = None if body.status is None else UpdateStatus(body.status)
    new = NewUpdate(body.body, status, body.notifies)
    act = public_maintenance_service.draft if body.is_draft else public_maintenance_service.post
    return await act(session, maintenance_id, new, by=user.id, now=now)
