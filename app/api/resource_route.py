"""What a route of a resource does besides answering: it bounds the body, remembers what was asked
to be done once, and says which state of the resource it shows."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response

from app.api.bounds import BoundedRoute
from app.api.etags import REVISION, marked
from app.api.idempotency import ReplayedError, keep_answer


class ResourceRoute(BoundedRoute):
    """The transaction of the request is still open when its answer is rendered: what is kept for
    a replay commits with the work, or not at all."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()
        replayed = self.responses.get(200, {}).get("model")
        is_revised = any(
            REVISION in getattr(self.response_model, fields, {})
            for fields in ("model_fields", "model_computed_fields")
        )

        async def whole(request: Request) -> Response:
            try:
                response = await answer(request)
            except ReplayedError as replay:
                return replay.response()
            await keep_answer(request, response, replayed)
            return marked(request, response) if is_revised else response

        return whole
