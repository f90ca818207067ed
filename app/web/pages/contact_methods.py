"""One's own addresses: added, proved by the code that is sent there, tried, and removed.

What sends something is counted first, in a unit of work of its own.
"""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service
from app.api.throttling import count
from app.db.session import WriteSession, transaction_time
from app.domain.notification import Channel
from app.models import ContactMethod
from app.schemas.contact_method import (
    ChatMethodCreate,
    CodeWrite,
    ContactMethodUpdate,
    EmailMethodCreate,
    SmsMethodCreate,
    WebhookMethodCreate,
)
from app.services import contact_method as contact_method_service
from app.services import notification_preference as notification_preference_service
from app.services.contact_method import CodeSent, InvalidCodeError, NewMethod
from app.web import asked, flash, forms, incident_form
from app.web.asked import REFUSED
from app.web.deps import Visitor, VisitorDep
from app.web.templating import render

router = APIRouter(prefix="/profile/contact", include_in_schema=False, route_class=BoundedRoute)

PLACE = "/profile/contact"
Shape = EmailMethodCreate | SmsMethodCreate | WebhookMethodCreate | ChatMethodCreate
# What each way is called by people, the shape it has, and what its address is called there.
WAYS: dict[str, tuple[str, type[Shape], str]] = {
    Channel.EMAIL.value: ("Mail", EmailMethodCreate, "address"),
    Channel.SMS.value: ("Text message", SmsMethodCreate, "phone"),
    Channel.CHAT.value: ("Chat (Apprise URL)", ChatMethodCreate, "url"),
    Channel.WEBHOOK.value: ("Webhook", WebhookMethodCreate, "url"),
}
ADDRESSES = ("address", "phone", "url")


@router.get("")
async def show(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    return await _page(request, visitor, service)


@router.post("")
async def create(request: Request, visitor: VisitorDep, service: ServiceDep) -> Response:
    """Add an address; a code is sent there at once."""
    given = await forms.given(request)
    user = visitor.user
    try:
        address, new = _read(given, service, visitor)
        if not address.proves_itself:
            await count(
                service,
                contact_method_service.code_tries(user.id, address.channel, address.text),
            )

        async def add(session: WriteSession) -> CodeSent | None:
            now = await transaction_time(session)
            _, sent = await contact_method_service.create(
                session, user.id, new, service.vault, now=now
            )
            return sent

        sent = await service.database.write(add)
    except REFUSED as fault:
        return await _page(request, visitor, service, given, asked.told(fault))
    return flash.back(request, PLACE, _said(service, sent) if sent else "It is added.")


@router.post("/{contact_method_id}/send-code")
async def send_code(
    request: Request, visitor: VisitorDep, service: ServiceDep, contact_method_id: KeyPath
) -> Response:
    user_id = visitor.user.id
    async with service.database.reading() as session:
        method = await contact_method_service.require_unverified(
            session, user_id, contact_method_id
        )
        channel, address = method.channel, method.address
    await count(service, contact_method_service.code_tries(user_id, channel, address))

    async def send(session: WriteSession) -> CodeSent:
        now = await transaction_time(session)
        return await contact_method_service.send_code(session, user_id, contact_method_id, now=now)

    return flash.back(request, PLACE, _said(service, await service.database.write(send)))


@router.post("/{contact_method_id}/verify")
async def verify(
    request: Request, visitor: VisitorDep, service: ServiceDep, contact_method_id: KeyPath
) -> Response:
    try:
        body = await forms.read(request, CodeWrite)

        async def prove(session: WriteSession) -> ContactMethod | InvalidCodeError:
            now = await transaction_time(session)
            return await contact_method_service.verify(
                session, visitor.user.id, contact_method_id, body.code, service.signer, now=now
            )

        # A wrong code is counted, so it is an answer and no rollback.
        verified = await service.database.write(prove)
        if isinstance(verified, InvalidCodeError):
            raise verified
    except REFUSED as fault:
        said = "; ".join(asked.told(fault).values())
        errors = {f"code-{contact_method_id}": said}
        return await _page(request, visitor, service, {}, errors)
    return flash.back(request, PLACE, "It is yours. Pages go there from now on.")


@router.post("/{contact_method_id}/test")
async def test(
    request: Request, visitor: VisitorDep, service: ServiceDep, contact_method_id: KeyPath
) -> Response:
    await count(service, contact_method_service.test_tries(visitor.user.id))

    async def send(session: WriteSession) -> str:
        now = await transaction_time(session)
        method, _ = await contact_method_service.send_test(
            session, visitor.user.id, contact_method_id, now=now
        )
        return f"A test message is on its way to {method.address}."

    return flash.back(request, PLACE, await service.database.write(send))


@router.post("/{contact_method_id}/updates")
async def switch_updates(
    request: Request, visitor: VisitorDep, service: ServiceDep, contact_method_id: KeyPath
) -> Response:
    """Whether it is told, too, what became of what it was paged for."""
    body = await forms.read(request, ContactMethodUpdate)
    fields = body.model_dump(exclude_unset=True)
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await contact_method_service.update(
            session, visitor.user.id, contact_method_id, fields, now=now
        )
    return flash.back(request, PLACE, "Your changes are saved.")


@router.post("/{contact_method_id}/remove")
async def remove(
    request: Request, visitor: VisitorDep, service: ServiceDep, contact_method_id: KeyPath
) -> Response:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await contact_method_service.remove(session, visitor.user.id, contact_method_id, now=now)
    return flash.back(request, PLACE, "It is removed, and the rules that used it.")


def _read(given: dict[str, str], service: Service, visitor: Visitor) -> tuple[Any, NewMethod]:
    channel = given.get("channel", "")
    _, shape, name = WAYS.get(channel, WAYS[Channel.EMAIL.value])
    wanted = {
        "channel": channel,
        name: given.get("where", ""),
        "label": given.get("label", "").strip() or None,
        "wants_updates": given.get("wants_updates") == "true",
    }
    body = incident_form.shaped(shape, wanted, given)
    address = contact_method_service.read(
        body.channel, body.given, service.objection, by=visitor.user
    )
    return address, NewMethod(address, body.label, body.wants_updates)


def _said(service: Service, sent: CodeSent) -> str:
    return sent.message(notification_preference_service.unconfigured(service.channel_states()))


async def _page(
    request: Request,
    visitor: Visitor,
    service: Service,
    given: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> HTMLResponse:
    async with service.database.reading() as session:
        methods = await contact_method_service.methods(session, visitor.user.id)
    found = dict(errors or {})
    where = next((found.pop(name) for name in ADDRESSES if name in found), None)
    return render(
        request,
        visitor,
        "profile/contact.html",
        status=422 if errors else 200,
        methods=methods,
        ways=[(value, words) for value, (words, _, _) in WAYS.items()],
        given=given or {},
        errors=found,
        where_error=where,
        silent=notification_preference_service.unconfigured(service.channel_states()),
    )
