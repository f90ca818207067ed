"""Subscribers of the status page in the console: who they are, what they want, what they were sent.

Whoever is no admin sees addresses masked, and changes nothing.
"""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api import subscriber_files
from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service
from app.api.subscribing import closed_channels, keys_of
from app.core.errors import TocsinError
from app.crud import crud_subscriber, crud_subscriber_delivery_list
from app.crud.base import Window
from app.crud.crud_subscriber import Scopes, SubscriberFilter
from app.crud.crud_subscriber_delivery_list import DeliveryFilter
from app.db.session import ReadSession, transaction_time
from app.domain.notification import Channel
from app.domain.subscriber import CHANNELS, Cadence, LetterStatus, SubscriberState
from app.schemas.subscriber import SubscriberCreate, SubscriberUpdate
from app.services import subscriber as subscriber_service
from app.services import subscriber_delivery as delivery_service
from app.services import subscriber_shown
from app.services.subscriber_keys import Wishes
from app.web import flash, forms, listing
from app.web.deps import AdminDep, RespondingDep, Visitor
from app.web.forms import FormFault
from app.web.subscriber_form import chosen
from app.web.templating import render

router = APIRouter(prefix="/subscribers", include_in_schema=False, route_class=BoundedRoute)

STATES = {
    "": "All",
    SubscriberState.ACTIVE.value: "Told",
    SubscriberState.PENDING.value: "Not confirmed",
    SubscriberState.BOUNCING.value: "Paused",
    SubscriberState.UNSUBSCRIBED.value: "Left",
}
WAYS = {
    Channel.EMAIL.value: "Mail",
    Channel.WEBHOOK.value: "Webhook",
    Channel.CHAT.value: "Chat",
    Channel.SMS.value: "Text message",
}
STATUSES = {
    "": "All",
    LetterStatus.PENDING.value: "Waiting",
    LetterStatus.SENT.value: "Sent",
    LetterStatus.FAILED.value: "Failed",
    LetterStatus.CANCELLED.value: "Cancelled",
}
FEW = 20  # of one subscriber's last messages


@router.get("")
async def show_list(
    request: Request,
    visitor: RespondingDep,
    service: ServiceDep,
    state: str = "",
    channel: str = "",
    q: str = "",
) -> HTMLResponse:
    number = listing.page_of(request)
    search = q.strip()[:255] if visitor.may_administer else ""
    where = SubscriberFilter(
        states=(SubscriberState(state),) if state in STATES and state else (),
        channels=(Channel(channel),) if channel in WAYS else (),
        search=search or None,
    )
    async with service.database.reading() as session:
        found = await crud_subscriber.list_page(session, where, Window(listing.PER_PAGE, number))
        rows = await subscriber_shown.rows(session, found.items, is_whole=visitor.may_administer)
        counts = await crud_subscriber.count_by_state(session)
    return render(
        request,
        visitor,
        "subscribers/list.html",
        found=listing.shown(found, number),
        rows=rows,
        counts={"": sum(counts.values()), **{key.value: n for key, n in counts.items()}},
        states=STATES,
        ways=WAYS,
        state=state if state in STATES else "",
        channel=channel if channel in WAYS else "",
        q=search,
    )


@router.get("/export")
async def export(_: AdminDep, service: ServiceDep) -> Response:
    return await subscriber_files.export(service.database)


@router.get("/new")
async def show_new(request: Request, visitor: AdminDep, service: ServiceDep) -> Response:
    return await _new(request, visitor, service, {}, {})


@router.post("")
async def create(request: Request, visitor: AdminDep, service: ServiceDep) -> Response:
    given: dict[str, Any] = {**await forms.given(request), **chosen(await request.form())}
    keys, closed = keys_of(service), closed_channels(service)
    try:
        wanted = await forms.read(request, SubscriberCreate)
        address = subscriber_service.read(
            wanted.channel, wanted.address, service.objection, unconfigured=closed, by_admin=True
        )
        scopes = Scopes(tuple(given["components"]), tuple(given["groups"]))
        wishes = Wishes(scopes.count == 0, scopes, wanted.frequency)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            made = await subscriber_service.add(
                session,
                address,
                wishes,
                keys,
                have_agreed=wanted.have_agreed,
                by=visitor.user,
                now=now,
            )
    except FormFault as fault:
        return await _new(request, visitor, service, given, fault.errors)
    except TocsinError as error:
        return await _new(request, visitor, service, given, forms.faults_of(error))
    said = "They are told from now on." if wanted.have_agreed else "They are sent a link to follow."
    return flash.back(request, f"/subscribers/{made.id}", said)


