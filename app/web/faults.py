"""What a browser is told that asked for a page and gets none: a page, in the frame if somebody is
signed in. Programs get what the API tells them, in its one shape.
"""

import json
import logging
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import Scope

from app.api import errors as api_errors
from app.core.errors import TocsinError
from app.db.session import is_outage
from app.web import flash
from app.web.deps import SignInNeededError, Visitor, visitor_of
from app.web.templating import page, render

log = logging.getLogger(__name__)

Tell = Callable[[Request, Exception], Awaitable[Response]]
# Programs only, whatever they say that they accept.
FOR_PROGRAMS = ("/v1/", "/health", "/ready", "/metrics", "/openapi.json", "/static/", "/api/")
HEADINGS = {
    400: "This cannot be done now",
    403: "This is not for you to do",
    404: "There is nothing here",
    405: "There is nothing here",
    409: "It clashes with what is there",
    412: "Somebody changed it meanwhile",
    413: "This is too large",
    422: "Something in the address or the form is wrong",
    429: "Too often",
    500: "Something broke",
    503: "Not just now",
}
NOTHING_HERE = "The address may be mistyped, or what was here is gone."


def install(app: FastAPI) -> None:
    """Put pages before what the API tells programs; after its own handlers are there."""
    app.add_exception_handler(SignInNeededError, _sign_in)
    app.add_exception_handler(TocsinError, _shown(api_errors.render_refusal))
    app.add_exception_handler(HTTPException, _shown(api_errors.render_http))
    app.add_exception_handler(RequestValidationError, _shown(api_errors.render_invalid))


def is_for_a_page(scope: Scope) -> bool:
    """Whether a browser asked for a page, or for a part of one."""
    if scope["type"] != "http" or scope["path"].startswith(FOR_PROGRAMS):
        return False
    headers = dict(scope["headers"])
    return b"text/html" in headers.get(b"accept", b"") or b"hx-request" in headers


def failure(scope: Scope, told: Response) -> Response | None:
    """The page for what failed inside: it asks for nothing that may have failed."""
    if not is_for_a_page(scope):
        return None
    return _page(Request(scope), None, told)


async def _sign_in(request: Request, error: Exception) -> Response:
    assert isinstance(error, SignInNeededError)
    to = "/login" + ("" if error.back_to == "/" else "?" + urlencode({"next": error.back_to}))
    if "hx-request" in request.headers:
        return Response(status_code=401, headers={"HX-Redirect": to})
    return RedirectResponse(to, 303)


def _shown(tell: Tell) -> Tell:
    async def show(request: Request, error: Exception) -> Response:
        told = await tell(request, error)
        if not is_for_a_page(request.scope):
            return told
        return _page(request, await _who(request), told)

    return show


async def _who(request: Request) -> Visitor | None:
    try:
        return await visitor_of(request, request.app.state.service)
    except Exception as error:
        if not is_outage(error):
            raise
        return None


def _page(request: Request, visitor: Visitor | None, told: Response) -> Response:
    status = told.status_code
    envelope = json.loads(bytes(told.body))
    is_unknown = envelope["code"] in ("NOT_FOUND", "METHOD_NOT_ALLOWED")
    message = NOTHING_HERE if is_unknown else envelope["message"]
    kept = {name: told.headers[name] for name in ("retry-after", "allow") if name in told.headers}
    answer: Response
    if "hx-request" in request.headers:
        answer = flash.say(Response(status_code=status, headers={"HX-Reswap": "none"}), message)
    else:
        heading = HEADINGS.get(status, "This did not work")
        values = {"heading": heading, "message": message, "request_id": envelope["request_id"]}
        if visitor is None:
            answer = page("fault_outside.html", status=status, **values)
        else:
            answer = render(request, visitor, "fault.html", status=status, **values)
    answer.headers.update(kept)
    return answer
