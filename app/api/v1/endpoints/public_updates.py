"""What the public was told, one message at a time, whatever it is about."""

from typing import Any

from fastapi import APIRouter, Response

from app.api.deps import (
    KeyPath,
    Now,
    Paging,
    Reader,
    ReadSession,
    Responder,
    WriteSession,
    acting,
)
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.resource_route import ResourceRoute
from app.crud import crud_public_update
from app.models import PublicUpdate
from app.schemas.base import PageRead
from app.schemas.public_update import (
    PublicUpdateRead,
    PublicUpdateUpdate,
    PublicUpdateVersionRead,
    effects_of,
)
from app.schemas.public_update import (
    Said as SaidWrite,
)
from app.services import public_draft
from app.services import public_update as public_update_service
from app.services.public_incident import USUAL, Said

router = APIRouter(prefix="/status-page/updates", tags=["status page"], route_class=ResourceRoute)

NOTHING = SaidWrite(components=[], impact=None, next_update_minutes=None)
EDITED = Edited(public_update_service.lock, public_update_service.require, PublicUpdateRead)


@router.get(
    "/{update_id}",
    response_model=PublicUpdateRead,
    responses=answers(401, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_public_update(session: ReadSession, update_id: KeyPath, _: Reader) -> PublicUpdate:
    """Read one update, posted or not."""
    return await public_update_service.require(session, update_id)


@router.patch(
    "/{update_id}",
    response_model=PublicUpdateRead,
    responses=answers(401, 403, 404, 409, 412, 413, 422),
)
async def update_public_update(
    session: WriteSession,
    update_id: KeyPath,
    body: PublicUpdateUpdate,
    now: Now,
    user: Responder,
    expected: IfMatch,
) -> PublicUpdate:
    """Change a draft, or the words of what was posted: what it said before is kept."""
    await expected.hold(EDITED, session, update_id)
    fields = body.model_dump(exclude_unset=True)
    return await public_update_service.edit(session, update_id, fields, by=user.id, now=now)


@router.delete("/{update_id}", status_code=204, responses=answers(401, 403, 404, 412, 422))
async def withdraw_public_update(
    session: WriteSession, update_id: KeyPath, now: Now, _: Responder, expected: IfMatch
) -> Response:
    """Take an update off the status page; a draft is forgotten. What it changed stays changed."""
    await expected.hold(EDITED, session, update_id)
    await public_update_service.withdraw(session, update_id, now=now)
    return Response(status_code=204)


@router.post(
    "/{update_id}/post",
    response_model=PublicUpdateRead,
    responses=answers(400, 401, 403, 404, 409, 413, 422),
)
async def post_draft(
    session: WriteSession,
    update_id: KeyPath,
    now: Now,
    user: Responder,
    body: SaidWrite = NOTHING,
) -> PublicUpdate:
    """Post a draft, as it stands. Components, impact and the clock are of incidents only."""
    minutes = body.next_update_minutes
    said = Said(effects_of(body), body.impact, USUAL if minutes is None else minutes or None)
    return await public_draft.post(session, update_id, said, actor=acting(user), now=now)


@router.get(
    "/{update_id}/versions",
    response_model=PageRead[PublicUpdateVersionRead],
    responses=answers(401, 404, 422),
)
async def list_public_update_versions(
    session: ReadSession, update_id: KeyPath, paging: Paging, _: Reader
) -> dict[str, Any]:
    """List what a posted update said before it was edited, the oldest first."""
    await public_update_service.require(session, update_id)
    return paging.shown(await crud_public_update.versions(session, update_id, paging.window))
