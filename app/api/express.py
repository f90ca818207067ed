"""The short way to the doors that a storm of alerts comes through.

The framework declares these routes for everybody to read and would serve them just the same;
looking one up among a hundred takes longer than the rest of the request. An exact address and
method go straight to the door, everything else goes on as ever.
"""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.errors import render_refusal
from app.api.ingest import take_in
from app.core import telemetry
from app.core.errors import TocsinError
from app.domain.integration import IntegrationKind

DOORS = {f"/v1/webhooks/{kind}": kind for kind in IntegrationKind}


class Express:
    """Pure ASGI: serves the doors itself and hands the rest on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = DOORS.get(scope["path"]) if scope["type"] == "http" else None
        if kind is None or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        scope["state"]["route"] = scope["path"]
        telemetry.name_request("POST", scope["path"])
        request = Request(scope, receive)
        try:
            answer = await take_in(request, kind)
        except TocsinError as refusal:
            answer = await render_refusal(request, refusal)
        await answer(scope, receive, send)
