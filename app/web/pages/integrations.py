"""Integrations at the console: what sends alerts, how it is made to, and what became of each."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep, acting
from app.api.state import Service
from app.core.errors import NotFoundError
from app.crud import crud_alert, crud_integration
from app.crud.base import Window
from app.crud.crud_alert import AlertFilter
from app.crud.crud_integration import IntegrationOrder
from app.db.session import ReadSession, transaction_time
from app.domain.integration import AlertOutcome, IntegrationKind
from app.models import Integration
from app.schemas.integration import IntegrationCreate, IntegrationUpdate
from app.services import alert as alert_service
from app.services import integration as integration_service
from app.web import asked, choices, flash, forms, listing, meanwhile, snippets
from app.web.asked import REFUSED
from app.web.deps import AdminDep, RespondingDep, Visitor, VisitorDep
from app.web.templating import render

router = APIRouter(prefix="/integrations", include_in_schema=False, route_class=BoundedRoute)

PLACE = "/integrations"
KINDS = {
    IntegrationKind.ELASTIC.value: "Elastic (Kibana)",
    IntegrationKind.ALERTMANAGER.value: "Prometheus Alertmanager",
    IntegrationKind.ALERTS.value: "Anything that can call a URL",
}
OUTCOMES = {
    "": "All",
    AlertOutcome.OPENED.value: "Opened",
    AlertOutcome.JOINED.value: "Joined",
    AlertOutcome.RESOLVED.value: "Resolved",
    AlertOutcome.IGNORED.value: "Ignored",
    AlertOutcome.UNREADABLE.value: "Unreadable",
}


@router.get("")
async def show_list(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    window = Window(listing.PER_PAGE, listing.page_of(request), order=IntegrationOrder.NAME)
    async with service.database.reading() as session:
        found = await crud_integration.list_page(session, (), window)
        heard = await crud_alert.last_received(session, [one.id for one in found.items])
    shown = listing.shown(found, window.page)
    return render(request, visitor, "integrations/list.html", found=shown, kinds=KINDS, heard=heard)


@router.get("/new")
async def show_new(
    request: Request, visitor: AdminDep, service: ServiceDep, kind: str = ""
) -> Response:
    given = {"kind": kind if kind in KINDS else IntegrationKind.ELASTIC.value}
    return await _form(request, visitor, service, None, {**given, "default_severity": "high"}, {})


@router.post("/new")
async def create(request: Request, visitor: AdminDep, service: ServiceDep) -> Response:
    given = await forms.given(request)
    try:
        body = await forms.read(request, IntegrationCreate)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            made, key = await integration_service.create(
                session, body.model_dump(), actor=acting(visitor.user), now=now
            )
            key_of, kind, secret = made.id, made.kind, key.secret
    except REFUSED as fault:
        return await _form(request, visitor, service, None, given, asked.told(fault))
    return _key(request, visitor, service, (key_of, body.name, kind), secret)


@router.get("/{integration_id}")
async def show(
    request: Request,
    visitor: VisitorDep,
    service: ServiceDep,
    integration_id: KeyPath,
    outcome: str = "",
) -> HTMLResponse:
    number = listing.page_of(request)
    where = AlertFilter(integration_id, outcome=asked.among([outcome], AlertOutcome))
    async with service.database.reading() as session:
        shown = await _require(session, integration_id)
        found = await crud_alert.list_page(session, where, Window(listing.PER_PAGE, number))
        alerts = await alert_service.told(session, found.items, now=visitor.now)
    return render(
        request,
        visitor,
        "integrations/show.html",
        shown=shown,
        found=listing.shown(found, number),
        alerts=alerts,
        kinds=KINDS,
        outcome=outcome if where.outcome else "",
        outcomes=OUTCOMES,
        steps=snippets.steps(shown.kind, asked.own_address(service, request)),
        live_keys=sum(key.revoked_at is None for key in shown.keys),
    )


@router.get("/{integration_id}/edit")
async def show_edit(
    request: Request, visitor: AdminDep, service: ServiceDep, integration_id: KeyPath
) -> Response:
    async with service.database.reading() as session:
        shown = await _require(session, integration_id)
    given = {
        "name": shown.name,
        "service": shown.service or "",
        "default_severity": shown.default_severity.value,
        "is_active": str(shown.is_active).lower(),
        **meanwhile.seen(shown),
    }
    return await _form(request, visitor, service, shown, given, {})


@router.post("/{integration_id}/edit")
async def edit(
    request: Request, visitor: AdminDep, service: ServiceDep, integration_id: KeyPath
) -> Response:
    given = await forms.given(request)
    async with service.database.reading() as session:
        shown = await _require(session, integration_id)
    try:
        body = await forms.read(request, IntegrationUpdate, empties=("name", "service"))
        fields = body.model_dump(exclude_unset=True)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            written = await integration_service.update(session, integration_id, fields, now=now)
            meanwhile.require_next(given, written)
    except REFUSED as fault:
        return await _form(request, visitor, service, shown, given, asked.told(fault))
    return flash.back(request, f"{PLACE}/{integration_id}", "Your changes are saved.")


@router.post("/{integration_id}/keys")
async def add_key(
    request: Request, visitor: AdminDep, service: ServiceDep, integration_id: KeyPath
) -> Response:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        key = await integration_service.add_key(session, integration_id, now=now)
        secret = key.secret
    async with service.database.reading() as session:
        shown = await _require(session, integration_id)
    return _key(request, visitor, service, (shown.id, shown.name, shown.kind), secret)


@router.post("/{integration_id}/keys/{key_id}/revoke")
async def revoke_key(
    request: Request,
    visitor: AdminDep,
    service: ServiceDep,
    integration_id: KeyPath,
    key_id: KeyPath,
) -> Response:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await integration_service.revoke_key(session, integration_id, key_id, now=now)
    return flash.back(request, f"{PLACE}/{integration_id}", "The key lets nothing in any more.")


@router.post("/{integration_id}/alerts/{alert_id}/replay")
async def replay(
    request: Request,
    visitor: RespondingDep,
    service: ServiceDep,
    integration_id: KeyPath,
    alert_id: KeyPath,
) -> Response:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        items = await alert_service.replay(
            session,
            alert_id,
            None,
            by=acting(visitor.user),
            request_id=request.state.request_id,
            limit=service.service_limit,
            now=now,
        )
    count = "1 alert" if len(items) == 1 else f"{len(items)} alerts"
    return flash.back(request, f"{PLACE}/{integration_id}", f"Read again: {count}.")


async def _require(session: ReadSession, integration_id: int) -> Integration:
    found = await crud_integration.get(session, integration_id)
    if found is None:
        raise NotFoundError("integration", integration_id)
    return found


def _key(
    request: Request,
    visitor: Visitor,
    service: Service,
    made: tuple[int, str, IntegrationKind],
    secret: str,
) -> Response:
    """A key, this once, in what is pasted into the tool."""
    key_of, name, kind = made
    return render(
        request,
        visitor,
        "integrations/key.html",
        integration_id=key_of,
        name=name,
        key_text=secret,
        steps=snippets.steps(kind, asked.own_address(service, request), secret),
    )


async def _form(
    request: Request,
    visitor: Visitor,
    service: Service,
    shown: Integration | None,
    given: Mapping[str, Any],
    errors: Mapping[str, str],
) -> Response:
    async with service.database.reading() as session:
        offered = await choices.offered(session, now=visitor.now)
    return render(
        request,
        visitor,
        "integrations/edit.html",
        status=422 if errors else 200,
        shown=shown,
        given=given,
        errors=errors,
        kinds=list(KINDS.items()),
        services=offered.services,
    )
