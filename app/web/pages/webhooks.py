"""Outgoing webhooks at the console: who is told of what, how each telling went, and again."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.crud import crud_webhook, crud_webhook_delivery
from app.crud.base import ALWAYS, Window
from app.db.session import transaction_time
from app.domain.event import EventType
from app.domain.incident import Severity
from app.domain.webhook import DeliveryStatus
from app.models import WebhookSubscription
from app.schemas.webhook import WebhookSubscriptionCreate, WebhookSubscriptionUpdate
from app.services import webhook as webhook_service
from app.web import asked, flash, incident_form, listing, meanwhile
from app.web.asked import REFUSED
from app.web.deps import AdminDep, Visitor
from app.web.incident_form import Typed
from app.web.templating import render

router = APIRouter(prefix="/webhooks", include_in_schema=False, route_class=BoundedRoute)

PLACE = "/webhooks"
STATUSES = {
    "": "All",
    DeliveryStatus.FAILED.value: "Failed",
    DeliveryStatus.PENDING.value: "Waiting",
    DeliveryStatus.DELIVERED.value: "Delivered",
    DeliveryStatus.CANCELLED.value: "Cancelled",
}


@router.get("")
async def show_list(request: Request, visitor: AdminDep, service: ServiceDep) -> HTMLResponse:
    number = listing.page_of(request)
    async with service.database.reading() as session:
        found = await crud_webhook.list_page(session, Window(listing.PER_PAGE, number))
    shown = listing.shown(found, number)
    return render(request, visitor, "webhooks/list.html", found=shown)


@router.get("/new")
async def show_new(request: Request, visitor: AdminDep) -> Response:
    return _form(request, visitor, None, {"is_active": "true"}, {})


@router.post("/new")
async def create(request: Request, visitor: AdminDep, service: ServiceDep) -> Response:
    given = await incident_form.typed(request)
    try:
        body = incident_form.shaped(WebhookSubscriptionCreate, _body(given), given)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            made, secret = await webhook_service.create(
                session,
                body.model_dump(),
                service.vault,
                service.objection,
                by=visitor.user,
                now=now,
            )
            key = made.id
    except REFUSED as fault:
        return _form(request, visitor, None, given, asked.told(fault))
    return _secret(request, visitor, key, body.name, secret)


@router.get("/{subscription_id}")
async def show(
    request: Request,
    visitor: AdminDep,
    service: ServiceDep,
    subscription_id: KeyPath,
    status: str = "",
) -> HTMLResponse:
    number = listing.page_of(request)
    statuses = asked.among([status], DeliveryStatus)
    async with service.database.reading() as session:
        hook = await webhook_service.require(session, subscription_id)
        found = await crud_webhook_delivery.list_page(
            session, subscription_id, statuses, ALWAYS, Window(listing.PER_PAGE, number)
        )
    return render(
        request,
        visitor,
        "webhooks/show.html",
        hook=hook,
        found=listing.shown(found, number),
        only=status if statuses else "",
        statuses=STATUSES,
    )


@router.get("/{subscription_id}/edit")
async def show_edit(
    request: Request, visitor: AdminDep, service: ServiceDep, subscription_id: KeyPath
) -> Response:
    async with service.database.reading() as session:
        hook = await webhook_service.require(session, subscription_id)
    given = {
        "name": hook.name,
        "url": hook.url,
        "event_types[]": hook.event_types,
        "services": ", ".join(hook.services),
        "severities[]": hook.severities,
        "is_active": str(hook.is_active).lower(),
        **meanwhile.seen(hook),
    }
    return _form(request, visitor, hook, given, {})


@router.post("/{subscription_id}/edit")
async def edit(
    request: Request, visitor: AdminDep, service: ServiceDep, subscription_id: KeyPath
) -> Response:
    given = await incident_form.typed(request)
    async with service.database.reading() as session:
        hook = await webhook_service.require(session, subscription_id)
    try:
        body = incident_form.shaped(WebhookSubscriptionUpdate, _body(given), given)
        fields = body.model_dump(exclude_unset=True)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            written = await webhook_service.update(
                session, subscription_id, fields, service.objection, now=now
            )
            meanwhile.require_next(given, written)
    except REFUSED as fault:
        return _form(request, visitor, hook, given, asked.told(fault))
    return flash.back(request, f"{PLACE}/{subscription_id}", "Your changes are saved.")


@router.post("/{subscription_id}/delete")
async def delete(
    request: Request, visitor: AdminDep, service: ServiceDep, subscription_id: KeyPath
) -> Response:
    async with service.database.writing() as session:
        await webhook_service.remove(session, subscription_id, now=await transaction_time(session))
    return flash.back(request, PLACE, "Nothing more is sent there.")


@router.post("/{subscription_id}/rotate")
async def rotate(
    request: Request, visitor: AdminDep, service: ServiceDep, subscription_id: KeyPath
) -> Response:
    overlap = timedelta(hours=service.settings.webhook_overlap_hours)
    async with service.database.writing() as session:
        now = await transaction_time(session)
        hook = await webhook_service.require(session, subscription_id)
        made = await webhook_service.rotate(
            session, subscription_id, service.vault, overlap=overlap, now=now
        )
        name, secret = hook.name, made.secret
    return _secret(request, visitor, subscription_id, name, secret)


@router.post("/{subscription_id}/test")
async def test(
    request: Request, visitor: AdminDep, service: ServiceDep, subscription_id: KeyPath
) -> Response:
    """Send a ping now; what came back is said on the page."""
    async with service.database.reading() as session:
        now = await transaction_time(session)
        hook = await webhook_service.ping(session, subscription_id, service.vault, now=now)
    heard = await service.send_hook(hook)
    code = "" if heard.status is None else f" with {heard.status}"
    said = f"It took the ping{code}, in {heard.seconds:.2f} s."
    if not heard.is_taken:
        said = f"It did not take the ping: {heard.error}"
    return flash.back(request, f"{PLACE}/{subscription_id}", said)


@router.post("/{subscription_id}/deliveries/{delivery_id}/replay")
async def replay(
    request: Request,
    visitor: AdminDep,
    service: ServiceDep,
    subscription_id: KeyPath,
    delivery_id: KeyPath,
) -> Response:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await webhook_service.replay(session, subscription_id, delivery_id, now=now)
    return flash.back(request, f"{PLACE}/{subscription_id}", "It is sent again, now.")


def _body(given: Typed) -> dict[str, Any]:
    return {
        "name": given.get("name", ""),
        "url": given.get("url", ""),
        "event_types": given.get("event_types[]", []),
        "services": incident_form.tags(given.get("services", "")),
        "severities": given.get("severities[]", []),
        "is_active": given.get("is_active") == "true",
    }


def _secret(
    request: Request, visitor: Visitor, subscription_id: int, name: str, secret: str
) -> Response:
    return render(
        request,
        visitor,
        "webhooks/secret.html",
        subscription_id=subscription_id,
        name=name,
        secret_text=secret,
    )


def _form(
    request: Request,
    visitor: Visitor,
    hook: WebhookSubscription | None,
    given: Mapping[str, Any],
    errors: Mapping[str, str],
) -> Response:
    return render(
        request,
        visitor,
        "webhooks/edit.html",
        status=422 if errors else 200,
        hook=hook,
        given=given,
        errors=errors,
        kinds=[kind.value for kind in EventType],
        severities=[severity.value for severity in Severity],
    )
