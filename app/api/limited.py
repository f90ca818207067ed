"""The door that counts: it stands before all routes but those of alerts, which count themselves.

Every answer to a request that is limited, or to the handshake of a WebSocket, says how its caller
stands, in the headers of draft-ietf-httpapi-ratelimit-headers; a refusal also says when to try
again.
"""

from collections.abc import Callable
from typing import Any

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import answers, render_refusal
from app.api.express import DOORS
from app.api.limits import PINGS_AT, UNLIMITED, Limits, refusal, told
from app.core import source

# The page for a browser that asked for one and gets this answer instead; None for a program.
FailurePage = Callable[[Scope, Response], Response | None]
# What begins an answer. A handshake is accepted, or refused as any request is.
STARTS = ("http.response.start", "websocket.accept", "websocket.http.response.start")
HEADERS: dict[str, dict[str, Any]] = {
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": {"type": "integer"},
        "example": 42,
    },
    "RateLimit-Policy": {
        "description": "The category, its quota `q`, and the window `w` in seconds.",
        "schema": {"type": "string"},
        "example": '"writes";q=100;w=60',
    },
    "RateLimit": {
        "description": "What remains (`r`), and after how many seconds it grows again (`t`).",
        "schema": {"type": "string"},
        "example": '"writes";r=0;t=42',
    },
}


class Limited:
    """Pure ASGI: refuses a caller who asks too often before anything is done for the request."""

    def __init__(self, app: ASGIApp, limits: Limits, page: FailurePage | None = None) -> None:
        self.app = app
        self.limits = limits
        self.page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":  # nobody asks for anything
            await self.app(scope, receive, send)
            return
        found = await self.limits.ask(scope)
        if found is None:
            await self.app(scope, receive, send)
            return
        headers = [(k.lower().encode(), v.encode()) for k, v in told(*found).items()]

        async def send_told(message: Message) -> None:
            if message["type"] in STARTS:
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        if not found[1].is_allowed:
            answer = await render_refusal(HTTPConnection(scope), refusal(*found))
            shown = self.page(scope, answer) if self.page is not None else None
            await (shown or answer)(scope, receive, send_told)
            return
        await self.app(scope, receive, send_told)
        caller = source.current()
        if caller is not None:
            self.limits.remember(scope, caller)


def describe(document: dict[str, Any]) -> None:
    """Say in the OpenAPI document what any operation can answer to somebody who asks too often."""
    for path, operations in document["paths"].items():
        if path.startswith((*UNLIMITED, PINGS_AT)) or path in DOORS:
            continue
        for operation in operations.values():
            found = operation["responses"].setdefault("429", _described())
            found["headers"] = HEADERS


def _described() -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ErrorRead"}
    description = answers(429)[429]["description"]
    return {"description": description, "content": {"application/json": {"schema": schema}}}
