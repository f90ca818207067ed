"""Templates: what is filled in already when an incident is declared that has been before."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from app.api.deps import Admin, KeyPath, Now, Reader, ReadSession, WriteSession
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.idempotency import Once, replays
from app.api.paging import PageQuery, paged
from app.api.resource_route import ResourceRoute
from app.crud import crud_incident_template
from app.crud.crud_incident_template import IncidentTemplateFilter, IncidentTemplateOrder
from app.models import IncidentTemplate
from app.schemas.base import PageRead
from app.schemas.incident_template import (
    IncidentTemplateCreate,
    IncidentTemplateRead,
    IncidentTemplateUpdate,
)
from app.services import incident_template as incident_template_service

router = APIRouter(
    prefix="/incident-templates", tags=["incident templates"], route_class=ResourceRoute
)

TemplatePaging = Annotated[
    PageQuery, Depends(paged(IncidentTemplateOrder, IncidentTemplateOrder.ID))
]
EDITED = Edited(
    crud_incident_template.lock, incident_template_service.require, IncidentTemplateRead
)


@router.get("", response_model=PageRead[IncidentTemplateRead], responses=answers(401, 422))
async def list_incident_templates(
    session: ReadSession,
    paging: TemplatePaging,
    _: Reader,
    search: Annotated[
        str | None, Query(min_length=1, max_length=100, description="A part of the name.")
    ] = None,
    is_active: Annotated[
        bool | None, Query(description="Only those that are ready, or only drafts.")
    ] = None,
) -> dict[str, Any]:
    """List templates of incidents, in the order they were made."""
    where = IncidentTemplateFilter(search, is_active)
    return paging.shown(await crud_incident_template.list_page(session, where, paging.window))


@router.post(
    "",
    response_model=IncidentTemplateRead,
    status_code=201,
    responses=answers(401, 403, 409, 413, 422) | replays(IncidentTemplateRead),
)
async def create_incident_template(
    session: WriteSession, body: IncidentTemplateCreate, now: Now, _: Admin, once: Once
) -> IncidentTemplate:
    """Make a template. Whoever declares with its number need not say what it says."""
    return await incident_template_service.create(session, body.model_dump(), now=now)


@router.get(
    "/{template_id}",
    response_model=IncidentTemplateRead,
    responses=answers(401, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_incident_template(
    session: ReadSession, template_id: KeyPath, _: Reader
) -> IncidentTemplate:
    """Read one template."""
    return await incident_template_service.require(session, template_id)


@router.patch(
    "/{template_id}",
    response_model=IncidentTemplateRead,
    responses=answers(401, 403, 404, 409, 412, 413, 422),
)
async def update_incident_template(
    session: WriteSession,
    template_id: KeyPath,
    body: IncidentTemplateUpdate,
    now: Now,
    _: Admin,
    expected: IfMatch,
) -> IncidentTemplate:
    """Change the named fields. Incidents that were declared with it stay as they are."""
    await expected.hold(EDITED, session, template_id)
    fields = body.model_dump(exclude_unset=True)
    return await incident_template_service.update(session, template_id, fields, now=now)


@router.delete("/{template_id}", status_code=204, responses=answers(401, 403, 404, 412, 422))
async def delete_incident_template(
    session: WriteSession, template_id: KeyPath, _: Admin, expected: IfMatch
) -> Response:
    """Delete a template. Incidents that were declared with it stay as they are."""
    await expected.hold(EDITED, session, template_id)
    await incident_template_service.remove(session, template_id)
    return Response(status_code=204)
