"""The first look at a database: can it be used at all? If not, one sentence says why."""

import asyncio
import socket

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.core.errors import SetupError
from app.db.dial import Dialer, UnreachableError
from app.db.url import shown

OLDEST = 15
PATIENCE = 10.0


async def require_usable(url: str) -> None:
    """Raise a SetupError unless a PostgreSQL that is new enough answers at `url`."""
    dialing = {"async_creator_fn": Dialer(), "timeout": PATIENCE}
    engine = create_async_engine(url, poolclass=NullPool, connect_args=dialing)
    try:
        async with engine.connect() as connection:
            version = connection.dialect.server_version_info or (0,)
    except Exception as error:
        raise SetupError(f"The database {shown(url)} cannot be used: {_why(error)}.") from None
    finally:
        await engine.dispose()
    if version[0] < OLDEST:
        raise SetupError(
            f"The database {shown(url)} is PostgreSQL {version[0]}; Tocsin needs {OLDEST} or newer."
        )


def _why(error: Exception) -> str:
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else error
    cause = cause.__cause__ if isinstance(cause, UnreachableError) else cause
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
