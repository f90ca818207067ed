"""Where alerts come from, and the keys that let them in."""

from typing import Any

from fastapi import APIRouter, Response

from app.api.bounds import BoundedRoute
from app.api.deps import Admin, KeyPath, Now, Paging, Reader, ReadSession, WriteSession, acting
from app.api.errors import answers
from app.core.errors import NotFoundError
from app.crud import crud_integration
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

router = APIRouter(prefix="/integrations", tags=["integrations"], route_class=BoundedRoute)


async def _shown(session: ReadSession, integration_id: int) -> Integration:
    integration = await crud_integration.get(session, integration_id)
    if integration is None:
        raise NotFoundError("integration", integration_id)
    return integration


@router.get("", response_model=PageRead[IntegrationRead], responses=answers(401, 422))
async def list_integrations(session: ReadSession, paging: Paging, _: Reader) -> dict[str, Any]:
    """List integrations, in the order they were made."""
    return paging.shown(await crud_integration.list_page(session, paging.window))


@router.post(
    "",
    response_model=IntegrationCreated,
    status_code=201,
    responses=answers(401, 403, 409, 413, 422),
)
async def create_integration(
    session: WriteSession, body: IntegrationCreate, now: Now, user: Admin
) -> IntegrationCreated:
    """Make an integration. The answer shows its key, this once."""
    integration, key = await integration_service.create(
        session, body.model_dump(), actor=acting(user), now=now
    )
    shown = IntegrationRead.model_validate(await _shown(session, integration.id))
    return IntegrationCreated(**shown.model_dump(), key=key.secret)


@router.get("/{integration_id}", response_model=IntegrationRead, responses=answers(401, 404, 422))
async def read_integration(session: ReadSession, integration_id: KeyPath, _: Reader) -> Integration:
    """Read one integration."""
    return await _shown(session, integration_id)


@router.patch(
    "/{integration_id}",
    response_model=IntegrationRead,
    responses=answers(401, 403, 404, 409, 413, 422),
)
async def update_integration(
    session: WriteSession, integration_id: KeyPath, body: IntegrationUpdate, now: Now, _: Admin
) -> Integration:
    """Change the named fields. While it is not active, its keys let nothing in."""
    fields = body.model_dump(exclude_unset=True)
    await integration_service.update(session, integration_id, fields, now=now)
    return await _shown(session, integration_id)


@router.post(
    "/{integration_id}/keys",
    response_model=KeyCreated,
    status_code=201,
    responses=answers(401, 403, 404, 422),
)
async def add_key(session: WriteSession, integration_id: KeyPath, now: Now, _: Admin) -> KeyCreated:
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
