"""The fields that an installation adds to its incidents."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response

from app.api.deps import Admin, Now, Reader, ReadSession, WriteSession
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.idempotency import Once, replays
from app.api.paging import PageQuery, paged
from app.api.resource_route import ResourceRoute
from app.core.errors import NotFoundError
from app.crud import crud_custom_field
from app.crud.crud_custom_field import FieldOrder
from app.domain.custom_field import KEY_FORM
from app.models import CustomField
from app.schemas.base import PageRead
from app.schemas.custom_field import CustomFieldCreate, CustomFieldRead, CustomFieldUpdate
from app.services import custom_field as custom_field_service

router = APIRouter(prefix="/custom-fields", tags=["custom fields"], route_class=ResourceRoute)

FieldPaging = Annotated[PageQuery, Depends(paged(FieldOrder, FieldOrder.POSITION))]

FieldKeyPath = Annotated[str, Path(pattern=KEY_FORM, examples=["customers_affected"])]


@router.get("", response_model=PageRead[CustomFieldRead], responses=answers(401, 422))
async def list_custom_fields(
    session: ReadSession,
    paging: FieldPaging,
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
    responses=answers(401, 403, 409, 413, 422) | replays(CustomFieldRead),
)
async def create_custom_field(
    session: WriteSession, body: CustomFieldCreate, now: Now, _: Admin, once: Once
) -> CustomField:
    """Add a field. The key and type of an archived one bring it back, with its old values."""
    return await custom_field_service.create(session, body.model_dump(), now=now)


async def _shown(session: ReadSession, key: str) -> CustomField:
    found = await crud_custom_field.get(session, key)
    if found is None:
        raise NotFoundError("custom field", key)
    return found


EDITED = Edited(crud_custom_field.lock, _shown, CustomFieldRead)


@router.get(
    "/{key}",
    response_model=CustomFieldRead,
    responses=answers(401, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_custom_field(session: ReadSession, key: FieldKeyPath, _: Reader) -> CustomField:
    """Read one field, archived or not."""
    return await _shown(session, key)


@router.patch(
    "/{key}", response_model=CustomFieldRead, responses=answers(401, 403, 404, 412, 413, 422)
)
async def update_custom_field(
    session: WriteSession,
    key: FieldKeyPath,
    body: CustomFieldUpdate,
    now: Now,
    _: Admin,
    expected: IfMatch,
) -> CustomField:
    """Change the named fields. What incidents hold stays as it is."""
    await expected.hold(EDITED, session, key)
    fields = body.model_dump(exclude_unset=True)
    return await custom_field_service.update(session, key, fields, now=now)


@router.delete("/{key}", status_code=204, responses=answers(401, 403, 404, 412, 422))
async def archive_custom_field(
    session: WriteSession, key: FieldKeyPath, now: Now, _: Admin, expected: IfMatch
) -> Response:
    """Archive a field: it is no longer asked for; old values stay and are shown."""
    await expected.hold(EDITED, session, key)
    await custom_field_service.archive(session, key, now=now)
    return Response(status_code=204)
