"""One HTTP request and its answer, over a connection of its own: for every channel over HTTP.

Nothing verified or remembered for one name serves another. No proxy, no redirect, no cookie;
of an answer's body at most 64 KiB are read. httpx's transport is used without its client,
which would log whole URLs, tokens and all.

Where the URL is a user's, `find` gives the addresses that were checked (`targets.resolve`) and
the request goes to one of those; an operator's own URL is asked for by its name.
"""

import asyncio
import contextlib
import re
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote_plus

import httpx

from app.channels.base import GaveUp, RetryLater
from app.channels.plain import one_line
from app.channels.targets import (
    IPAddress,
    Target,
    TargetRefusedError,
    TargetUnresolvedError,
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
    call: Call, *, timeout: timedelta, tls: ssl.SSLContext, find: Finder | None = None
) -> Answer | RetryLater | GaveUp:
    """The answer to one request, or why there is none; within `timeout`, and it never raises."""
    where = one_line(call.target.host, 100)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout.total_seconds()
    try:
        async with contextlib.AsyncExitStack() as connections:
            async with asyncio.timeout_at(deadline):
                addresses = await find(call.target) if find else [None]
                response = await _request(connections, call, addresses, timeout, tls)
            patience = min(deadline, loop.time() + _PATIENCE_FOR_BODY)
            body = await _first_bytes(response, patience)
    except TargetRefusedError as exc:
        return GaveUp(one_line(str(exc)))
    except TargetUnresolvedError as exc:
        return RetryLater(one_line(str(exc)))
    except TimeoutError:
        return RetryLater(f"{where} did not answer within {timeout.total_seconds():g} s.")
    except (httpx.HTTPError, OSError) as exc:
        reason = str(exc) or type(exc).__name__
        return RetryLater(one_line(f"The request to {where} failed: {reason}"))
    return Answer(response.status_code, response.headers, body)


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


async def _request(
    connections: contextlib.AsyncExitStack,
    call: Call,
    addresses: Sequence[IPAddress | None],
    timeout: timedelta,
    tls: ssl.SSLContext,
) -> httpx.Response:
    """The answer of the first address that lets us in; only a connection is tried twice."""

    async def close_at_the_end(event: str, found: Mapping[str, Any]) -> None:
        # httpcore forgets a connection that is cancelled while it starts TLS
        if event == "connection.connect_tcp.complete":
            connections.push_async_callback(found["return_value"].aclose)

    url = call.target.url
    headers = {
        "host": url.netloc.decode("ascii"),
        "accept-encoding": "identity",  # nothing to unpack, so nothing that explodes
        "connection": "close",
        **call.headers,
    }
    transport = httpx.AsyncHTTPTransport(verify=tls, trust_env=False)
    await connections.enter_async_context(transport)
    *others, last = addresses[:_MAX_ADDRESSES]
    # Each but the last gets its share, for TCP and TLS alike; the last has what is left.
    share = timeout.total_seconds() / (2 * len(others) + 2)
    for address in (*others, last):
        request = httpx.Request(
            call.method,
            url if address is None else url.copy_with(host=str(address)),
            headers=headers,
            content=call.body or None,
            extensions={
                "sni_hostname": call.target.host.rstrip("."),
                "timeout": {} if address is last else {"connect": share},
                "trace": close_at_the_end,
            },
        )
        try:
            return await transport.handle_async_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            if address is last:
                raise
    raise AssertionError("there is at least one address")


async def _first_bytes(response: httpx.Response, deadline: float) -> bytes:
    """What of the body arrives in time, up to 64 KiB; a body that breaks off is as good."""
    body = bytearray()
    async with contextlib.aclosing(response):
        with contextlib.suppress(TimeoutError, httpx.HTTPError, OSError):
            async with asyncio.timeout_at(deadline):
                async for chunk in response.aiter_raw():
                    body += chunk
                    if len(body) >= _MAX_BODY:
                        break
    return bytes(body[:_MAX_BODY])
