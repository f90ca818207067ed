"""Templates of incidents: the list, and the form in which admins write one."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service
from app.core.errors import TocsinError
from app.crud import crud_incident_template
from app.crud.base import Window
from app.crud.crud_incident_template import IncidentTemplateFilter, IncidentTemplateOrder
from app.db.session import transaction_time
from app.models import IncidentTemplate
from app.schemas.incident_template import IncidentTemplateCreate, IncidentTemplateUpdate
from app.services import incident_template as incident_template_service
from app.web import choices, flash, forms, incident_form, listing
from app.web.deps import AdminDep, Visitor, VisitorDep
from app.web.forms import FormFault
from app.web.templating import render

router = APIRouter(prefix="/incident-templates", include_in_schema=False, route_class=BoundedRoute)

PLACE = "/incident-templates"
TEXTS = ("description", "service", "checklist", "public_text")
FIELDS = ("name", "title", "severity", *TEXTS)


@router.get("")
async def show_list(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    window = Window(listing.PER_PAGE, listing.page_of(request), order=IncidentTemplateOrder.NAME)
    async with service.database.reading() as session:
        found = await crud_incident_template.list_page(session, IncidentTemplateFilter(), window)
    return render(
        request,
        visitor,
        "incident_templates/list.html",
        found=listing.shown(found, window.page),
    )


@router.get("/new")
async def show_new(request: Request, visitor: AdminDep, service: ServiceDep) -> Response:
    given = {"severity": "high", "is_active": "true"}
    return await _form(request, visitor, service, None, given, {})


@router.post("/new")
async def create(request: Request, visitor: AdminDep, service: ServiceDep) -> Response:
    given = await incident_form.typed(request)
    try:
        body = incident_form.shaped(IncidentTemplateCreate, _body(given), given)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            await incident_template_service.create(session, body.model_dump(), now=now)
    except FormFault as fault:
        return await _form(request, visitor, service, None, given, fault.errors)
    except TocsinError as error:
        return await _form(request, visitor, service, None, given, forms.faults_of(error))
    return flash.back(request, PLACE, f"“{body.name}” is a template now.")


@router.get("/{template_id}/edit")
async def show_edit(
    request: Request, visitor: AdminDep, service: ServiceDep, template_id: KeyPath
) -> Response:
    async with service.database.reading() as session:
        template = await incident_template_service.require(session, template_id)
    given = {name: getattr(template, name) or "" for name in FIELDS}
    given |= {"tags": ", ".join(template.tags), "is_active": str(template.is_active).lower()}
    return await _form(request, visitor, service, template, given, {})


@router.post("/{template_id}/edit")
async def edit(
    request: Request, visitor: AdminDep, service: ServiceDep, template_id: KeyPath
) -> Response:
    given = await incident_form.typed(request)
    async with service.database.reading() as session:
        template = await incident_template_service.require(session, template_id)
    try:
        body = incident_form.shaped(IncidentTemplateUpdate, _body(given), given)
        fields = body.model_dump(exclude_unset=True)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            await incident_template_service.update(session, template_id, fields, now=now)
    except FormFault as fault:
        return await _form(request, visitor, service, template, given, fault.errors)
    except TocsinError as error:
        return await _form(request, visitor, service, template, given, forms.faults_of(error))
    return flash.back(request, PLACE, "Your changes are saved.")


@router.post("/{template_id}/delete")
async def delete(
    request: Request, visitor: AdminDep, service: ServiceDep, template_id: KeyPath
) -> Response:
    async with service.database.writing() as session:
        await incident_template_service.remove(session, template_id)
    return flash.back(request, PLACE, "The template is deleted.")


def _body(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed as the API has it; what was emptied is null."""
    body: dict[str, Any] = {name: given.get(name, "") for name in ("name", "title", "severity")}
    body |= {name: given.get(name, "").strip() or None for name in TEXTS}
    body |= {"tags": incident_form.tags(given.get("tags", ""))}
    return body | {"is_active": given.get("is_active") == "true"}


async def _form(
    request: Request,
    visitor: Visitor,
    service: Service,
    template: IncidentTemplate | None,
    given: Mapping[str, Any],
    errors: Mapping[str, str],
) -> Response:
    async with service.database.reading() as session:
        offered = await choices.offered(session, now=visitor.now)
    return render(
        request,
        visitor,
        "incident_templates/edit.html",
        status=422 if errors else 200,
        written=template,
        given=given,
        errors=errors,
        offered=offered,
    )
