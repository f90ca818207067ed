"""One HTTP request and its answer: for every channel over HTTP.

No proxy, no redirect, no cookie; of an answer's body at most 64 KiB are read. HTTP/1.1 is spoken
by h11 over our own connections (`connections`): httpx takes a hundred times as long to send a
page, and logs whole URLs, tokens and all.

A name is resolved for every request, and the request goes to one of the addresses found. Where
the URL is a user's, `find` is what checks them (`targets.resolve`); an operator's own URL may
lead anywhere.
"""

import asyncio
import contextlib
import os
import re
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_plus

import h11
import httpx

from app.channels.base import GaveUp, RetryLater
from app.channels.connections import Connection, Pool, UnansweredError
from app.channels.plain import one_line
from app.channels.targets import (
    IPAddress,
    Target,
    TargetRefusedError,
    TargetUnresolvedError,
    lookup,
)

Finder = Callable[[Target], Awaitable[Sequence[IPAddress]]]

_MAX_BODY = 64 * 1024
_MAX_EXCERPT = 200
_MAX_ADDRESSES = 3
_PATIENCE_FOR_BODY = 2.0  # the outcome is known by then
_LONGEST_WISH = timedelta(hours=1)
_LATER = {408, 425, 429}


@dataclass(frozen=True)
class Call:
    """What we ask for."""

    method: str
    target: Target
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What we were told; the body as far as it came in time."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def is_taken(self) -> bool:
        return 200 <= self.status <= 299

    @property
    def is_for_good(self) -> bool:
        """Whether the same request will get the same refusal."""
        return 300 <= self.status <= 499 and self.status not in _LATER


async def exchange(
    call: Call, *, timeout: timedelta, pool: Pool, find: Finder = lookup
) -> Answer | RetryLater | GaveUp:
    """The answer to one request, or why there is none; within `timeout`, and it never raises."""
    where = one_line(call.target.host, 100)
    seconds = timeout.total_seconds()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    connection: Connection | None = None
    try:
        async with asyncio.timeout_at(deadline):
            addresses = (await find(call.target))[:_MAX_ADDRESSES]
            connection = await pool.connect(call.target, addresses, timeout=seconds)
            head = await connection.ask(_request(call, pool), call.body)
        body = await _first_bytes(connection, min(deadline, loop.time() + _PATIENCE_FOR_BODY))
        pool.release(connection)
        connection = None
    except TargetRefusedError as exc:
        return GaveUp(one_line(str(exc)))
    except TargetUnresolvedError as exc:
        return RetryLater(one_line(str(exc)))
    except TimeoutError:
        return RetryLater(f"{where} did not answer within {seconds:g} s.")
    except (UnansweredError, OSError) as exc:
        return RetryLater(one_line(f"The request to {where} failed: {reason(exc)}"))
    except h11.LocalProtocolError:  # its text quotes headers
        return GaveUp(f"The request to {where} cannot be written as HTTP/1.1.")
    finally:
        if connection is not None:
            connection.abort()
    return Answer(head.status_code, httpx.Headers(list(head.headers)), body)


def describe(answer: Answer, target: Target, *secrets: str) -> str:
    """`host answered 400: its first words`, without what the URL and `secrets` keep private."""
    said = f"{one_line(target.host, 100)} answered {answer.status}"
    if "content-encoding" in answer.headers:
        return said
    text = without(answer.body.decode(errors="replace"), *secrets, url=target.url)
    words = one_line(text, _MAX_EXCERPT)
    return f"{said}: {words}" if words else said


def without(text: str, *secrets: str, url: httpx.URL | None = None) -> str:
    """`text` with whatever it quotes of the secrets, or of the URL's path and query, as ***.

    In pieces, because a page may quote them escaped in one way or another.
    """
    private: list[str] = []
    sources: Iterable[str] = secrets
    if url is not None:
        paths = (url.path, url.raw_path.decode().partition("?")[0])
        private += [path for path in paths if path != "/"]
        query = url.query.decode("ascii")
        sources = (*secrets, query, unquote_plus(query))
    for source in sources:
        private += re.findall(r"\w{4,}", source)
    for secret in sorted(private, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def wish(answer: Answer, *, now: float) -> timedelta | None:
    """How long the server asks us to wait, if it asks and makes sense; at most an hour."""
    retry_after = answer.headers.get("retry-after")
    if retry_after is None:
        return None
    if re.fullmatch(r"[0-9]+", retry_after):
        seconds = float(retry_after[:9])
    else:
        try:
            seconds = parsedate_to_datetime(retry_after).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return min(timedelta(seconds=seconds), _LONGEST_WISH) if seconds > 0 else None


def _request(call: Call, pool: Pool) -> h11.Request:
    url = call.target.url
    headers = {
        "host": url.netloc.decode("ascii"),
        "accept-encoding": "identity",  # nothing to unpack, so nothing that explodes
        **call.headers,
    }
    if call.body or call.method != "GET":
        headers["content-length"] = str(len(call.body))
    if not pool.keeps:
        headers["connection"] = "close"
    return h11.Request(method=call.method, target=url.raw_path, headers=list(headers.items()))


def reason(exc: Exception) -> str:
    """What went wrong, without the address: whoever gave us the URL need not learn our network."""
    if isinstance(exc, OSError) and not isinstance(exc, ssl.SSLError) and exc.errno is not None:
        return os.strerror(exc.errno)
    return str(exc) or type(exc).__name__


async def _first_bytes(connection: Connection, deadline: float) -> bytes:
    """What of the body arrives in time, up to 64 KiB; a body that breaks off is as good."""
    body = bytearray()
    with contextlib.suppress(TimeoutError, UnansweredError, OSError):
        async with asyncio.timeout_at(deadline):
            while len(body) < _MAX_BODY and (chunk := await connection.read()):
                body += chunk
    return bytes(body[:_MAX_BODY])
