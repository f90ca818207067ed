"""A page as a signed POST (Standard Webhooks 1.0.0) to a URL that a user gave.

The request goes to an address that was checked (`targets`), over a connection of its own:
nothing verified or remembered for one name serves another. The status decides the outcome;
of the body at most 64 KiB are read, for a person. No proxy, no redirect, no cookie. httpx's
transport is used without its client, which would log whole URLs, tokens and all.
"""

import asyncio
import contextlib
import json
import math
import re
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote_plus

import httpx
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from app.channels.base import GaveUp, Message, Outcome, RetryLater, Sent
from app.channels.plain import one_line, stable_token
from app.channels.targets import (
    IPAddress,
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
from app.core.errors import SetupError
from app.domain.notification import Channel

_MAX_BODY = 64 * 1024
_MAX_EXCERPT = 200
_MAX_ADDRESSES = 3
_PATIENCE_FOR_BODY = 2.0  # the outcome is known by then
_LONGEST_WISH = timedelta(hours=1)
_LATER = {408, 425, 429}


class WebhookSender:
    """Posts each message, signed, to the URL that is its address."""

    channel: Channel = Channel.WEBHOOK

    def __init__(
        self,
        secret: str,
        version: str,
        *,
        allowed: Sequence[Network] = (),
        timeout: timedelta = timedelta(seconds=15),
        concurrency: int = 16,
        resolver: Resolver = system_resolver,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.timeout = timeout
        self.concurrency = concurrency
        self._signer = _signer(secret)
        self._agent = f"Tocsin/{version}"
        self._allowed = tuple(allowed)
        self._resolver = resolver
        self._tls = tls or client_context()
        self._clock = clock

    async def send(self, message: Message) -> Outcome:
        """Post `message.data`, which is the complete body, or say why that did not work."""
        try:
            target = parse_target(message.address)
            body = _serialise(message.data)
        except TargetRefusedError as exc:
            return GaveUp(str(exc))
        except (TypeError, ValueError, RecursionError) as exc:
            return GaveUp(one_line(f"The message cannot be written as JSON: {exc}"))
        where = one_line(target.host, 100)
        headers = self._headers(target, stable_token(message.mark), body)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.timeout.total_seconds()
        try:
            async with contextlib.AsyncExitStack() as connections:
                async with asyncio.timeout_at(deadline):
                    addresses = await resolve(
                        target, allowed=self._allowed, resolver=self._resolver
                    )
                    response = await self._post(connections, target, addresses, headers, body)
                patience = min(deadline, loop.time() + _PATIENCE_FOR_BODY)
                answer = await _first_bytes(response, patience)
        except TargetRefusedError as exc:
            return GaveUp(one_line(str(exc)))
        except TargetUnresolvedError as exc:
            return RetryLater(one_line(str(exc)))
        except TimeoutError:
            return RetryLater(f"{where} did not answer within {self.timeout.total_seconds():g} s.")
        except (httpx.HTTPError, OSError) as exc:
            reason = str(exc) or type(exc).__name__
            return RetryLater(one_line(f"The request to {where} failed: {reason}"))
        return self._outcome_of(response, f"{where} answered {_excerpt(response, answer)}")

    def state(self) -> str:
        """`ready`: each message finds out anew whether its target is there."""
        return "ready"

    async def close(self) -> None:
        """Nothing is held between messages."""

    def _headers(self, target: Target, mark: str, body: bytes) -> dict[str, str]:
        at = datetime.fromtimestamp(math.floor(self._clock()), UTC)
        return {
            "host": target.url.netloc.decode("ascii"),
            "content-type": "application/json",
            "user-agent": self._agent,
            "accept-encoding": "identity",  # nothing to unpack, so nothing that explodes
            "connection": "close",
            "webhook-id": mark,
            "webhook-timestamp": f"{at.timestamp():.0f}",
            "webhook-signature": self._signer.sign(mark, at, body.decode()),
        }

    async def _post(
        self,
        connections: contextlib.AsyncExitStack,
        target: Target,
        addresses: Sequence[IPAddress],
        headers: Mapping[str, str],
        body: bytes,
    ) -> httpx.Response:
        """The answer of the first address that lets us in; only a connection is tried twice."""

        async def close_at_the_end(event: str, found: Mapping[str, Any]) -> None:
            # httpcore forgets a connection that is cancelled while it starts TLS
            if event == "connection.connect_tcp.complete":
                connections.push_async_callback(found["return_value"].aclose)

        transport = httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False)
        await connections.enter_async_context(transport)
        *others, last = addresses[:_MAX_ADDRESSES]
        # Each but the last gets its share, for TCP and TLS alike; the last has what is left.
        share = self.timeout.total_seconds() / (2 * len(others) + 2)
        for address in (*others, last):
            request = httpx.Request(
                "POST",
                target.url.copy_with(host=str(address)),
                headers=headers,
                content=body,
                extensions={
                    "sni_hostname": target.host.rstrip("."),
                    "timeout": {} if address is last else {"connect": share},
                    "trace": close_at_the_end,
                },
            )
            try:
                response = await transport.handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if address is last:
                    raise
            else:
                response.request = request
                return response
        raise AssertionError("resolve() gives at least one address")

    def _outcome_of(self, response: httpx.Response, said: str) -> Outcome:
        status = response.status_code
        if 200 <= status <= 299:
            return Sent()
        if 300 <= status <= 399:
            return GaveUp(one_line(f"{said} (a redirect, which we do not follow)"))
        if status == 410:
            return GaveUp(one_line(f"{said} (gone: it wants no more)"))
        if 400 <= status <= 499 and status not in _LATER:
            return GaveUp(one_line(said))
        return RetryLater(one_line(said), after=self._wish(response.headers.get("retry-after")))

    def _wish(self, retry_after: str | None) -> timedelta | None:
        """How long the server asks us to wait, if it asks and makes sense; at most an hour."""
        if retry_after is None:
            return None
        if re.fullmatch(r"[0-9]+", retry_after):
            seconds = float(retry_after[:9])
        else:
            try:
                seconds = parsedate_to_datetime(retry_after).timestamp() - self._clock()
            except (ValueError, OverflowError):
                return None
        return min(timedelta(seconds=seconds), _LONGEST_WISH) if seconds > 0 else None


def _signer(secret: str) -> Webhook:
    try:
        return Webhook(secret)
    except (ValueError, EmptyWebhookSecretError):
        raise SetupError("The webhook secret must be whsec_ and base64.") from None


def _serialise(body: Mapping[str, Any]) -> bytes:
    text = json.dumps(dict(body), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode(errors="replace")  # a lone surrogate must not cost a page


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


def _excerpt(response: httpx.Response, body: bytes) -> str:
    """The status and the first words of the body, without our signature and the URL's secrets."""
    if "content-encoding" in response.headers:
        return str(response.status_code)
    text = body.decode(errors="replace")
    url = response.request.url
    # In pieces, because a page may quote them escaped in one way or another.
    private = [path for path in (url.path, url.raw_path.decode().partition("?")[0]) if path != "/"]
    for source in (
        response.request.headers["webhook-signature"],
        url.query.decode("ascii"),
        unquote_plus(url.query.decode("ascii")),
    ):
        private += re.findall(r"\w{4,}", source)
    for secret in sorted(private, key=len, reverse=True):
        text = text.replace(secret, "***")
    words = one_line(text, _MAX_EXCERPT)
    return f"{response.status_code}: {words}" if words else str(response.status_code)
