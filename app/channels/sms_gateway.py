"""Texts through any SMS gateway that takes JSON over HTTP: an operator says what it looks like.

The body is a JSON template. A placeholder is filled into the value it stands in, never into
JSON text, so no message can change the document around it. The page's mark goes along, in the
body and as Idempotency-Key, so a gateway can tell a resend. A gateway that answers 2xx but
says in the same breath that the message failed is believed.
"""

import json
import re
import ssl
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NoReturn
from urllib.parse import quote

from app.channels.base import GaveUp, Message, Outcome, Sent
from app.channels.exchange import Answer, describe
from app.channels.plain import one_line, stable_token
from app.channels.provider import (
    SmsProvider,
    header_secret,
    provider_target,
    read_json,
    refuse_number,
)
from app.core.errors import SetupError
from app.domain.notification import Receipt
from app.domain.receipt import as_id, read_gateway_status

DEFAULT_BODY = (
    '{"to": "{to}", "text": "{text}", "reference": "{reference}", "callback_url": "{callback_url}"}'
)

_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_PLACEHOLDERS = ("to", "text", "reference", "callback_url")
_NEEDED = {"to", "text"}
_STATUS_URL = "The status URL of the SMS gateway"
_NOTHING = object()


class SmsGatewaySender(SmsProvider):
    """Posts each text to one gateway."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        body: str | None = None,
        id_field: str = "id",
        status_url: str | None = None,
        timeout: timedelta = timedelta(seconds=15),
        concurrency: int = 4,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._target = provider_target(url, "The URL of the SMS gateway")
        super().__init__(
            self._target, timeout=timeout, concurrency=concurrency, tls=tls, clock=clock
        )
        self._token = header_secret(token, "The token of the SMS gateway") if token else ""
        self._template = parse_template(body or DEFAULT_BODY)
        self._id_path = id_field.split(".")
        self._status_url = _parse_status_url(status_url) if status_url else None

    async def send(self, message: Message) -> Outcome:
        """Hand one text to the gateway, or say why that did not work."""
        refused = refuse_number(message.address)
        if refused:
            return refused
        values = {
            "to": message.address,
            "text": message.text,
            "reference": message.mark,
            "callback_url": message.receipt_url,
        }
        body = json.dumps(_fill(self._template, values), ensure_ascii=False)
        headers = self._headers() | {
            "content-type": "application/json",
            "idempotency-key": stable_token(message.mark),
        }
        answer = await self.ask("POST", self._target, headers, body.encode(errors="replace"))
        if not isinstance(answer, Answer):
            return answer
        if not answer.is_taken:
            return self.refusal(answer, describe(answer, self._target, self._token))
        document = read_json(answer)
        failure = read_gateway_status(document).error
        if failure:
            return GaveUp(one_line(failure), is_answer=True)
        return Sent(provider_id=as_id(_look_up(document, self._id_path)))

    async def read_receipt(self, provider_id: str) -> Receipt:
        """What the gateway's status page says of a message, if it has one."""
        if self._status_url is None:
            return Receipt()
        url = self._status_url.replace("{id}", quote(provider_id, safe=""))
        target = provider_target(url, _STATUS_URL)
        answer = await self.ask("GET", target, self._headers())
        if not isinstance(answer, Answer) or not answer.is_taken:
            return Receipt()
        return read_gateway_status(read_json(answer))

    def _headers(self) -> dict[str, str]:
        accept = {"accept": "application/json"}
        return {**accept, "authorization": f"Bearer {self._token}"} if self._token else accept


def parse_template(text: str) -> Any:
    """The JSON template of a body, its placeholders checked."""
    try:
        template = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise _bad_template("it is not JSON") from None
    if not isinstance(template, dict | list):
        raise _bad_template("it must be a JSON object or list")
    used = _placeholders(template)
    unknown = used - set(_PLACEHOLDERS)
    if unknown:
        raise _bad_template(f"there is no {{{one_line(min(unknown), 40)}}}")
    if not used >= _NEEDED:
        raise _bad_template("without {to} and {text} it would reach nobody")
    return template


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _bad_template(why: str) -> SetupError:
    return SetupError(
        f"The body of the SMS gateway cannot be used: {why}. Write JSON whose string values hold "
        "{to} and {text}, and if the gateway wants them {reference} and {callback_url}."
    )


def _placeholders(value: Any) -> set[str]:
    match value:
        case str():
            return set(_PLACEHOLDER.findall(value))
        case dict():
            return set().union(*map(_placeholders, value.values()))
        case list():
            return set().union(*map(_placeholders, value))
        case _:
            return set()


def _fill(value: Any, values: Mapping[str, str | None]) -> Any:
    """`value` with its placeholders filled; what is nothing but an absent one is left out."""
    match value:
        case str():
            whole = _PLACEHOLDER.fullmatch(value)
            if whole and values[whole[1]] is None:
                return _NOTHING
            return _PLACEHOLDER.sub(lambda found: values[found[1]] or "", value)
        case dict():
            filled = {key: _fill(item, values) for key, item in value.items()}
            return {key: item for key, item in filled.items() if item is not _NOTHING}
        case list():
            return [item for one in value if (item := _fill(one, values)) is not _NOTHING]
        case _:
            return value


def _look_up(document: Any, path: list[str]) -> Any:
    """What lies at `data.0.id`, or None."""
    for step in path:
        if isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and re.fullmatch(r"[0-9]{1,6}", step):
            document = document[int(step)] if int(step) < len(document) else None
        else:
            return None
    return document


def _parse_status_url(url: str) -> str:
    if "{id}" not in url:
        raise SetupError("The status URL of the SMS gateway must hold {id}, the message's id.")
    here, there = (provider_target(url.replace("{id}", digit), _STATUS_URL) for digit in "01")
    if (here.host, here.port) != (there.host, there.port):
        raise SetupError("In the status URL of the SMS gateway {id} belongs behind the host.")
    return url
