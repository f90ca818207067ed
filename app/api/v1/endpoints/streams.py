"""The streams: what happens, told as it happens, over SSE and over WebSocket."""

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, WebSocket
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.websockets import WebSocketDisconnect

from app.api import callers
from app.api.bounds import BoundedRoute
from app.api.browser import is_from_elsewhere, login_of
from app.api.deps import CurrentUser, ServiceDep, bearer, logged_in
from app.api.errors import answers, envelope
from app.api.event_stream import REFUSED, EventStream, converse
from app.api.feed import Wanted, good_listeners
from app.api.state import Service
from app.core import stream_ticket
from app.core.errors import TocsinError, UnauthorizedError
from app.core.paging import BIGGEST_KEY
from app.core.stream_ticket import Listener
from app.db.session import transaction_time
from app.domain.event import Audience, EventType
from app.models import User
from app.schemas.event import StreamTicketRead

router = APIRouter(tags=["streams"], route_class=BoundedRoute)

TRY_LATER = 1013
FIRST_MESSAGE_PATIENCE = 10.0  # seconds for a WebSocket to say who it is
MOST = 100  # values of one filter


def _example(lines: str) -> dict[int | str, dict[str, Any]]:
    """The document's entry for an endless answer."""
    return {
        200: {
            "description": "Events as they happen, each with its place in the feed as `id`."
            " Every 15 s at least a comment, and the bookmark. `event: reset`: what was not read"
            " is no longer kept.",
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": lines}},
        }
    }


_CONSOLE = _example(
    "retry: 3000\n\nid: 4711\nevent: incident.status_changed\n"
    'data: {"id":4711,"type":"incident.status_changed","incident_id":7,"service":"db",'
    '"severity":"high","data":{"title":"Disk full","entry":"acknowledged"},'
    '"created_at":"2026-11-21T19:43:20Z"}\n\n: heartbeat\n\n'
)
_PUBLIC = _example(
    "retry: 3000\n\nid: 4712\nevent: incident.update_posted\n"
    'data: {"id":4712,"type":"incident.update_posted","data":{"public_id":"inc_8fGk2",'
    '"title":"Checkout is slow","status":"investigating","body":"We are looking into it.",'
    '"components":["Checkout"]},"created_at":"2026-11-21T19:43:20Z"}\n\n'
)

Types = Annotated[
    list[EventType], Query(description="Only these types of events.", max_length=MOST)
]
Place = Annotated[int | None, Query(ge=0, le=BIGGEST_KEY)]
LastEventId = Annotated[
    int | None,
    Query(
        ge=0,
        le=BIGGEST_KEY,
        description="Begin after this event; without it, begin now. The header `Last-Event-ID`,"
        " which browsers send by themselves when they come back, goes before it.",
    ),
]
LastEventIdHeader = Annotated[int | None, Header(alias="Last-Event-ID", ge=0, le=BIGGEST_KEY)]
Follow = Annotated[
    bool, Query(description="`false`: end after what has happened already, wait for nothing.")
]
Changes = Annotated[
    bool,
    Query(
        description="Also `event: changed`, whose `resources` name kinds of things that somebody"
        " changed just now (`service`, `webhook`), as the audit log calls them. A hint to look"
        " again: it is not kept, has no id, and says nothing of what was changed."
    ),
]
IncidentIds = Annotated[
    list[Annotated[int, Query(ge=1, le=BIGGEST_KEY)]],
    Query(description="Only about these incidents.", max_length=MOST),
]
Ticket = Annotated[str | None, Query(max_length=200, description="From `POST /v1/stream/tickets`.")]


def _listener(service: Service, user: User, token: str | None) -> Listener:
    """Whoever has just been let in, and by what."""
    if user.key is not None:
        return Listener(user.id, key_id=user.key.id)
    claims = service.signer.read_access_token(token or "")
    assert claims is not None  # logged_in has read the same token
    return Listener(user.id, session_id=claims[1])


async def _bearer_of_ticket(service: Service, ticket: str) -> Listener:
    async with service.database.reading() as session:
        now = await transaction_time(session)
    listener = stream_ticket.read(service.signer, ticket, now=now)
    if listener is None:
        raise UnauthorizedError("This ticket is wrong, or older than a minute; get another.")
    is_good = await good_listeners(service.database, [listener])
    if not is_good(listener):
        raise UnauthorizedError("The login that this ticket was for is over; log in again.")
    return listener


async def _who_listens(
    connection: HTTPConnection,
    service: ServiceDep,
    token: Annotated[str | None, Depends(bearer)],
    header: Annotated[str | None, Depends(callers.key_header)],
    ticket: Ticket = None,
) -> Listener:
    """Whoever has logged in, has an API key, brings a ticket, or is a browser that is signed in."""
    if ticket is not None:
        return await _bearer_of_ticket(service, ticket)
    if token is None and header is None and not is_from_elsewhere(service, connection):
        login = await login_of(service, connection)
        if login is not None:
            callers.note_person(connection, login.user)
            return Listener(login.user.id, session_id=login.session_id)
    user = await logged_in(connection, service, token, header)
    return _listener(service, user, token)


