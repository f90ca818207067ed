"""How messages are worded, for admins: every kind on every way, tried before it is kept."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.api.bounds import BoundedRoute
from app.api.deps import ServiceDep
from app.api.state import Service
from app.db.session import transaction_time
from app.messages.render import Rendered
from app.messages.wording import Wording
from app.schemas.message_template import TemplateWrite, WordedChannel, WordedKind
from app.services import message_template as message_template_service
from app.web import asked, flash, forms, incident_form
from app.web.asked import REFUSED
from app.web.deps import AdminDep, Visitor
from app.web.templating import render

router = APIRouter(prefix="/settings", include_in_schema=False, route_class=BoundedRoute)

PLACE = "/settings/messages"


@router.get("")
async def first(_: AdminDep) -> Response:
    return RedirectResponse(PLACE, 303)


@router.get("/messages")
async def show_list(request: Request, visitor: AdminDep, service: ServiceDep) -> HTMLResponse:
    async with service.database.reading() as session:
        found = await message_template_service.templates(session)
    kinds = list(dict.fromkeys(one.kind for one in found))
    grouped = [(kind, [one for one in found if one.kind is kind]) for kind in kinds]
    return render(request, visitor, "settings/messages.html", grouped=grouped)


@router.get("/messages/{kind}/{channel}")
async def show(
    request: Request,
    visitor: AdminDep,
    service: ServiceDep,
    kind: WordedKind,
    channel: WordedChannel,
) -> HTMLResponse:
    return await _page(request, visitor, service, (kind, channel))


@router.post("/messages/{kind}/{channel}")
async def save(
    request: Request,
    visitor: AdminDep,
    service: ServiceDep,
    kind: WordedKind,
    channel: WordedChannel,
) -> Response:
    """Keep the wording, or with the other button only show how it would read."""
    given = await forms.given(request)
    try:
        wanted = {"subject": given.get("subject") or None, "body": given.get("body", "")}
        body = incident_form.shaped(TemplateWrite, wanted, given)
        wording = Wording(body.subject, body.body)
        if given.get("_do") == "preview":
            sample = await message_template_service.preview(kind, channel, wording)
            return await _page(request, visitor, service, (kind, channel), given, sample=sample)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            await message_template_service.save(
                session, kind, channel, wording, by=visitor.user, now=now
            )
    except REFUSED as fault:
        errors = asked.told(fault)
        return await _page(request, visitor, service, (kind, channel), given, errors)
    return flash.back(request, f"{PLACE}/{kind}/{channel}", "The next message reads so.")


@router.post("/messages/{kind}/{channel}/reset")
async def reset(
    request: Request,
    visitor: AdminDep,
    service: ServiceDep,
    kind: WordedKind,
    channel: WordedChannel,
) -> Response:
    async with service.database.writing() as session:
        await message_template_service.reset(session, kind, channel)
    return flash.back(request, f"{PLACE}/{kind}/{channel}", "It reads as it came with Tocsin.")


async def _page(
    request: Request,
    visitor: Visitor,
    service: Service,
    which: tuple[WordedKind, WordedChannel],
    given: dict[str, Any] | None = None,
    errors: dict[str, str] | None = None,
    *,
    sample: Rendered | None = None,
) -> HTMLResponse:
    async with service.database.reading() as session:
        shown = await message_template_service.template(session, *which)
    return render(
        request,
        visitor,
        "settings/message.html",
        status=422 if errors else 200,
        shown=shown,
        sample=sample or shown.sample,
        is_tried=sample is not None,
        given=given or {"subject": shown.subject or "", "body": shown.body or ""},
        errors=errors or {},
        variables=message_template_service.variables(which[0]),
    )
