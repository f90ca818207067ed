"""A calendar fetched from the URL that somebody gave, by HTTP/1.1.

Each address, that of every redirect too, is checked when it is asked (`targets`). What comes is
bounded: in time, in redirects, and in bytes, both as they come and unpacked. No error says more of
a URL than its host.
"""

import asyncio
import ssl
import zlib
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from urllib.parse import urljoin

import h11
import httpx

from app.channels.connections import Connection, Pool, UnansweredError
from app.channels.exchange import reason
from app.channels.plain import one_line
from app.channels.targets import (
    Network,
    Resolver,
    Target,
    TargetRefusedError,
    TargetUnresolvedError,
    parse_target,
    resolve,
    system_resolver,
)
from app.channels.tls import client_context
from app.domain.calendar import MOST_BYTES, Copy, Failed

MOST_REDIRECTS = 5
MOST_ADDRESSES = 3
REDIRECTS = {301, 302, 303, 307, 308}
ACCEPTED = "text/calendar, text/plain;q=0.5, */*;q=0.1"
LONGEST_ETAG, LONGEST_DATE = 300, 100
GZIP = 31  # zlib's number for it


class _TooLargeError(Exception):
    """More bytes than any calendar needs."""


class _UnfitError(Exception):
    """What came is no answer that we can take; the text says why."""


class CalendarFetcher:
    """Asks for calendars. Every fetch ends within `timeout`."""

    def __init__(
        self,
        version: str,
        *,
        allowed: Sequence[Network] = (),
        timeout: timedelta = timedelta(seconds=20),
        resolver: Resolver = system_resolver,
        tls: ssl.SSLContext | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.timeout = timeout
        self._agent = f"Tocsin/{version}"
        self._find = partial(resolve, allowed=tuple(allowed), resolver=resolver)
        self._pool = Pool(tls or client_context(), most_idle=0)
        self._most_bytes = most_bytes

    async def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None
    ) -> Copy | Failed:
        """A copy, or why there is none; it never raises for what the world does to it."""
        known = {
            name: value
            for name, value in (("if-none-match", etag), ("if-modified-since", last_modified))
            if value is not None
        }
        where = "The calendar’s server"
        seconds = self.timeout.total_seconds()
        try:
            target = parse_target(url)
            where = one_line(target.host, 100)
            async with asyncio.timeout(seconds):
                return await self._follow(target, known)
        except (TargetRefusedError, TargetUnresolvedError, _UnfitError) as exc:
            return Failed(one_line(str(exc)))
        except _TooLargeError:
            return Failed(f"{where} sent more than {self._most_bytes:,} bytes.")
        except TimeoutError:
            return Failed(f"{where} did not answer within {seconds:g} s.")
        except (UnansweredError, OSError) as exc:
            return Failed(one_line(f"The request to {where} failed: {reason(exc)}"))
        except h11.ProtocolError:  # its text quotes headers
            return Failed(f"{where} does not speak proper HTTP/1.1.")

    async def close(self) -> None:
        """Nothing is kept between two calendars."""
        self._pool.close()

    async def _follow(self, target: Target, known: dict[str, str]) -> Copy | Failed:
        for _ in range(MOST_REDIRECTS + 1):
            addresses = (await self._find(target))[:MOST_ADDRESSES]
            connection = await self._pool.connect(
                target, addresses, timeout=self.timeout.total_seconds()
            )
            try:
                head = await connection.ask(self._request(target, known), b"")
                headers = httpx.Headers(list(head.headers))
                if head.status_code not in REDIRECTS:
                    return await self._taken(connection, head.status_code, headers, target)
            finally:
                connection.abort()
            target = _next(target, headers.get("location"))
        return Failed(f"It was redirected more than {MOST_REDIRECTS} times.")

    def _request(self, target: Target, known: dict[str, str]) -> h11.Request:
        headers = {
            "host": target.url.netloc.decode("ascii"),
            "user-agent": self._agent,
            "accept": ACCEPTED,
            "accept-encoding": "gzip",
            "connection": "close",
            **known,
        }
        return h11.Request(method="GET", target=target.url.raw_path, headers=list(headers.items()))

    async def _taken(
        self, connection: Connection, status: int, headers: httpx.Headers, target: Target
    ) -> Copy | Failed:
        if status == 304:
            return Copy()
        if status != 200:
            return Failed(f"{one_line(target.host, 100)} answered {status}.")
        body = await self._body(connection, headers.get("content-encoding", "identity"))
        etag, modified = headers.get("etag"), headers.get("last-modified")
        return Copy(
            body,
            etag if etag is not None and len(etag) <= LONGEST_ETAG else None,
            modified if modified is not None and len(modified) <= LONGEST_DATE else None,
        )

    async def _body(self, connection: Connection, encoding: str) -> bytes:
        encoding = encoding.strip().lower()
        if encoding not in ("identity", "gzip", "x-gzip", ""):
            raise _UnfitError("It came packed in a way that nobody asked for.")
        unpacking = zlib.decompressobj(GZIP) if "gzip" in encoding else None
        body = bytearray()
        while chunk := await connection.read():
            # One byte more than is allowed shows that it is too much, whatever it would become.
            room = self._most_bytes + 1 - len(body)
            body += chunk if unpacking is None else _unpacked(unpacking, chunk, room)
            if len(body) > self._most_bytes:
                raise _TooLargeError
        if unpacking is not None and not unpacking.eof:
            raise _UnfitError("What it sent packed broke off.")
        return bytes(body)


def _unpacked(unpacking: "zlib._Decompress", chunk: bytes, room: int) -> bytes:
    try:
        return unpacking.decompress(chunk, room)
    except zlib.error:
        raise _UnfitError("What it sent packed cannot be unpacked.") from None


def _next(target: Target, location: str | None) -> Target:
    """Where a redirect leads: never from TLS to none."""
    if location is None:
        raise _UnfitError(f"{one_line(target.host, 100)} redirects without saying where to.")
    to = parse_target(urljoin(str(target.url), location))
    if target.url.scheme == "https" and to.url.scheme != "https":
        raise _UnfitError(f"{one_line(target.host, 100)} redirects to an address without TLS.")
    return to
