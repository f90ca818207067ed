"""Declaring an incident, with a template or without and with who would be paged beside it; and
editing one."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep, acting
from app.api.rehearsing import rehearsed
from app.api.state import Service
from app.api.throttling import count
from app.core.errors import NotFoundError, TocsinError
from app.core.paging import BIGGEST_KEY
from app.crud import crud_custom_field, crud_incident_template
from app.db.session import transaction_time
from app.domain.incident import Opening
from app.models import IncidentTemplate
from app.schemas.incident import IncidentCreate, IncidentUpdate
from app.schemas.simulation import HypotheticalIncident
from app.services import incident as incident_service
from app.services import incident_template, simulation
from app.services.simulation import Question
from app.web import choices, flash, forms, incident_form, ladder
from app.web.deps import RespondingDep, Visitor
from app.web.forms import FormFault
from app.web.incident_view import LOOK_AHEAD, require
from app.web.templating import render

router = APIRouter(prefix="/incidents", include_in_schema=False, route_class=BoundedRoute)

OFFERED = ("title", "description", "severity", "service")


@router.get("/new")
async def show_new(
    request: Request, visitor: RespondingDep, service: ServiceDep, template: str = ""
) -> Response:
    """The form; a template, or the address, fills it."""
    query = request.query_params
    given: dict[str, Any] = {name: query.get(name, "")[:10_000] for name in (*OFFERED, "tags")}
    chosen = await _template(service, template)
    if chosen is not None:
        given = {name: getattr(chosen, name) or "" for name in OFFERED}
        given |= {"tags": ", ".join(chosen.tags)}
    return await _form(request, visitor, service, given, {}, chosen)


@router.get("/new/preview")
async def preview(request: Request, visitor: RespondingDep, service: ServiceDep) -> HTMLResponse:
    """Who would be paged, when; nothing is sent or kept."""
    query = request.query_params
    body = {
        "title": query.get("title", "").strip()[:255] or "A hypothetical incident",
        "severity": query.get("severity", ""),
        "service": query.get("service", ""),
        "tags": [word.strip() for word in query.get("tags", "").split(",") if word.strip()],
        "created_by": visitor.user.id,
    }
    told: dict[str, Any] = {"ladders": None, "first": None, "doubts": [], "fault": None}
    try:
        asked = incident_form.shaped(HypotheticalIncident, body, {})
        await count(service, [(simulation.PER_USER, str(visitor.user.id))])
        opening = Opening(**asked.model_dump(exclude={"assignees"}), story="A rehearsal.")
        found = await rehearsed(service, Question(opening, until=LOOK_AHEAD))
        told |= {
            "ladders": ladder.of_rehearsal(found.lines),
            "first": ladder.next_page(found.lines, found.starts_at),
            "starts_at": found.starts_at,
            "doubts": found.warnings,
        }
    except FormFault:
        told["fault"] = "Choose a service and a severity to see who is paged."
    except TocsinError as error:
        told["fault"] = error.message
    return render(request, visitor, "incidents/new.html", block="preview", **told)


@router.post("/new")
async def declare(request: Request, visitor: RespondingDep, service: ServiceDep) -> Response:
    given = await incident_form.typed(request)
    chosen = await _template(service, str(given.get("template_id", "")))
    try:
        async with service.database.writing() as session:
            fields = await crud_custom_field.active(session)
            body = incident_form.facts(given, fields)
            body |= {"assignees": [int(one) for one in given.get("assignees", ()) if _key(one)]}
            if chosen is not None:
                body |= {"template_id": chosen.id, "description": given.get("description", "")}
            said = incident_form.shaped(IncidentCreate, body, given).model_dump(exclude_unset=True)
            incident = await incident_template.declare(
                session, said, actor=acting(visitor.user), now=await transaction_time(session)
            )
            number = incident.id
    except FormFault as fault:
        return await _form(request, visitor, service, given, fault.errors, chosen)
    except TocsinError as error:
        return await _form(request, visitor, service, given, forms.faults_of(error), chosen)
    said_then = f"Incident #{number} is declared, and its people are being paged."
    return flash.back(request, f"/incidents/{number}", said_then)


@router.get("/{incident_id}/edit")
async def show_edit(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    async with service.database.reading() as session:
        incident = await require(session, incident_id)
    given = {name: incident[name] or "" for name in (*OFFERED, "url")}
    given["tags"] = ", ".join(incident["tags"])
    given |= {
        f"{incident_form.PREFIX}{key}": value for key, value in incident["custom_fields"].items()
    }
    return await _edit(request, visitor, service, incident, given, {})


@router.post("/{incident_id}/edit")
async def edit(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    given = await incident_form.typed(request)
    async with service.database.reading() as session:
        incident = await require(session, incident_id)
        fields = await crud_custom_field.active(session)
    try:
        body = incident_form.facts(given, fields)
        changes = incident_form.shaped(IncidentUpdate, body, given)
        async with service.database.writing() as session:
            await incident_service.edit(
                session,
                incident_id,
                incident_service.Changes(changes.model_dump(exclude_unset=True)),
                actor=acting(visitor.user),
                now=await transaction_time(session),
            )
    except FormFault as fault:
        return await _edit(request, visitor, service, incident, given, fault.errors)
    except NotFoundError:
        raise
    except TocsinError as error:
        return await _edit(request, visitor, service, incident, given, forms.faults_of(error))
    return flash.back(request, f"/incidents/{incident_id}", "Your changes are saved.")


async def _form(
    request: Request,
    visitor: Visitor,
    service: Service,
    given: Mapping[str, Any],
    errors: Mapping[str, str],
    chosen: IncidentTemplate | None,
) -> Response:
    async with service.database.reading() as session:
        templates = await crud_incident_template.offered(session)
        fields = await crud_custom_field.active(session)
        offered = await choices.offered(session, now=visitor.now)
    return render(
        request,
        visitor,
        "incidents/new.html",
        status=422 if errors else 200,
        given=given,
        errors=errors,
        chosen=chosen,
        templates=templates,
        fields=fields,
        offered=offered,
        people=[(one.id, one.display_name) for one in offered.users if one.id != visitor.user.id],
        severities=incident_form.SEVERITIES,
        ladders=None,
        first=None,
        doubts=[],
        fault=None,
    )


async def _edit(
    request: Request,
    visitor: Visitor,
    service: Service,
    incident: Mapping[str, Any],
    given: Mapping[str, Any],
    errors: Mapping[str, str],
) -> Response:
    async with service.database.reading() as session:
        fields = await crud_custom_field.active(session)
        offered = await choices.offered(session, now=visitor.now)
    return render(
        request,
        visitor,
        "incidents/edit.html",
        status=422 if errors else 200,
        incident=incident,
        given=given,
        errors=errors,
        fields=fields,
        offered=offered,
        severities=incident_form.SEVERITIES,
    )


async def _template(service: Service, number: str) -> IncidentTemplate | None:
    key = _key(number)
    if key is None:
        return None
    async with service.database.reading() as session:
        found = await crud_incident_template.get(session, key)
    return found if found is not None and found.is_active else None


def _key(word: str) -> int | None:
    is_number = word.isascii() and word.isdigit() and len(word) <= 16
    return int(word) if is_number and 1 <= int(word) <= BIGGEST_KEY else None
