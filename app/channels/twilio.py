"""Texts through Twilio's REST API (2010-04-01), or whatever speaks it.

Twilio's own code says more than the status: a login, an account or a sender that it does not
know is an operator's to mend, so the page waits; a recipient it refuses is given up. It has no
idempotency key for messages, so a resend after a lost answer may arrive twice; what was
promised is that no page is lost.
"""

import asyncio
import base64
import re
import ssl
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from app.channels.base import GaveUp, Message, Outcome, RetryLater, Sent
from app.channels.exchange import Answer, describe, without
from app.channels.plain import one_line
from app.channels.provider import (
    SmsProvider,
    header_secret,
    provider_target,
    read_json,
    refuse_number,
)
from app.channels.targets import Target
from app.core.errors import SetupError
from app.domain.notification import Receipt
from app.domain.receipt import as_id, read_twilio_status

# What an operator can mend, whatever the status: the login, the account, the sender.
_OPERATORS_CODES = {20003, 20005, 20404, 21212, 21601, 21606, 21659, 21661}
_BAD_CALLBACK = 21609


class TwilioSender(SmsProvider):
    """Hands each text to one Twilio account."""

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        sender: str,
        *,
        api_url: str = "https://api.twilio.com",
        timeout: timedelta = timedelta(seconds=15),
        concurrency: int = 4,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not re.fullmatch(r"[A-Za-z0-9]+", account_sid):
            raise SetupError("The Twilio account SID must be letters and digits, like AC….")
        if not sender:
            raise SetupError("Twilio needs a sender: one of its numbers or a messaging service.")
        self._token = header_secret(auth_token, "The Twilio auth token")
        login = base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()
        self._login = login
        self._account = f"{api_url.rstrip('/')}/2010-04-01/Accounts/{account_sid}/Messages"
        self._target = self._page(".json")
        super().__init__(
            self._target, timeout=timeout, concurrency=concurrency, tls=tls, clock=clock
        )
        self._sender = {"MessagingServiceSid" if sender.startswith("MG") else "From": sender}

    async def send(self, message: Message) -> Outcome:
        """Hand one text to Twilio, or say why that did not work."""
        refused = refuse_number(message.address)
        if refused:
            return refused
        form = {"To": message.address, "Body": message.text, **self._sender}
        if message.receipt_url:
            form["StatusCallback"] = message.receipt_url
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.timeout.total_seconds()
        answer = await self._post(form, self.timeout)
        if isinstance(answer, Answer) and "StatusCallback" in form and _blames_callback(answer):
            # Better a page without a receipt than none: some URLs of ours Twilio cannot call.
            del form["StatusCallback"]
            answer = await self._post(form, timedelta(seconds=max(deadline - loop.time(), 0)))
        return self._outcome_of(answer) if isinstance(answer, Answer) else answer

    async def read_receipt(self, provider_id: str) -> Receipt:
        """What Twilio says of a message now."""
        target = self._page(f"/{quote(provider_id, safe='')}.json")
        answer = await self.ask("GET", target, self._headers())
        if not isinstance(answer, Answer) or not answer.is_taken:
            return Receipt()
        return _receipt(_fields(answer))

    def _page(self, rest: str) -> Target:
        return provider_target(self._account + rest, "The URL of Twilio's API")

    def _headers(self) -> dict[str, str]:
        return {"accept": "application/json", "authorization": f"Basic {self._login}"}

    async def _post(self, form: dict[str, str], timeout: timedelta) -> Answer | RetryLater | GaveUp:
        headers = self._headers() | {"content-type": "application/x-www-form-urlencoded"}
        body = urlencode(form, errors="replace").encode()
        return await self.ask("POST", self._target, headers, body, timeout=timeout)

    def _outcome_of(self, answer: Answer) -> Outcome:
        fields = _fields(answer)
        if not answer.is_taken:
            return self._refused(answer, fields)
        failure = _receipt(fields).error
        if failure:
            return GaveUp(one_line(failure), is_answer=True)
        return Sent(provider_id=as_id(fields.get("sid")))

    def _refused(self, answer: Answer, fields: dict[str, Any]) -> RetryLater | GaveUp:
        code, text = fields.get("code"), fields.get("message")
        secrets = (self._token, self._login)
        if not isinstance(code, int) or not isinstance(text, str):
            return self.refusal(answer, describe(answer, self._target, *secrets))
        said = f"Twilio says {without(text, *secrets)} ({answer.status}, code {code})"
        if code in _OPERATORS_CODES:
            return RetryLater(one_line(f"An admin must mend the Twilio account: {said}"))
        return self.refusal(answer, said)


def _fields(answer: Answer) -> dict[str, Any]:
    document = read_json(answer)
    return document if isinstance(document, dict) else {}


def _blames_callback(answer: Answer) -> bool:
    return not answer.is_taken and _fields(answer).get("code") == _BAD_CALLBACK


def _receipt(fields: dict[str, Any]) -> Receipt:
    return read_twilio_status(
        fields.get("status"), fields.get("error_code"), fields.get("error_message")
    )
