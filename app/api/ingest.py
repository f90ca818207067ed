"""What the doors for monitoring tools share. The address says the format, the key says whose.

They answer 2xx for whatever is authenticated, readable or not: many senders never try again
after a 4xx, and an alert that cannot be read opens an incident instead.
"""

import base64
import binascii
from typing import Any

from fastapi import Request

from app.api.deps import service_of
from app.api.errors import answers
from app.core.errors import UnauthorizedError
from app.core.security import hash_key
from app.crud import crud_integration
from app.db.session import WriteSession, transaction_time
from app.domain.integration import IntegrationKind, Readings
from app.schemas.integration import Received
from app.services import integration as integration_service

# What a sender may still push past the limit before we hang up: until then it gets an answer.
DRAINED_TIMES = 10

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
        "responses": answers(401, 503),
        "openapi_extra": {
            "security": SECURITY,
            "requestBody": {"required": True, "content": {"application/json": body}},
        },
    }


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


async def _body(request: Request, limit: int) -> tuple[bytes, bool]:
    """The body up to `limit` bytes, and whether there was more."""
    kept = bytearray()
    seen = 0
    async for chunk in request.stream():
        seen += len(chunk)
        kept += chunk[: max(limit - len(kept), 0)]
        if seen > limit * DRAINED_TIMES:
            break
    return bytes(kept), seen > limit


def _read(kind: IntegrationKind, body: bytes, *, is_cut: bool, limit: int) -> Readings:
    if is_cut:
        return integration_service.unreadable(f"The body is larger than {limit} bytes.")
    return integration_service.read(kind, body)


async def take_in(request: Request, kind: IntegrationKind) -> dict[str, Any]:
    """Take in what a tool sends; what became of each alert, once that is durable."""
    service = service_of(request)
    key_hash = hash_key(_key(request) or "")
    limit = service.settings.max_body_bytes
    async with service.database.reading() as session:
        integration = await crud_integration.by_key_hash(session, key_hash)
    if integration is None:
        raise InvalidKeyError(
            "Send the integration's key: as X-API-Key, as a bearer token, or as the password"
            " of HTTP basic."
        )
    body, is_cut = await _body(request, limit)
    readings = _read(kind, body, is_cut=is_cut, limit=limit)
    delivery = integration_service.Delivery(integration, readings, body, request.state.request_id)

    async def receive(session: WriteSession) -> list[integration_service.Item]:
        now = await transaction_time(session)
        return await integration_service.receive(session, [delivery], now=now)

    items = await service.database.write(receive)
    return {"alerts": items}
