"""Which web pages may call us from a browser: those of the configured origins, and no others.

They come with a token that they hold, never with a cookie of ours; so credentials stay off.
"""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.errors import envelope

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SENT = (
    *("Authorization", "Content-Type", "X-Request-ID", "Idempotency-Key", "If-Match"),
    "X-API-Key",
    "If-None-Match",
    "Last-Event-ID",
)
SHOWN = (
    *("X-Request-ID", "Retry-After", "RateLimit", "RateLimit-Policy"),
    *("ETag", "Idempotency-Replayed"),
)
REMEMBERED = 600  # seconds for which a browser need not ask again


class Cors(CORSMiddleware):
    """Answers a browser that asks whether a page may call, and marks what that page may read."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=SENT,
            expose_headers=SHOWN,
            max_age=REMEMBERED,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        asks = "origin" in headers and "access-control-request-method" in headers
        if scope["type"] != "http" or scope["method"] != "OPTIONS" or not asks:
            await super().__call__(scope, receive, send)
            return
        answer = self.preflight_response(headers)
        if answer.status_code == 400:  # the browser reads the headers; this is for a person
            kept = {k: v for k, v in answer.headers.items() if not k.startswith("content-")}
            text = f"{bytes(answer.body).decode()}; TOCSIN_CORS_ORIGINS lists who may call."
            answer = envelope(scope["state"]["request_id"], 400, "CORS_REFUSED", text, headers=kept)
        await answer(scope, receive, send)
