"""DATABASE_URL as people write it, made into the one our driver wants."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.core.errors import SetupError

ASYNC_DRIVER = "postgresql+asyncpg"
ACCEPTED = ("postgres", "postgresql", ASYNC_DRIVER)
# libpq's words for encryption; asyncpg knows the same under another name.
SSLMODE, SSL = "sslmode", "ssl"


def driver_url(text: str) -> str:
    """A URL for the async engine, or a SetupError that never repeats a password."""
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        raise SetupError(
            "DATABASE_URL cannot be read; it must look like"
            " postgresql://user:password@host:5432/tocsin."
        ) from None
    if url.drivername not in ACCEPTED:
        raise SetupError(
            f"DATABASE_URL begins with {url.drivername}://, but Tocsin needs PostgreSQL:"
            " postgresql://user:password@host:5432/tocsin."
        )
    if not url.database:
        raise SetupError("DATABASE_URL names no database; add one at its end, such as /tocsin.")
    return _with_ssl(url.set(drivername=ASYNC_DRIVER)).render_as_string(hide_password=False)


def _with_ssl(url: URL) -> URL:
    if SSLMODE not in url.query:
        return url
    mode = url.query[SSLMODE]
    return url.difference_update_query([SSLMODE]).update_query_dict({SSL: mode})


def shown(text: str) -> str:
    """The URL without its password, for logs and messages."""
    return make_url(text).render_as_string(hide_password=True)
