"""The one table from refusals to HTTP, and the one shape every error has."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.routing import Match

from app.core import errors
from app.schemas.base import ErrorRead

STATUS_BY_KIND: dict[type[errors.TocsinError], int] = {
    errors.InvalidStateError: 400,
    errors.UnauthorizedError: 401,
    errors.ForbiddenError: 403,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.ChangedMeanwhileError: 412,
    errors.InvalidInputError: 422,
    errors.TooManyError: 429,
    errors.UnavailableError: 503,
}
HEADERS_BY_STATUS: dict[int, dict[str, str]] = {
    401: {"WWW-Authenticate": "Bearer"},
    503: {"Retry-After": "1"},
}
CODE_BY_STATUS = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "BODY_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "VALIDATION_ERROR",
    429: "TOO_MANY_REQUESTS",
}
NO_ROUTE_HERE = "There is no such address; /openapi.json lists all there are."
# What the framework says of itself helps nobody.
MESSAGES = {
    404: NO_ROUTE_HERE,
    405: "This address takes other methods; the header Allow lists them.",
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# Faults of a union whose member cannot be told, and all of what is not there.
UNDECIDED = ("union_tag_invalid", "union_tag_not_found")
NEVER_SENT = ("missing", *UNDECIDED)
MEANINGS = {
    400: "The thing is in no state for this.",
    401: "Nobody is logged in, or the token is no longer good.",
    403: "The role does not allow this.",
    404: "There is no such thing.",
    409: "It clashes with what is there.",
    412: "Somebody changed it since; `details.current` is what it is now.",
    413: "The body is too large.",
    422: "Something in the request is wrong; `details` names the place.",
    429: "Too often; `Retry-After` says when to try again.",
    500: "Something broke inside Tocsin; its log has it under the request's id.",
    503: "Not now; try again.",
}


class AsciiResponse(JSONResponse):
    """JSON in ASCII: an error repeats what was sent, and half a surrogate pair has no UTF-8."""

    def render(self, content: object) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode()


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What an operation can answer besides success, for its OpenAPI entry."""
    return {status: {"model": ErrorRead, "description": MEANINGS[status]} for status in statuses}


def envelope(
    request_id: str | None,
    status: int,
    code: str,
    message: str,
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    body = {
        "code": code,
        "message": message,
        "request_id": request_id,
        "details": dict(details or {}),
    }
    sent = {**HEADERS_BY_STATUS.get(status, {}), **(headers or {})}
    return AsciiResponse(body, status, headers=sent)


def status_of(error: errors.TocsinError) -> int:
    return next(s for kind, s in STATUS_BY_KIND.items() if isinstance(error, kind))


async def render_refusal(request: HTTPConnection, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.TocsinError)
    status = status_of(error)
    headers = {}
    wait = getattr(error, "retry_after", None)
    if wait is not None:
        headers["Retry-After"] = str(wait)
    return envelope(
        request.state.request_id, status, error.code, error.message, error.details, headers
    )


async def render_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return _invalid(request, _faults(error.errors(), error.body))


async def refuse_socket(socket: WebSocket, error: Exception) -> None:
    """What is wrong with the address of a WebSocket is told before it is one."""
    assert isinstance(error, WebSocketRequestValidationError)
    await socket.send_denial_response(_invalid(socket, _faults(error.errors(), None)))


def _faults(faults: Sequence[Mapping[str, Any]], body: object) -> list[dict[str, str]]:
    """Each fault once: a list reads its parameters twice."""
    found = []
    for fault in faults:
        told = {"path": path(fault, body), "message": _sentence(fault)}
        if told not in found:
            found.append(told)
    return found


def _invalid(request: HTTPConnection, found: Sequence[Mapping[str, str]]) -> JSONResponse:
    first = found[0]
    return envelope(
        request.state.request_id,
        422,
        "VALIDATION_ERROR",
        f"{first['path'] or 'The body'}: {first['message']}",
        {"errors": found},
    )


async def render_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:
        # The framework says so of one thing only: a body that it cannot even take apart.
        return _invalid(request, [{"path": "", "message": f"cannot be read: {error.detail}"}])
    code = CODE_BY_STATUS.get(error.status_code, "ERROR")
    headers = dict(error.headers or {})
    if error.status_code == 405 and (allowed := _allowed(request)):
        headers["Allow"] = allowed
    message = MESSAGES.get(error.status_code, str(error.detail))
    return envelope(request.state.request_id, error.status_code, code, message, headers=headers)


def _allowed(request: Request) -> str:
    """The methods of this address, all of them: the framework names those of one route only, and
    does not know that HEAD is answered by what answers GET."""
    taken = {
        method
        for method in METHODS
        for scope in [{**request.scope, "method": method}]
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
    }
    return ", ".join(
        method for method in METHODS if method in taken or (method == "HEAD" and "GET" in taken)
    )


def path(fault: Mapping[str, Any], body: object) -> str:
    """`("body", "steps", 0, "actions")` as people write it: `steps[0].actions`.

    Pydantic also names the member of a union that it tried; that was never sent, and is left out.
    """
    place, *parts = fault["loc"]
    if fault["type"] == "json_invalid":
        return ""
    if fault["type"] in UNDECIDED and "discriminator" in fault.get("ctx", {}):
        parts.append(fault["ctx"]["discriminator"].strip("'"))
    shown, here = "", body
    is_told = place != "body" or body is None  # nothing is left out of such a path
    for turn, part in enumerate(parts, 1):
        is_last = turn == len(parts)
        if isinstance(part, int):
            shown += f"[{part}]"
            here = here[part] if isinstance(here, list) and part < len(here) else None
        elif is_told or (is_last and fault["type"] in NEVER_SENT):
            shown += f".{part}" if shown else part
        elif isinstance(here, dict) and part in here:
            shown += f".{part}" if shown else part
            here = here[part]
    return shown


def _sentence(fault: Mapping[str, Any]) -> str:
    match fault["type"], fault["loc"]:
        case "json_invalid", _ if "ctx" in fault:
            return f"is not JSON: {fault['ctx']['error']}"
        case "model_attributes_type", ("body",):
            return "must be a JSON object, sent with Content-Type: application/json"
        case "model_attributes_type", _:
            return "must be an object"
        case "union_tag_invalid", _:  # Pydantic's own words repeat what was sent, at any length
            tags = re.findall(r"'([^']*)'", fault["ctx"]["expected_tags"])
            return f"must be one of: {', '.join(tags)}"
        case _:
            return str(fault["msg"]).removeprefix("Value error, ")


def install(app: FastAPI) -> None:
    app.add_exception_handler(errors.TocsinError, render_refusal)
    app.add_exception_handler(RequestValidationError, render_invalid)
    app.add_exception_handler(HTTPException, render_http)
    app.add_exception_handler(WebSocketRequestValidationError, refuse_socket)
