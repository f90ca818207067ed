"""The first look at a database: can it be used at all? If not, one sentence says why."""

import asyncio
import socket
import time

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.core.errors import SetupError
from app.db.dial import Dialer, UnreachableError
from app.db.url import shown

OLDEST = 15
PATIENCE = 10.0
RECOVERY = 60.0  # seconds


async def require_usable(url: str) -> None:
    """Raise a SetupError unless a PostgreSQL that is new enough answers at `url`.

    One that says that it is still starting, or recovering, is waited for.
    """
    deadline = time.monotonic() + RECOVERY
    while True:
        try:
            version = await _version(url)
            break
        except Exception as error:
            is_starting = isinstance(_cause(error), asyncpg.CannotConnectNowError)
            if not is_starting or time.monotonic() >= deadline:
                why = _why(error)
                raise SetupError(f"The database {shown(url)} cannot be used: {why}.") from None
        await asyncio.sleep(0.2)
    if version < OLDEST:
        raise SetupError(
            f"The database {shown(url)} is PostgreSQL {version}; Tocsin needs {OLDEST} or newer."
        )


async def _version(url: str) -> int:
    dialing = {"async_creator_fn": Dialer(), "timeout": PATIENCE}
    engine = create_async_engine(url, poolclass=NullPool, connect_args=dialing)
    try:
        async with engine.connect() as connection:
            return int((connection.dialect.server_version_info or (0,))[0])
    finally:
        await engine.dispose()


def _cause(error: Exception) -> BaseException | None:
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else error
    return cause.__cause__ if isinstance(cause, UnreachableError) else cause


def _why(error: Exception) -> str:
    cause = _cause(error)
    match cause:
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            return "user name or password is wrong"
        case asyncpg.InvalidCatalogNameError():
            return "there is no such database; create it first (createdb)"
        case asyncpg.TargetServerAttributeNotMatched():
            return "none of its servers takes writes just now"
        case socket.gaierror():
            return "the host name is unknown"
        case ConnectionRefusedError():
            return "nothing listens there"
        case TimeoutError() | asyncio.TimeoutError():
            return f"it did not answer within {PATIENCE:.0f} s"
        case _:
            return str(cause).partition("\n")[0].rstrip(".") or type(cause).__name__
