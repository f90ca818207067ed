"""Where the public subscribes, proves an address, chooses and leaves: the same in HTML.

Everything works without JavaScript. Reading changes nothing, because mail scanners follow links;
a button acts. Mail programs post to the unsubscribe link by themselves (RFC 8058). Whoever holds a
link needs no other proof, so no form carries one: a stranger's page cannot know the link.
"""

from typing import Any

from fastapi import APIRouter, Request, Response

from app.api.bounds import BoundedRoute
from app.api.client import client_of
from app.api.deps import FromAnybody, Now, ReadSession, ServiceDep, WriteSession
from app.api.errors import status_of
from app.api.state import Service
from app.api.subscribing import closed_channels, keys_of, send_link
from app.core.errors import TocsinError
from app.crud import crud_subscriber
from app.db.session import ReadSession as Reading
from app.db.session import transaction_time
from app.domain.notification import Channel
from app.domain.public_page import PublicPage
from app.domain.subscriber import CHANNELS, Cadence
from app.schemas.subscriber import PublicSubscriberCreate, PublicSubscriberUpdate
from app.services import subscriber as subscriber_service
from app.services import subscriber_shown
from app.services.subscriber import SubscriberLinkRefusedError
from app.web import public_page as draw
from app.web.forms import FormFault, faults_of, read
from app.web.pages.status import POLICY
from app.web.subscriber_form import chosen as chosen_in

router = APIRouter(
    prefix="/status",
    include_in_schema=False,
    route_class=BoundedRoute,
    dependencies=[FromAnybody],
)

WAYS = {
    Channel.EMAIL: "Mail",
    Channel.WEBHOOK: "Webhook",
    Channel.CHAT: "Chat",
    Channel.SMS: "Text message",
}
SAID = {
    "confirm": "You are subscribed.",
    "unsubscribe": "You are unsubscribed. Nothing more is sent to you.",
    "choose": "Saved.",
}


@router.get("/subscribe")
async def show_form(
    request: Request, service: ServiceDep, session: ReadSession, incident: str = ""
) -> Response:
    return await _form(request, service, session, {"incident": incident})


@router.post("/subscribe")
async def subscribe(request: Request, service: ServiceDep) -> Response:
    status, headers = 422, {}
    chosen = chosen_in(await request.form())
    try:
        body = (await read(request, PublicSubscriberCreate)).model_copy(update=chosen)
        await send_link(service, body, client=client_of(request))
    except FormFault as fault:
        given, errors = fault.given, fault.errors
    except TocsinError as refusal:
        given, errors = body.model_dump(mode="json"), faults_of(refusal)
        status, wait = status_of(refusal), getattr(refusal, "retry_after", None)
        headers = {} if wait is None else {"Retry-After": str(wait)}
    else:
        async with service.database.reading() as session:
            page = await _picture(request, service, session)
        return _page(draw.subscribing("subscribe_sent", page, channel=body.channel.value))
    async with service.database.reading() as session:
        answer = await _form(
            request, service, session, {**given, **chosen}, errors=errors, status=status
        )
    answer.headers.update(headers)
    return answer


@router.get("/subscribe/{token}/confirm")
async def show_confirm(
    request: Request, service: ServiceDep, session: ReadSession, token: str
) -> Response:
    return await _shown(request, service, session, token, "confirm")


@router.post("/subscribe/{token}/confirm")
async def confirm(
    request: Request, service: ServiceDep, session: WriteSession, token: str, now: Now
) -> Response:
    try:
        await subscriber_service.confirm(session, token, keys_of(service), now=now)
    except TocsinError as refusal:
        return await _refused(request, service, session, refusal)
    return await _shown(request, service, session, token, "choose", said="confirm")


@router.get("/subscribe/{token}")
async def show_preferences(
    request: Request, service: ServiceDep, session: ReadSession, token: str
) -> Response:
    return await _shown(request, service, session, token, "choose")


