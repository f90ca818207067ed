"""Who calls, by what they brought, and from where: for the doors, and for the audit log."""

from dataclasses import replace

from fastapi import Request
from fastapi.security import APIKeyHeader
from starlette.requests import HTTPConnection

from app.api.state import Service
from app.core import source
from app.core.errors import ForbiddenError, UnauthorizedError
from app.core.source import Source
from app.domain.api_key import PREFIX
from app.domain.audit_log import ActorKind
from app.domain.user import Permission
from app.models import User
from app.services import api_key as api_key_service

READING = ("GET", "HEAD", "OPTIONS")
# They ask with a body and change nothing.
ASKING = (
    "/v1/escalation/simulate",
    "/v1/message-templates/preview",
    "/v1/schedules/preview",
    "/v1/auth/login/test-token",
    "/v1/stream/tickets",
)

key_header = APIKeyHeader(
    name="X-API-Key",
    scheme_name="ApiKey",
    auto_error=False,
    description="An API key of yours (`toc_…`); `Authorization: Bearer toc_…` does as well.",
)


class ScopeMissingError(ForbiddenError):
    """The key that was brought may not do this, whoever its owner is."""

    code = "KEY_SCOPE_MISSING"

    def __init__(self, needs: Permission) -> None:
        super().__init__(
            f"This API key may not do this: it lacks the scope “{needs}”. Use another key, or"
            " make one that has it.",
            needs=needs.value,
        )


class LoginNeededError(ForbiddenError):
    """What would let a stolen key outlive itself takes the person."""

    code = "LOGIN_NEEDED"


def key_in(token: str | None, header: str | None) -> str | None:
    """The API key that was brought, if no token of a login was."""
    if token is not None:
        return token if token.startswith(PREFIX) else None
    return header


async def holder_of(service: Service, secret: str) -> User:
    """Whose key this is, limited to what the key may do. That it was used is written down."""
    held = await api_key_service.holder(service.database, secret)
    if held is None:
        raise UnauthorizedError(
            "This API key opens nothing: it is mistyped, revoked or expired, or its owner's"
            " account is closed."
        )
    if not held.is_noted:
        async with service.database.writing() as session:
            await api_key_service.note_use(session, held.key.id, now=held.now)
    held.user.limit_to(held.key)
    return held.user


def require_scope(connection: HTTPConnection, user: User) -> None:
    """A key that may only read changes nothing, not even what is its owner's own."""
    if user.key is None:
        return
    is_reading = (
        connection.scope.get("method", "GET") in READING or connection.scope["path"] in ASKING
    )
    needs = Permission.READ if is_reading else Permission.RESPOND
    if needs not in user.key.scopes:
        raise ScopeMissingError(needs)


def require_login(user: User) -> None:
    """Refuse a program that brought a key: this is for the person."""
    if user.key is not None:
        raise LoginNeededError(
            "An API key cannot do this: it makes no keys, changes no passwords and ends no"
            " logins. Log in with mail address and password."
        )


async def note_caller(request: Request) -> None:
    """Let the audit log know where this comes from; who it is, nobody has shown yet."""
    source.declare(_from(request))


def note_person(connection: HTTPConnection, user: User) -> None:
    """Let the audit log know who this is."""
    key = user.key
    source.declare(
        replace(
            _from(connection),
            kind=ActorKind.USER if key is None else ActorKind.API_KEY,
            name=user.display_name,
            user_id=user.id,
            api_key_id=None if key is None else key.id,
        )
    )


def _from(connection: HTTPConnection) -> Source:
    agent = connection.headers.get("user-agent", "")
    return Source(
        ActorKind.ANONYMOUS,
        address=connection.client.host if connection.client else None,
        request_id=getattr(connection.state, "request_id", None),
        user_agent="".join(c for c in agent if c.isprintable()) or None,
    )
