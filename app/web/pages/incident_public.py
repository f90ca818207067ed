"""Telling the public of an incident: publishing it, posting updates, taking it off the page.

Nothing that stands inside is copied: what the public reads is what somebody writes here.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep, acting
from app.api.state import Service
from app.core.errors import TocsinError
from app.crud import crud_incident_template
from app.db.session import transaction_time
from app.domain.public_update import UpdateStatus
from app.domain.status_component import ComponentStatus
from app.schemas.public_incident import PublicIncidentCreate
from app.schemas.public_update import IncidentUpdateCreate, effects_of
from app.services import public_incident
from app.services.public_incident import USUAL, Publication, Said
from app.services.public_update import NewUpdate
from app.web import flash, forms, incident_form, public_side
from app.web.deps import RespondingDep, Visitor
from app.web.forms import FormFault
from app.web.incident_view import require
from app.web.templating import render

router = APIRouter(prefix="/incidents", include_in_schema=False, route_class=BoundedRoute)

COMPONENT = "component-"


@router.get("/{incident_id}/public")
async def show(
    request: Request,
    visitor: RespondingDep,
    service: ServiceDep,
    incident_id: KeyPath,
    status: str = "",
) -> Response:
    return await _shown(request, visitor, service, incident_id, {"status": status}, {})


@router.post("/{incident_id}/public")
async def tell(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    """The first word publishes it; every other is an update."""
    given = await incident_form.typed(request)
    actor = acting(visitor.user)
    try:
        async with service.database.writing() as session:
            now = await transaction_time(session)
            side = await public_side.of_incident(session, incident_id)
            if side.published is None:
                body = incident_form.shaped(PublicIncidentCreate, _body(given), given)
                update = NewUpdate(body.body, UpdateStatus(body.status), body.notifies)
                new = Publication(body.title, update, _said(body))
                await public_incident.publish(session, incident_id, new, actor=actor, now=now)
                said = "The public knows now."
            else:
                more = incident_form.shaped(IncidentUpdateCreate, _body(given), given)
                status = None if more.status is None else UpdateStatus(more.status)
                update = NewUpdate(more.body, status, more.notifies)
                await public_incident.post(
                    session, incident_id, update, _said(more), actor=actor, now=now
                )
                said = "The public is told."
    except FormFault as fault:
        return await _shown(request, visitor, service, incident_id, given, fault.errors)
    except TocsinError as error:
        faults = forms.faults_of(error)
        return await _shown(request, visitor, service, incident_id, given, faults)
    return flash.back(request, f"/incidents/{incident_id}", said)


@router.post("/{incident_id}/public/withdraw")
async def withdraw(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    place = f"/incidents/{incident_id}"
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await public_incident.withdraw(session, incident_id, actor=acting(visitor.user), now=now)
    return flash.back(request, place, "The public sees nothing of it any more.")


def _body(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed as the API has it; of components those that are chosen."""
    body: dict[str, Any] = {
        name: given[name] for name in ("title", "body", "status", "impact") if given.get(name)
    }
    if given.get("next_update_minutes", "").isdecimal():
        body["next_update_minutes"] = int(given["next_update_minutes"][:9])
    body["notifies"] = given.get("notifies") != "false"
    body["components"] = [
        {"id": int(name.removeprefix(COMPONENT)), "status": word}
        for name, word in given.items()
        if name.startswith(COMPONENT) and word and name.removeprefix(COMPONENT).isdecimal()
    ]
    return body


def _said(body: PublicIncidentCreate | IncidentUpdateCreate) -> Said:
    minutes = body.next_update_minutes
    return Said(effects_of(body), body.impact, USUAL if minutes is None else minutes or None)


async def _shown(
    request: Request,
    visitor: Visitor,
    service: Service,
    incident_id: int,
    given: Mapping[str, Any],
    errors: Mapping[str, str],
) -> Response:
    async with service.database.reading() as session:
        incident = await require(session, incident_id)
        side = await public_side.of_incident(session, incident_id)
        found = await public_side.components(session)
        template = await crud_incident_template.used_for(session, incident_id)
    if side.published is None and "body" not in given and template is not None:
        given = {**given, "body": template.public_text or ""}
    return render(
        request,
        visitor,
        "incidents/public.html",
        status=422 if errors else 200,
        incident=incident,
        side=side,
        components=found,
        states=list(ComponentStatus),
        given=given,
        errors=errors,
    )