@router.post("/subscribe/{token}")
async def choose(
    request: Request, service: ServiceDep, session: WriteSession, token: str, now: Now
) -> Response:
    chosen = chosen_in(await request.form())
    keys = keys_of(service)
    try:
        body = await read(request, PublicSubscriberUpdate)
        fields = {**body.model_dump(exclude_unset=True), **chosen}
        found = await subscriber_service.holder(session, token, keys)
        fields = await subscriber_service.with_scopes(session, found.id, fields)
        await subscriber_service.choose_by_link(session, token, fields, keys, now=now)
    except FormFault as fault:
        return await _shown(request, service, session, token, "choose", errors=fault.errors)
    except SubscriberLinkRefusedError as refusal:
        return await _refused(request, service, session, refusal)
    except TocsinError as refusal:
        errors = faults_of(refusal)
        return await _shown(request, service, session, token, "choose", errors=errors)
    return await _shown(request, service, session, token, "choose", said="choose")


@router.get("/unsubscribe/{token}")
async def show_unsubscribe(
    request: Request, service: ServiceDep, session: ReadSession, token: str
) -> Response:
    return await _shown(request, service, session, token, "unsubscribe")


@router.post("/unsubscribe/{token}")
async def unsubscribe(
    request: Request, service: ServiceDep, session: WriteSession, token: str, now: Now
) -> Response:
    """A person's button, and the one click of a mail program."""
    try:
        await subscriber_service.unsubscribe(session, token, keys_of(service), now=now)
    except TocsinError as refusal:
        return await _refused(request, service, session, refusal)
    return await _shown(request, service, session, token, "unsubscribe", said="unsubscribe")


# --- Drawn ------------------------------------------------------------------------------


async def _form(
    request: Request,
    service: Service,
    session: Reading,
    given: dict[str, Any],
    *,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    page = await _picture(request, service, session)
    groups, components = await crud_subscriber.choices(session)
    closed = closed_channels(service)
    title = None
    if given.get("incident"):
        title = await crud_subscriber.title_of(session, str(given["incident"]))
    drawn = draw.subscribing(
        "subscribe",
        page,
        given=given,
        errors=errors or {},
        groups=groups,
        components=components,
        ways=[(way.value, WAYS[way]) for way in CHANNELS if way not in closed],
        about=title,
    )
    return _page(drawn, status)


async def _shown(
    request: Request,
    service: Service,
    session: Reading,
    token: str,
    doing: str,
    *,
    said: str | None = None,
    errors: dict[str, str] | None = None,
) -> Response:
    keys = keys_of(service)
    try:
        found = await subscriber_service.holder(session, token, keys)
    except SubscriberLinkRefusedError as refusal:
        return await _refused(request, service, session, refusal)
    groups, components = await crud_subscriber.choices(session)
    drawn = draw.subscribing(
        "subscription",
        await _picture(request, service, session),
        shown=await subscriber_shown.to_its_holder(session, found, keys),
        doing=doing,
        said=SAID.get(said or ""),
        errors=errors or {},
        groups=groups,
        components=components,
        token=token,
        frequencies=[one.value for one in Cadence],
    )
    return _page(drawn, 422 if errors else 200)


async def _refused(
    request: Request, service: Service, session: Reading, refusal: TocsinError
) -> Response:
    page = await _picture(request, service, session)
    drawn = draw.subscribing("subscribe_refused", page, why=refusal.message)
    return _page(drawn, status_of(refusal))


async def _picture(request: Request, service: Service, session: Reading) -> PublicPage:
    address = service.settings.public_url or str(request.base_url)
    now = await transaction_time(session)
    return await service.public_picture.look(session, address.rstrip("/"), now=now)


def _page(drawn: str, status: int = 200) -> Response:
    """What one person sees: no cache keeps it, and its address, which is a secret, goes nowhere."""
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": POLICY,
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
    }
    return Response(drawn.encode(), status, headers=headers, media_type="text/html; charset=utf-8")
