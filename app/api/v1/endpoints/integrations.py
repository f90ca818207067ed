"""Where alerts come from, and the keys that let them in."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from app.api.deps import Admin, KeyPath, Now, Reader, ReadSession, WriteSession, acting
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.idempotency import Once, replays
from app.api.paging import IsActive, PageQuery, paged
from app.api.resource_route import ResourceRoute
from app.core.errors import NotFoundError
from app.crud import crud_integration
from app.crud.crud_integration import IntegrationOrder
from app.domain.integration import IntegrationKind
from app.models import Integration
from app.schemas.base import PageRead
from app.schemas.integration import (
    IntegrationCreate,
    IntegrationCreated,
    IntegrationRead,
    IntegrationUpdate,
    KeyCreated,
    KeyRead,
)
from app.services import integration as integration_service

router = APIRouter(prefix="/integrations", tags=["integrations"], route_class=ResourceRoute)

IntegrationPaging = Annotated[PageQuery, Depends(paged(IntegrationOrder, IntegrationOrder.ID))]


async def _shown(session: ReadSession, integration_id: int) -> Integration:
    integration = await crud_integration.get(session, integration_id)
    if integration is None:
        raise NotFoundError("integration", integration_id)
    return integration


EDITED = Edited(crud_integration.lock, _shown, IntegrationRead)


@router.get("", response_model=PageRead[IntegrationRead], responses=answers(401, 422))
async def list_integrations(
    session: ReadSession,
    paging: IntegrationPaging,
    _: Reader,
    kind: Annotated[list[IntegrationKind], Query(description="Any of these.")] = [],  # noqa: B006
    is_active: IsActive = None,
) -> dict[str, Any]:
    """List integrations, in the order they were made."""
    return paging.shown(
        await crud_integration.list_page(session, kind, paging.window, is_active=is_active)
    )


@router.post(
    "",
    response_model=IntegrationCreated,
    status_code=201,
    responses=answers(401, 403, 409, 413, 422) | replays(IntegrationRead),
)
async def create_integration(
    session: WriteSession, body: IntegrationCreate, now: Now, user: Admin, _: Once
) -> IntegrationCreated:
    """Make an integration. The answer shows its key, this once."""
    integration, key = await integration_service.create(
        session, body.model_dump(), actor=acting(user), now=now
    )
    shown = IntegrationRead.model_validate(await _shown(session, integration.id))
    return IntegrationCreated(**shown.model_dump(), key=key.secret)


@router.get(
    "/{integration_id}",
    response_model=IntegrationRead,
    responses=answers(401, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_integration(session: ReadSession, integration_id: KeyPath, _: Reader) -> Integration:
    """Read one integration."""
    return await _shown(session, integration_id)


@router.patch(
    "/{integration_id}",
    response_model=IntegrationRead,
    responses=answers(401, 403, 404, 409, 412, 413, 422),
)
async def update_integration(
    session: WriteSession,
    integration_id: KeyPath,
    body: IntegrationUpdate,
    now: Now,
    _: Admin,
    expected: IfMatch,
) -> Integration:
    """Change the named fields. While it is not active, its keys let nothing in."""
    await expected.hold(EDITED, session, integration_id)
    fields = body.model_dump(exclude_unset=True)
    await integration_service.update(session, integration_id, fields, now=now)
    return await _shown(session, integration_id)


@router.post(
    "/{integration_id}/keys",
    response_model=KeyCreated,
    status_code=201,
    responses=answers(401, 403, 404, 409, 413, 422) | replays(KeyRead),
)
async def add_key(
    session: WriteSession, integration_id: KeyPath, now: Now, _: Admin, once: Once
) -> KeyCreated:
    """Add another key; both work until one is revoked. The answer shows it, this once."""
    key = await integration_service.add_key(session, integration_id, now=now)
    shown = KeyRead.model_validate(key.row)
    return KeyCreated(**shown.model_dump(), key=key.secret)


@router.delete(
    "/{integration_id}/keys/{key_id}",
    status_code=204,
    responses=answers(401, 403, 404, 409, 422),
)
async def revoke_key(
    session: WriteSession, integration_id: KeyPath, key_id: KeyPath, now: Now, _: Admin
) -> Response:
    """Revoke a key. The last one stays; deactivate the integration instead."""
    await integration_service.revoke_key(session, integration_id, key_id, now=now)
    return Response(status_code=204)
