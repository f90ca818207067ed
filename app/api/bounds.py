"""How much people and programs may send at once."""

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute
from starlette.types import Message

# What monitoring tools send has a limit of its own, which is a setting and refuses nothing.
LARGEST_BODY = 1_000_000


class BoundedRoute(APIRoute):
    """Refuses a larger body, in our envelope: the framework's own limit answers in plain text."""

    largest: ClassVar[int] = LARGEST_BODY

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            return await answer(_bounded(request, self.largest))

        return bounded


def _bounded(request: Request, largest: int) -> Request:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and len(declared) < 19 and int(declared) > largest:
        raise _too_large(largest)
    receive = request.receive
    seen = 0

    async def receive_bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > largest:
            raise _too_large(largest)
        return message

    return Request(request.scope, receive_bounded)


def _too_large(largest: int) -> HTTPException:
    return HTTPException(413, f"The body is larger than {largest:,} bytes.")
