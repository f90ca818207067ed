"""What the doors for monitoring tools share. The address says the format, the key says whose.

They answer 2xx for whatever is authenticated, readable or not: many senders never try again
after a 4xx, and an alert that cannot be read opens an incident instead.
"""

import base64
import binascii
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from pydantic_core import to_json

from app.api.deps import service_of
from app.api.errors import answers
from app.api.limits import Category, told
from app.core.errors import TocsinError, TooManyError, UnauthorizedError, UnavailableError
from app.core.security import hash_key
from app.db.coalesce import CrowdedError
from app.domain.integration import IntegrationKind, Readings
from app.schemas.integration import Received
from app.services import integration as integration_service
from app.services.integration import Item
from app.services.plain_intake import Parcel

# What a sender may still push past the limit before we hang up: until then it gets an answer.
DRAINED_TIMES = 10
RETRY_AFTER = 5  # seconds

# The three ways in which tools can send a key, for the OpenAPI document.
SECURITY_SCHEMES: dict[str, Any] = {
    "IntegrationKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "IntegrationBearer": {"type": "http", "scheme": "bearer"},
    "IntegrationBasic": {
        "type": "http",
        "scheme": "basic",
        "description": "Any user name; the key is the password.",
    },
}
SECURITY: list[dict[str, list[str]]] = [{name: []} for name in SECURITY_SCHEMES]


def operation(example: object) -> dict[str, Any]:
    """What every door says of itself in the OpenAPI document."""
    body = {"schema": {}, "example": example}
    return {
        "response_model": Received,
        "responses": answers(401, 429, 503),
        "openapi_extra": {
            "security": SECURITY,
            "requestBody": {"required": True, "content": {"application/json": body}},
        },
    }


class OverloadedError(UnavailableError):
    """More is coming in than can be written."""

    code = "OVERLOADED"


class TooManyAlertsError(TooManyError):
    """The same, for senders that try again after a 429."""

    code = "TOO_MANY_ALERTS"


class InvalidKeyError(UnauthorizedError):
    """No live key of an active integration came with the request."""

    code = "INVALID_INTEGRATION_KEY"


def _key(request: Request) -> str | None:
    """The key, from `X-API-Key`, a bearer token, or the password of HTTP basic."""
    given = request.headers.get("x-api-key")
    if given:
        return given.strip()
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return rest.strip()
        case "basic":
            try:
                decoded = base64.b64decode(rest.strip(), validate=True)
            except (binascii.Error, ValueError):
                return None
            return decoded.decode(errors="replace").partition(":")[2] or None
        case _:
            return None


async def _body(request: Request, limit: int) -> tuple[bytes, int]:
    """The body up to `limit` bytes, and how many came."""
    kept = bytearray()
    seen = 0
    async for chunk in request.stream():
        seen += len(chunk)
        kept += chunk[: max(limit - len(kept), 0)]
        if seen > limit * DRAINED_TIMES:
            break
    return bytes(kept), seen


def _read(kind: IntegrationKind, body: bytes, *, is_cut: bool, limit: int) -> Readings:
    if is_cut:
        return integration_service.unreadable(f"The body is larger than {limit} bytes.")
    return integration_service.read(kind, body)


async def take_in(request: Request, kind: IntegrationKind) -> Response:
    """Take in what a tool sends; what became of each alert, once that is durable."""
    service = await service_of(request)
    key_hash = hash_key(_key(request) or "")
    limit = service.settings.max_body_bytes
    if not await service.intake.knows(key_hash):
        raise _invalid_key()
    standing = service.limits.take_in(kind, key_hash)
    body, size = await _body(request, limit)
    readings = _read(kind, body, is_cut=size > limit, limit=limit)
    parcel = Parcel(key_hash, readings, body, size, request.state.request_id)
    try:
        items = await service.intake.add(parcel)
    except CrowdedError:
        raise _crowded(kind) from None
    if items is None:
        raise _invalid_key()
    for item in items:
        service.metrics.alerts_taken_in(kind, item.outcome)
    headers = None if standing is None else told(Category.INGEST, standing)
    receipts = to_json({"alerts": [_receipt(item) for item in items]})
    return Response(receipts, headers=headers, media_type="application/json")


def _receipt(item: Item) -> dict[str, Any]:
    """An `AlertReceipt`, without the detour over its model: this is the hot path."""
    return {
        "id": item.alert_id,
        "outcome": item.outcome,
        "incident_id": item.incident_id,
        "dedup_key": item.signal.dedup_key,
        "reason": item.reason or item.suppressed,
    }


def _invalid_key() -> InvalidKeyError:
    return InvalidKeyError(
        "Send the integration's key: as X-API-Key, as a bearer token, or as the password"
        " of HTTP basic."
    )


def _crowded(kind: IntegrationKind) -> TocsinError:
    """Overload, in the way that makes this sender try again: Alertmanager does after 5xx only."""
    text = "More alerts are coming in than can be written just now; send it again."
    if kind is IntegrationKind.ALERTMANAGER:
        return OverloadedError(text)
    return TooManyAlertsError(text, retry_after=RETRY_AFTER)
