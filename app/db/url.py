"""DATABASE_URL as people write it, made into the one our driver wants.

Whatever is wrong with it is said in one sentence, and never with the password in it.
"""

import re

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.core.errors import SetupError

ASYNC_DRIVER = "postgresql+asyncpg"
ACCEPTED = ("postgres", "postgresql", ASYNC_DRIVER)
EXAMPLE = "postgresql://user:password@host:5432/tocsin"
DEFAULT_PORT = "5432"
# libpq's words for encryption; asyncpg knows the same under another name.
SSLMODE, SSL = "sslmode", "ssl"
SESSION = "target_session_attrs"
CHOICES = {
    SSL: ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    SESSION: ("any", "primary", "read-write"),  # a server to read from only would be of no use
}
OPTIONS = ("host", "port", SSLMODE, SSL, SESSION, "passfile", "prepared_statement_cache_size")
CERTIFICATES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")

_SEVERAL_HOSTS = re.compile(r"([\w+]+://(?:[^@]*@)?+)([^/?]*,[^/?]*)(.*)", re.DOTALL)
_IPV6 = r"[0-9a-fA-F.]*:[0-9a-fA-F.]*:[0-9a-fA-F:.]*"
_PORT = re.compile("[1-9][0-9]{0,4}")
_HOST = re.compile(rf"(\[{_IPV6}\]|{_IPV6}|[^:@\[\]]+)(?::(\d+))?")


def driver_url(text: str) -> str:
    """A URL for the async engine, or a SetupError that never repeats a password."""
    several = _SEVERAL_HOSTS.fullmatch(text.strip())
    try:
        url = make_url(several[1] + several[3] if several else text.strip())
        url.render_as_string(hide_password=False).encode()
    except (ArgumentError, ValueError):
        raise _unreadable() from None
    if url.drivername.lower() not in ACCEPTED:
        raise SetupError(
            f"DATABASE_URL begins with {url.drivername}://, but Tocsin needs PostgreSQL: {EXAMPLE}."
        )
    if re.search("[@,]", url.host or "") or not _are_ports(url.port, *_listed(url, "port")):
        raise _unreadable()
    if not url.database:
        raise SetupError("DATABASE_URL names no database; add one at its end, such as /tocsin.")
    url = _with_options(url.set(drivername=ASYNC_DRIVER))
    return _with_hosts(url, several[2] if several else "").render_as_string(hide_password=False)


def shown(text: str) -> str:
    """The URL without its password, for logs and messages."""
    return make_url(text).render_as_string(hide_password=True)


def _unreadable() -> SetupError:
    return SetupError(
        f"DATABASE_URL cannot be read; it must look like {EXAMPLE}, with the special characters"
        " of a password in code, such as %40 for @ and %3A for a colon."
    )


def _with_options(url: URL) -> URL:
    """Options in asyncpg's words; one that it would choke on is refused here, in ours."""
    if "password" in url.query or "user" in url.query:
        raise SetupError(f"User and password stand at the beginning of DATABASE_URL: {EXAMPLE}.")
    for name, value in url.query.items():
        if name in CERTIFICATES:
            raise SetupError(
                f"DATABASE_URL names {name}, which belongs in the variable PG{name.upper()}."
            )
        if name not in OPTIONS:
            raise SetupError(
                f"DATABASE_URL has the option {name}, which Tocsin does not know; leave it out."
                f" Known are: {', '.join(OPTIONS)}."
            )
        known = CHOICES.get(SSL if name == SSLMODE else name)
        if known and value not in known:
            raise SetupError(f"In DATABASE_URL, {name} must be one of: {', '.join(known)}.")
    if SSLMODE not in url.query:
        return url
    mode = url.query[SSLMODE]
    return url.difference_update_query([SSLMODE]).update_query_dict({SSL: mode})


def _with_hosts(url: URL, authority: str) -> URL:
    """Several hosts, in whichever way they are written, in the one that takes every address.

    Of several, only the one that can be written to is of use, whichever it is just now.
    """
    named = authority.split(",") if authority else _listed(url, "host")
    if len(named) < 2:
        return url
    matches = [_HOST.fullmatch(name) for name in named]
    ports = _listed(url, "port") or [DEFAULT_PORT]
    if len(ports) == 1:
        ports *= len(named)
    if len(ports) != len(named):
        raise _unreadable()
    hosts = [match[1].strip("[]") for match in matches if match]
    numbers = [match[2] or port for match, port in zip(matches, ports, strict=True) if match]
    if len(hosts) != len(named) or not _are_ports(*numbers):
        raise _unreadable()
    session = {} if SESSION in url.query else {SESSION: "read-write"}
    return url.set(host=None, port=None).update_query_dict(
        {"host": ",".join(hosts), "port": ",".join(numbers), **session}
    )


def _listed(url: URL, name: str) -> list[str]:
    """What an option lists, be it repeated or separated by commas."""
    value = url.query.get(name, "")
    whole = value if isinstance(value, str) else ",".join(value)
    return [part for part in whole.split(",") if part]


def _are_ports(*numbers: str | int | None) -> bool:
    return all(
        number is None or (_PORT.fullmatch(str(number)) and int(number) < 65_536)
        for number in numbers
    )