@router.post("/stream/tickets", response_model=StreamTicketRead, responses=answers(401, 403))
async def create_stream_ticket(
    service: ServiceDep,
    user: CurrentUser,
    token: Annotated[str | None, Depends(bearer)],
) -> dict[str, Any]:
    """Get a ticket for a stream.

    For `EventSource` and `WebSocket` in browsers, which can send no header: the ticket goes into
    the URL, opens streams only, and is good for a minute and while your login is.
    """
    async with service.database.reading() as session:
        now = await transaction_time(session)
    ticket = stream_ticket.issue(service.signer, _listener(service, user, token), now=now)
    return {"ticket": ticket, "expires_in": int(stream_ticket.LIFE.total_seconds())}


@router.get("/stream", response_class=Response, responses=_CONSOLE | answers(401, 403, 422))
async def stream_events(
    service: ServiceDep,
    listener: Annotated[Listener, Depends(_who_listens)],
    types: Types = [],  # noqa: B006
    incident_id: IncidentIds = [],  # noqa: B006
    last_event_id: LastEventId = None,
    resumed_at: LastEventIdHeader = None,
    *,
    changes: Changes = False,
    follow: Follow = True,
) -> Response:
    """Listen to what happens.

    Server-Sent Events, in the order in which everybody sees them. A stream that ends (a replica
    stops, a reader is too slow) is taken up again with the id of the last event: nothing is
    missed and nothing comes twice. It ends within a minute of the login that opened it. This is
    the one route that the cookie of the console opens, for pages of this very address.
    """
    wanted = Wanted(Audience.CONSOLE, frozenset(types), frozenset(incident_id), changes)
    after = last_event_id if resumed_at is None else resumed_at
    reader, is_lost = await service.feed.open(wanted, listener, after)
    return EventStream(service.feed, reader, is_lost=is_lost, follow=follow)


@router.get("/public/stream", response_class=Response, responses=_PUBLIC | answers(422))
async def stream_public_events(
    service: ServiceDep,
    types: Types = [],  # noqa: B006
    last_event_id: LastEventId = None,
    resumed_at: LastEventIdHeader = None,
    *,
    follow: Follow = True,
) -> Response:
    """Listen to what the public is told.

    What was written for the public and nothing else; needs no login.
    """
    wanted = Wanted(Audience.PUBLIC, frozenset(types))
    after = last_event_id if resumed_at is None else resumed_at
    reader, is_lost = await service.feed.open(wanted, None, after)
    return EventStream(service.feed, reader, is_lost=is_lost, follow=follow)


@router.get("/ws", include_in_schema=False)
async def refuse_to_listen(request: Request) -> Response:
    """What came without an upgrade is told what it takes."""
    return envelope(
        request.state.request_id,
        426,
        "UPGRADE_REQUIRED",
        "This address takes WebSockets only: connect to it with ws:// or wss://, through proxies"
        " that pass on `Upgrade` and `Connection`, or listen at /v1/stream instead.",
        headers={"Upgrade": "websocket", "Connection": "Upgrade"},
    )


@router.websocket("/ws")
async def listen(
    socket: WebSocket,
    ticket: Ticket = None,
    types: Types = [],  # noqa: B006
    incident_id: IncidentIds = [],  # noqa: B006
    last_event_id: Place = None,
) -> None:
    """The same events over WebSocket; who it is may also be the first message."""
    service: Service = socket.app.state.service
    await socket.accept()
    try:
        listener = await _who_talks(socket, service, ticket)
        wanted = Wanted(Audience.CONSOLE, frozenset(types), frozenset(incident_id))
        reader, is_lost = await service.feed.open(wanted, listener, last_event_id)
    except TocsinError as refusal:
        told = {"type": "error", "code": refusal.code, "message": refusal.message}
        await socket.send_text(json.dumps(told))
        is_ours = isinstance(refusal, UnauthorizedError)
        await socket.close(REFUSED if is_ours else TRY_LATER, refusal.code)
    except WebSocketDisconnect:
        pass
    else:
        await converse(socket, service.feed, reader, is_lost=is_lost)


async def _who_talks(socket: WebSocket, service: Service, ticket: str | None) -> Listener:
    """By ticket, by header, or by what is said first."""
    if ticket is not None:
        return await _bearer_of_ticket(service, ticket)
    scheme, _, token = socket.headers.get("authorization", "").partition(" ")
    secret = token if scheme.lower() == "bearer" else None
    header = socket.headers.get("x-api-key")
    if secret is None and header is None:
        listener = await _who_says_so(socket, service)
        await service.limits.count_late(listener)
        return listener
    user = await logged_in(socket, service, secret, header)
    return _listener(service, user, secret)


async def _who_says_so(socket: WebSocket, service: Service) -> Listener:
    said = await _first_message(socket)
    if "ticket" in said:
        return await _bearer_of_ticket(service, said["ticket"])
    secret = said.get("token")
    user = await logged_in(socket, service, secret, None)
    return _listener(service, user, secret)


async def _first_message(socket: WebSocket) -> dict[str, str]:
    """What somebody says who has not said yet who they are."""
    try:
        async with asyncio.timeout(FIRST_MESSAGE_PATIENCE):
            message = await socket.receive()
    except TimeoutError:
        raise UnauthorizedError('Say who you are: {"token": "…"} or {"ticket": "…"}.') from None
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    try:
        said = json.loads(message.get("text") or "")
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        said = {}
    return {name: word for name, word in said.items() if isinstance(word, str)}
