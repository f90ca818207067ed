"""The fields that an installation adds to its incidents."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from app.api.bounds import BoundedRoute
from app.api.deps import Admin, Now, Paging, Reader, ReadSession, WriteSession
from app.api.errors import answers
from app.core.errors import NotFoundError
from app.crud import crud_custom_field
from app.domain.custom_field import KEY_FORM
from app.models import CustomField
from app.schemas.base import PageRead
from app.schemas.custom_field import CustomFieldCreate, CustomFieldRead, CustomFieldUpdate
from app.services import custom_field as custom_field_service

router = APIRouter(prefix="/custom-fields", tags=["custom fields"], route_class=BoundedRoute)

FieldKeyPath = Annotated[str, Path(pattern=KEY_FORM, examples=["customers_affected"])]


@router.get("", response_model=PageRead[CustomFieldRead], responses=answers(401, 422))
async def list_custom_fields(
    session: ReadSession,
    paging: Paging,
    _: Reader,
    archived: Annotated[bool, Query(description="Show the archived ones, too.")] = False,  # a query
) -> dict[str, Any]:
    """List the fields that are asked for, in their order."""
    return paging.shown(
        await crud_custom_field.list_page(session, paging.window, archived=archived)
    )


@router.post(
    "",
    response_model=CustomFieldRead,
    status_code=201,
    responses=answers(401, 403, 409, 413, 422),
)
async def create_custom_field(
    session: WriteSession, body: CustomFieldCreate, now: Now, _: Admin
) -> CustomField:
    """Add a field. The key and type of an archived one bring it back, with its old values."""
    return await custom_field_service.create(session, body.model_dump(), now=now)


@router.get("/{key}", response_model=CustomFieldRead, responses=answers(401, 404, 422))
async def read_custom_field(session: ReadSession, key: FieldKeyPath, _: Reader) -> CustomField:
    """Read one field, archived or not."""
    found = await crud_custom_field.get(session, key)
    if found is None:
        raise NotFoundError("custom field", key)
    return found


@router.patch("/{key}", response_model=CustomFieldRead, responses=answers(401, 403, 404, 413, 422))
async def update_custom_field(
    session: WriteSession, key: FieldKeyPath, body: CustomFieldUpdate, now: Now, _: Admin
) -> CustomField:
    """Change the named fields. What incidents hold stays as it is."""
    fields = body.model_dump(exclude_unset=True)
    return await custom_field_service.update(session, key, fields, now=now)


@router.delete("/{key}", status_code=204, responses=answers(401, 403, 404, 422))
async def archive_custom_field(
    session: WriteSession, key: FieldKeyPath, now: Now, _: Admin
) -> Response:
    """Archive a field: it is no longer asked for; old values stay and are shown."""
    await custom_field_service.archive(session, key, now=now)
    return Response(status_code=204)
