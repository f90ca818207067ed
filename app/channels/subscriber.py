"""An event as a signed POST (Standard Webhooks 1.0.0) to the endpoint of a subscription.

The request goes to an address that was checked (`targets`), over connections that no page
goes over. Any 2xx takes it, and nothing else does; no redirect is followed.
"""

import ssl
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from app.channels.base import GaveUp, RetryLater
from app.channels.connections import Pool
from app.channels.exchange import Answer, Call, describe, exchange, wish
from app.channels.plain import one_line
from app.channels.signing import headers, serialise, signer
from app.channels.targets import (
    Network,
    Resolver,
    TargetRefusedError,
    parse_target,
    resolve,
    system_resolver,
)
from app.channels.tls import client_context
from app.domain.webhook import Heard, Hook


class SubscriberSender:
    """Posts each hook, signed, and says what came back."""

    def __init__(
        self,
        version: str,
        *,
        allowed: Sequence[Network] = (),
        timeout: timedelta = timedelta(seconds=20),
        resolver: Resolver = system_resolver,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.timeout = timeout
        self._agent = f"Tocsin/{version}"
        self._find = partial(resolve, allowed=tuple(allowed), resolver=resolver)
        self._pool = Pool(tls or client_context())
        self._clock = clock

    async def send(self, hook: Hook) -> Heard:
        """Post one hook within the time-out; it never raises for what the world does to it."""
        started = time.monotonic()
        try:
            target = parse_target(hook.url)
        except TargetRefusedError as exc:
            return Heard(error=str(exc))
        body = serialise(hook.body)
        signers = [signer(secret) for secret in hook.secrets]
        sent = headers(hook.mark, body, signers, agent=self._agent, now=self._clock())
        call = Call("POST", target, sent, body)
        answer = await exchange(call, timeout=self.timeout, pool=self._pool, find=self._find)
        seconds = time.monotonic() - started
        if isinstance(answer, RetryLater | GaveUp):
            return Heard(error=answer.error, seconds=seconds)
        if answer.is_taken:
            return Heard(answer.status, seconds=seconds)
        said = describe(answer, target, *sent["webhook-signature"].split())
        return Heard(answer.status, one_line(said + _why(answer)), self._wish(answer), seconds)

    async def close(self) -> None:
        """End the connections that are kept."""
        self._pool.close()

    def _wish(self, answer: Answer) -> timedelta | None:
        return wish(answer, now=self._clock())


def _why(answer: Answer) -> str:
    if 300 <= answer.status <= 399:
        return " (a redirect, which we do not follow)"
    return " (gone: it wants no more)" if answer.status == 410 else ""
