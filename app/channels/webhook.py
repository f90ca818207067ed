"""A page as a signed POST (Standard Webhooks 1.0.0) to a URL that a user gave.

The request goes to an address that was checked (`targets`), over a connection that only this
place is asked over (`connections`). The status decides the outcome; the body is for a person.
"""

import ssl
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from app.channels.base import GaveUp, Message, Outcome, RetryLater, Sent
from app.channels.connections import Pool
from app.channels.exchange import Answer, Call, describe, exchange, wish
from app.channels.plain import one_line, stable_token
from app.channels.signing import headers, serialise, signer
from app.channels.targets import (
    Network,
    Resolver,
    TargetRefusedError,
    parse_target,
    provider_of_url,
    resolve,
    system_resolver,
)
from app.channels.tls import client_context
from app.domain.notification import Channel


class WebhookSender:
    """Posts each message, signed, to the URL that is its address."""

    channel: Channel = Channel.WEBHOOK
    has_many_providers = True

    def __init__(
        self,
        secret: str,
        version: str,
        *,
        allowed: Sequence[Network] = (),
        timeout: timedelta = timedelta(seconds=15),
        concurrency: int = 64,
        resolver: Resolver = system_resolver,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.timeout = timeout
        self.concurrency = concurrency
        self._signer = signer(secret)
        self._agent = f"Tocsin/{version}"
        self._find = partial(resolve, allowed=tuple(allowed), resolver=resolver)
        self._pool = Pool(tls or client_context())
        self._clock = clock

    async def send(self, message: Message) -> Outcome:
        """Post `message.data`, which is the complete body, or say why that did not work."""
        try:
            target = parse_target(message.address)
            body = serialise(message.data)
        except TargetRefusedError as exc:
            return GaveUp(str(exc))
        except (TypeError, ValueError, RecursionError) as exc:
            return GaveUp(one_line(f"The message cannot be written as JSON: {exc}"))
        mark = stable_token(message.mark)
        sent = headers(mark, body, [self._signer], agent=self._agent, now=self._clock())
        call = Call("POST", target, sent, body)
        answer = await exchange(call, timeout=self.timeout, pool=self._pool, find=self._find)
        if not isinstance(answer, Answer):
            return answer
        if answer.is_taken:
            return Sent()
        return self._refusal(answer, describe(answer, target, sent["webhook-signature"]))

    def provider_of(self, message: Message) -> str | None:
        """The host of the URL."""
        return provider_of_url(message.address)

    def state(self) -> str:
        """`ready`: each message finds out anew whether its target is there."""
        return "ready"

    async def close(self) -> None:
        """End the connections that are kept."""
        self._pool.close()

    def _refusal(self, answer: Answer, said: str) -> Outcome:
        if 300 <= answer.status <= 399:
            said = f"{said} (a redirect, which we do not follow)"
        elif answer.status == 410:
            said = f"{said} (gone: it wants no more)"
        if answer.is_for_good:
            return GaveUp(one_line(said), is_answer=True)
        return RetryLater(one_line(said), after=wish(answer, now=self._clock()))
