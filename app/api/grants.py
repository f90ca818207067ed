"""A login on the wire: where it came from, and the pair of tokens that it is."""

from typing import Any

from fastapi import Request

from app.api.state import Service
from app.services.auth import Grant, Origin


def origin_of(request: Request) -> Origin:
    """What the owner of the account will recognise this login by."""
    host = request.client.host if request.client else None
    agent = request.headers.get("user-agent", "")
    return Origin(host, "".join(c for c in agent if c.isprintable()) or None)


def granted(service: Service, grant: Grant) -> dict[str, Any]:
    """The pair of tokens, in the shape of `TokenRead`."""
    settings = service.settings
    life = settings.access_token_life
    token = service.signer.access_token(grant.user.id, grant.session_id, now=grant.at, life=life)
    return {
        "access_token": token,
        "token_type": "bearer",
        "expires_in": int(life.total_seconds()),
        "refresh_token": grant.refresh_token,
        "refresh_expires_in": int(settings.refresh_token_life.total_seconds()),
    }
