"""A WebSocket until it is one: asked for under an id like everything else, told in one line of the
log, and refused in the shape that every error has."""

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import NO_ROUTE_HERE, envelope

log = logging.getLogger("tocsin.http")

ACCEPTED = 101


def is_no_refusal(record: logging.LogRecord) -> bool:
    """For the server's log: it takes each refusal for an application that has said nothing."""
    return "without completing handshake" not in str(record.msg)


async def shake(
    app: ASGIApp, scope: Scope, receive: Receive, send: Send, *, request_id: str, path: str
) -> None:
    """Run the application for a WebSocket; `path` is what may be logged of its address."""
    started, is_decided = time.perf_counter(), False

    async def send_marked(message: Message) -> None:
        nonlocal is_decided
        if not is_decided and message["type"] == "websocket.close":
            # Nobody took it, so there is nothing here that takes one.
            refusal = envelope(request_id, 404, "NOT_FOUND", NO_ROUTE_HERE)
            await refusal(scope, receive, send_marked)
            return
        if not is_decided:
            is_decided = True
            own = (b"x-request-id", request_id.encode())
            message["headers"] = [*message.get("headers", ()), own]
            _tell(path, message.get("status", ACCEPTED), time.perf_counter() - started)
        await send(message)

    await app(scope, receive, send_marked)


def _tell(path: str, status: int, took: float) -> None:
    told = {"method": "GET", "path": path, "status": status, "duration_ms": round(took * 1000, 1)}
    log.info("request", extra=told)
