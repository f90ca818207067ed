"""HEAD is answered wherever GET is: by the same work, of which only the head is sent.

So what it says is never another thing than what GET would say, and costs as much. What has no
end, or comes in parts, ends with the first of them.
"""

from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _Told(Exception):  # noqa: N818  # no error: it ends an answer of which nothing more is wanted
    """The head was sent."""


class Heads:
    """Pure ASGI: asks the application for what a HEAD is about."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                return
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            if message.get("more_body"):
                raise _Told

        with suppress(_Told):
            await self.app({**scope, "method": "GET"}, receive, send_head)
