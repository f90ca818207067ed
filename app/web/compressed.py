"""Pages and files on their way, made small. The API's answers, and streams, go as they are.

What a page says and what somebody sent may stand beside each other in what is compressed: the
token of its forms is therefore another one every time (`app.api.browser`).
"""

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

AS_THEY_ARE = ("/v1/", "/health", "/ready", "/metrics")
WORTH_IT = 600  # bytes
LEVEL = 5


class Compressed:
    """Pure ASGI, around the pages alone."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.small = GZipMiddleware(app, minimum_size=WORTH_IT, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and not scope["path"].startswith(AS_THEY_ARE)
        await (self.small if is_page else self.app)(scope, receive, send)
