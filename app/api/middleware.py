"""What happens to every request: an id, a log line, safe headers, and never a bare 500.

Pure ASGI, so that it adds no task and no copy of the body. From the outside in: the context,
which sees every answer; who may call from a browser, so that a script can read even a 500; what
turns a failure into an answer; HEAD; another try for what clashed.
"""

import logging
import re
import time
from collections.abc import Collection
from random import Random

import structlog
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.again import Again, was_in_the_way
from app.api.cors import Cors
from app.api.errors import envelope
from app.api.event_stream import STREAM
from app.api.express import Express
from app.api.handshake import is_no_refusal, shake
from app.api.heads import Heads
from app.api.limited import FailurePage, Limited
from app.api.limits import Limits
from app.core import source, telemetry
from app.core.metrics import Metrics
from app.db.session import is_crowded, is_outage

log = logging.getLogger("tocsin.http")

REQUEST_ID = "X-Request-ID"
names = Random()  # noqa: S311  # of requests: they are no secret
NO_ROUTE = "none"  # files, and what is not there
# An id from outside lands in logs and rows: nothing but short, printable ones.
ACCEPTABLE = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    # For what is no page; a page brings the policy that it needs.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
ONLY_TLS = {"Strict-Transport-Security": "max-age=31536000"}  # other hosts of the domain: not ours
NO_STORE = (b"cache-control", b"no-store")
# What whoever holds a link may do is in its last part.
SECRET_PATH = re.compile(
    "/+(a|v1/+receipts|v1/+calendar|v1/+ping|account/+[^/]+|v1/+public/+subscribers"
    "|status/+subscribe|status/+unsubscribe)/+.+",
    re.DOTALL | re.IGNORECASE,
)


def _raw(name: str, value: str) -> tuple[bytes, bytes]:
    """A header as the server writes it; looking it up by name each time would cost more."""
    return name.lower().encode(), value.encode()


def install(
    app: FastAPI,
    *,
    metrics: Metrics,
    limits: Limits | None = None,
    origins: Collection[str] = (),
    is_https: bool = False,
    with_doors: bool = True,
    failure_page: FailurePage | None = None,
) -> None:
    """Put it all around the application, which people reach by https or not."""
    logging.getLogger("uvicorn.error").addFilter(is_no_refusal)
    app.add_middleware(
        RequestContext,
        metrics=metrics,
        limits=limits,
        origins=origins,
        is_https=is_https,
        with_doors=with_doors,
        failure_page=failure_page,
    )


class RequestContext:
    """Gives each request its id, its log line and its place among the figures, and each answer
    the headers that keep it safe."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics | None = None,
        limits: Limits | None = None,
        origins: Collection[str] = (),
        is_https: bool = False,
        with_doors: bool = True,
        failure_page: FailurePage | None = None,
    ) -> None:
        routed = Heads(Again(Routed(app)))
        limited = Limited(routed, limits, failure_page) if limits is not None else routed
        answering = Failures(Express(limited) if with_doors else routed, failure_page)
        self.app: ASGIApp = Cors(answering, origins) if origins else answering
        self.metrics = metrics or Metrics()
        headers = SAFE_HEADERS | (ONLY_TLS if is_https else {})
        self.headers = [_raw(name, value) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["path"].endswith("/"):  # the same thing; a redirect would lose a tool's POST
            scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        offered = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = offered if ACCEPTABLE.fullmatch(offered) else f"{names.getrandbits(128):032x}"
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        if scope["type"] == "websocket":
            path = _shown_path(scope["path"])
            await shake(self.app, scope, receive, send, request_id=request_id, path=path)
            return
        telemetry.begin_request(request_id, _shown_path(scope["path"]))
        started = time.perf_counter()
        status, began = 0, 0.0

        async def send_marked(message: Message) -> None:
            nonlocal status, began
            if message["type"] == "http.response.start":
                status, began = message["status"], time.perf_counter()
                headers = message["headers"] = list(message.get("headers", ()))
                named = {name for name, _ in headers}
                headers += [header for header in self.headers if header[0] not in named]
                headers.append(_raw(REQUEST_ID, request_id))
                if scope["path"].startswith("/v1/") and NO_STORE[0] not in named:
                    headers.append(NO_STORE)
            await send(message)

        try:
            await self.app(scope, receive, send_marked)
        finally:
            ended = time.perf_counter()
            lasted: dict[str, float] = {}
            if STREAM in scope["state"]:  # endless: what we took is the time until it began
                lasted["stream_seconds"] = round(ended - began, 1)
                ended = began
            took = ended - started
            route = scope["state"].get("route", NO_ROUTE)
            self.metrics.answered(scope["method"], route, status, took)
            log.info(
                "request",
                extra={
                    "method": scope["method"],
                    "path": _shown_path(scope["path"]),
                    "status": status,
                    "duration_ms": round(took * 1000, 1),
                    **lasted,
                },
            )
            structlog.contextvars.clear_contextvars()
            source.forget()


class Routed:
    """Remembers the template of the route that took a request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        finally:
            route = getattr(scope.get("route"), "path", None)
            if route is not None:
                scope["state"]["route"] = _template(scope["path"], route)


def _template(path: str, route: str) -> str:
    """The whole template: a route knows itself only from the router on that it belongs to."""
    before = path.count("/") - route.count("/")
    return "/".join(path.split("/")[: before + 1]) + route


class Failures:
    """Turns whatever escapes into an answer, unless one has begun or nobody waits for it: for a
    browser that asked for a page into `page`, if there is one."""

    def __init__(self, app: ASGIApp, page: FailurePage | None = None) -> None:
        self.app = app
        self.page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_begun = False

        async def send_noted(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, send_noted)
        except ClientDisconnect:
            log.info("client.gone")  # in the middle of its body
        except Exception as error:
            answer = _answer_to(error, scope["state"]["request_id"])
            shown = self.page(scope, answer) if self.page is not None else None
            if not has_begun:
                await (shown or answer)(scope, receive, send)


def _answer_to(error: Exception, request_id: str) -> JSONResponse:
    """What whoever asked is told, and what the log is told instead."""
    # Without the statement and its values, which SQLAlchemy would add: they are nobody's business.
    cause = str(getattr(error, "orig", None) or error)[:300]
    if is_crowded(error):
        log.warning("database.crowded", extra={"error": cause})
        text = "More requests wait for the database than it can serve just now; try again."
        return envelope(request_id, 503, "OVERLOADED", text)
    if is_outage(error):
        log.warning("database.unavailable", extra={"error": cause})
        text = "The database cannot be reached just now; try again."
        return envelope(request_id, 503, "DATABASE_UNAVAILABLE", text)
    if was_in_the_way(error):
        log.warning("database.busy", extra={"error": cause})
        text = "Somebody else is changing the same just now; try again."
        return envelope(request_id, 503, "BUSY", text)
    log.error("request.failed", exc_info=error)
    text = "Something broke inside Tocsin. The log has it under this request id."
    return envelope(request_id, 500, "INTERNAL_ERROR", text)


def _shown_path(path: str) -> str:
    """The path without the secret of a link."""
    link = SECRET_PATH.fullmatch(path)
    return f"/{link[1]}/…" if link else path[:300]
