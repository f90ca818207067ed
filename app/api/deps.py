"""What an endpoint may ask for."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Path, Request
from fastapi.security import OAuth2PasswordBearer
from starlette.requests import HTTPConnection

from app.api import callers
from app.api.paging import ById, PageQuery, paged
from app.api.state import Service
from app.core.errors import ForbiddenError, UnauthorizedError
from app.core.paging import BIGGEST_KEY
from app.crud import crud_caller
from app.db import session as db
from app.domain.user import Actor, Permission, may
from app.models import User

bearer = OAuth2PasswordBearer(
    "/v1/auth/login/access-token",
    auto_error=False,
    scheme_name="Login",
    description="Log in with mail address and password.",
)


# As every dependency that waits for nothing: FastAPI sends what is not `async` to a thread, which
# costs more than all that is done here.
async def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


ServiceDep = Annotated[Service, Depends(service_of)]


async def _open_read(service: ServiceDep) -> AsyncIterator[db.ReadSession]:
    async with service.database.reading() as session:
        yield session


async def _open_write(service: ServiceDep) -> AsyncIterator[db.WriteSession]:
    async with service.database.writing() as session:
        yield session


# Function scope: the commit happens before the response begins, so that one that fails is
# never reported as success.
ReadSession = Annotated[db.ReadSession, Depends(_open_read, scope="function")]
WriteSession = Annotated[db.WriteSession, Depends(_open_write, scope="function")]


async def _time_of_write(session: WriteSession) -> datetime:
    return await db.transaction_time(session)


Now = Annotated[datetime, Depends(_time_of_write, scope="function")]


async def logged_in(
    connection: HTTPConnection,
    service: ServiceDep,
    token: Annotated[str | None, Depends(bearer)],
    header: Annotated[str | None, Depends(callers.key_header)],
) -> User:
    """Whose token it is, or whose API key; the audit log is told.

    A router of people asks for this before anything else. An endpoint that held its session
    already would wait for a second connection, and as many of those as the pool is large would
    wait for one another.
    """
    key = callers.key_in(token, header)
    if key is not None:
        user = await callers.holder_of(service, key)
        callers.require_scope(connection, user)
    else:
        user = await _whose_login(service, token)
    callers.note_person(connection, user)
    return user


async def _whose_login(service: Service, token: str | None) -> User:
    claims = service.signer.read_access_token(token) if token else None
    if claims is None:
        raise UnauthorizedError("Log in first: the token is missing, wrong or has ended.")
    user_id, session_id = claims
    user = await crud_caller.of_login(service.database, user_id, session_id)
    if user is None:
        raise UnauthorizedError("This login is over; log in again.")
    return user


CurrentUser = Annotated[User, Depends(logged_in)]


async def in_person(user: CurrentUser) -> User:
    """Whoever has logged in: a program with an API key is refused."""
    callers.require_login(user)
    return user


InPerson = Annotated[User, Depends(in_person)]


async def _session_of(
    service: ServiceDep, _: InPerson, token: Annotated[str, Depends(bearer)]
) -> int:
    claims = service.signer.read_access_token(token)
    assert claims is not None  # logged_in has read the same token
    return claims[1]


CurrentSession = Annotated[int, Depends(_session_of)]


def require(permission: Permission) -> Callable[[User], Awaitable[User]]:
    """A dependency that lets in whoever has `permission`."""

    async def check(user: CurrentUser) -> User:
        if not may(user.role, permission):
            raise ForbiddenError(
                f"Your role ({user.role}) does not allow this; ask an admin.",
                needs=permission.value,
            )
        if not user.may(permission):
            raise callers.ScopeMissingError(permission)
        return user

    return check


Reader = Annotated[User, Depends(require(Permission.READ))]
Responder = Annotated[User, Depends(require(Permission.RESPOND))]
Admin = Annotated[User, Depends(require(Permission.ADMINISTER))]


# For doors that nobody has to log in at: the audit log is told from where somebody came.
FromAnybody = Depends(callers.note_caller)


def acting(user: User) -> Actor:
    return Actor(name=user.display_name, user_id=user.id)


async def _own_or_administered(
    user: CurrentUser,
    user_id: Annotated[
        str,
        Path(
            pattern=r"^(me|[1-9][0-9]{0,14})$",
            description="`me`, or the id of a user: somebody else's only for admins.",
            examples=["me"],
        ),
    ],
) -> int:
    """Whose things these are: one's own, or anybody's for an admin.

    Asks no database, so that it may come after a session was opened.
    """
    if user_id in ("me", str(user.id)):
        return user.id
    if not user.may(Permission.ADMINISTER):
        raise ForbiddenError(
            "These are somebody else's; only an admin may see or change them.",
            needs=Permission.ADMINISTER.value,
        )
    return int(user_id)


OwnerId = Annotated[int, Depends(_own_or_administered)]

KeyPath = Annotated[int, Path(ge=1, le=BIGGEST_KEY)]

# For lists that have one order only; the others have their own, see `paged`.
Paging = Annotated[PageQuery, Depends(paged(ById, ById.ID))]