@router.get("/deliveries")
async def show_deliveries(
    request: Request, visitor: RespondingDep, service: ServiceDep, status: str = ""
) -> HTMLResponse:
    number = listing.page_of(request)
    statuses = (LetterStatus(status),) if status in STATUSES and status else ()
    async with service.database.reading() as session:
        found = await crud_subscriber_delivery_list.list_page(
            session, DeliveryFilter(statuses), Window(listing.PER_PAGE, number)
        )
        shown = await subscriber_shown.deliveries(session, found, is_whole=visitor.may_administer)
        counts = await crud_subscriber_delivery_list.count_by_status(session)
    return render(
        request,
        visitor,
        "subscribers/deliveries.html",
        found=listing.shown(shown, number),
        statuses=STATUSES,
        counts={key.value: count for key, count in counts.items()},
        view=status if status in STATUSES else "",
    )


@router.post("/deliveries/{delivery_id}/resend")
async def resend(
    request: Request, visitor: AdminDep, service: ServiceDep, delivery_id: KeyPath
) -> Response:
    try:
        async with service.database.writing() as session:
            now = await transaction_time(session)
            found = await delivery_service.resend(session, delivery_id, now=now)
    except TocsinError as error:
        return flash.back(request, "/subscribers/deliveries", error.message)
    return flash.back(request, f"/subscribers/{found.subscriber_id}", "It is sent again.")


@router.get("/{subscriber_id}")
async def show(
    request: Request, visitor: RespondingDep, service: ServiceDep, subscriber_id: KeyPath
) -> Response:
    return await _shown(request, visitor, service, subscriber_id, {})


@router.post("/{subscriber_id}")
async def update(
    request: Request, visitor: AdminDep, service: ServiceDep, subscriber_id: KeyPath
) -> Response:
    try:
        wanted = await forms.read(request, SubscriberUpdate)
        fields = {**wanted.model_dump(exclude_unset=True), **chosen(await request.form())}
        async with service.database.writing() as session:
            now = await transaction_time(session)
            fields = await subscriber_service.with_scopes(session, subscriber_id, fields)
            await subscriber_service.update(session, subscriber_id, fields, now=now)
    except FormFault as fault:
        return await _shown(request, visitor, service, subscriber_id, fault.errors)
    except TocsinError as error:
        errors = forms.faults_of(error)
        return await _shown(request, visitor, service, subscriber_id, errors)
    return flash.back(request, f"/subscribers/{subscriber_id}", "It is saved.")


@router.post("/{subscriber_id}/resume")
async def resume(
    request: Request, visitor: AdminDep, service: ServiceDep, subscriber_id: KeyPath
) -> Response:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await subscriber_service.update(session, subscriber_id, {"is_paused": False}, now=now)
    return flash.back(request, f"/subscribers/{subscriber_id}", "The address is told again.")


@router.post("/{subscriber_id}/remove")
async def remove(
    request: Request, visitor: AdminDep, service: ServiceDep, subscriber_id: KeyPath
) -> Response:
    async with service.database.writing() as session:
        await subscriber_service.remove(session, subscriber_id)
    return flash.back(request, "/subscribers", "The address is forgotten.")


# --- Drawn ------------------------------------------------------------------------------


async def _new(
    request: Request,
    visitor: Visitor,
    service: Service,
    given: dict[str, Any],
    errors: dict[str, str],
) -> Response:
    closed = closed_channels(service)
    async with service.database.reading() as session:
        offered = await _offered(session)
    return render(
        request,
        visitor,
        "subscribers/new.html",
        status=422 if errors else 200,
        given=given,
        errors=errors,
        ways=[(way.value, WAYS[way.value]) for way in CHANNELS if way not in closed],
        **offered,
    )


async def _shown(
    request: Request,
    visitor: Visitor,
    service: Service,
    subscriber_id: int,
    errors: dict[str, str],
) -> Response:
    async with service.database.reading() as session:
        found = await subscriber_service.require(session, subscriber_id)
        is_whole = visitor.may_administer
        shown = await subscriber_shown.one(session, found, is_whole=is_whole)
        sent = await crud_subscriber_delivery_list.list_page(
            session, DeliveryFilter(subscriber_id=subscriber_id), Window(FEW)
        )
        letters = await subscriber_shown.deliveries(session, sent, is_whole=is_whole)
        offered = await _offered(session)
    return render(
        request,
        visitor,
        "subscribers/show.html",
        status=422 if errors else 200,
        shown=shown,
        letters=letters.items,
        errors=errors,
        ways=WAYS,
        words=STATES,
        **offered,
    )


async def _offered(session: ReadSession) -> dict[str, Any]:
    groups, components = await crud_subscriber.choices(session)
    frequencies = [
        (Cadence.IMMEDIATE.value, "At once"),
        (Cadence.DAILY.value, "Once a day, at 8:00"),
    ]
    return {"groups": groups, "components": components, "frequencies": frequencies}
