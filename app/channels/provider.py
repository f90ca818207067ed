"""What the SMS providers have in common: whom they can reach, and what their answers mean.

A provider's URL is an operator's: it may be private, and what an operator can mend (a rotated
token, a moved address) is tried again, so that no page is lost over it.
"""

import json
import re
import ssl
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from app.channels.base import GaveUp, Message, RetryLater
from app.channels.connections import Pool
from app.channels.exchange import Answer, Call, exchange, wish
from app.channels.plain import one_line
from app.channels.targets import Target, TargetRefusedError, parse_target
from app.channels.tls import client_context
from app.core.errors import SetupError
from app.core.version import VERSION
from app.domain.notification import Channel

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_LOGIN_STATUSES = {401, 403, 407}


class SmsProvider:
    """The way to one provider."""

    channel: Channel = Channel.SMS
    has_many_providers = False

    def __init__(
        self,
        provider: Target,
        *,
        timeout: timedelta,
        concurrency: int,
        tls: ssl.SSLContext | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.timeout = timeout
        self.concurrency = concurrency
        self._provider = provider.provider
        self._pool = Pool(tls or client_context())
        self._clock = clock

    def provider_of(self, message: Message) -> str:
        """The host of the provider's API."""
        return self._provider

    def state(self) -> str:
        """`ready`: each message finds out anew whether the provider is there."""
        return "ready"

    async def close(self) -> None:
        """End the connections that are kept."""
        self._pool.close()

    async def ask(
        self,
        method: str,
        target: Target,
        headers: dict[str, str],
        body: bytes = b"",
        *,
        timeout: timedelta | None = None,
    ) -> Answer | RetryLater | GaveUp:
        """The provider's answer, or why there is none."""
        call = Call(method, target, {"user-agent": f"Tocsin/{VERSION}", **headers}, body)
        patience = self.timeout if timeout is None else timeout
        return await exchange(call, timeout=patience, pool=self._pool)

    def refusal(self, answer: Answer, said: str) -> RetryLater | GaveUp:
        """What an answer that is no yes means for the page."""
        if answer.status in _LOGIN_STATUSES:
            return RetryLater(one_line(f"The SMS provider wants another login: {said}"))
        if 300 <= answer.status <= 399:
            return RetryLater(one_line(f"{said} (a redirect, which we do not follow)"))
        if answer.is_for_good:
            return GaveUp(one_line(said), is_answer=True)
        return RetryLater(one_line(said), after=wish(answer, now=self._clock()))


def refuse_number(address: str) -> GaveUp | None:
    """Why no text can go to this address, unless it is a phone number as E.164 writes it."""
    if _E164.fullmatch(address):
        return None
    if not address:
        return GaveUp("There is no phone number to send to.")
    return GaveUp(
        f"{one_line(address, 40)} is no phone number: write + and the country code, then "
        "digits only, like +4915112345678."
    )


def provider_target(url: str, setting: str) -> Target:
    """An operator's URL, or the reason why it is none."""
    try:
        return parse_target(url)
    except TargetRefusedError as exc:
        raise SetupError(f"{setting} cannot be used: {exc}") from None


def header_secret(value: str, setting: str) -> str:
    """A login that fits into a header; no error quotes it."""
    if re.fullmatch(r"[\x21-\x7e]+", value):
        return value
    raise SetupError(f"{setting} must be printable ASCII without spaces.")


def read_json(answer: Answer) -> Any:
    """The JSON that an answer holds, or None."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
