"""Pages pushed to a browser, also when no page of ours is open in it (RFC 8030, 8291, 8292).

The endpoint is whatever a user's browser said it is, so the request goes to an address that
was checked (`targets`), encrypted unless an operator allowed that network. The push service
sees who sends and how urgent it is; what the page says only the browser can read. A newer
page about the same incident replaces one that was not fetched yet (Topic).
"""

import hashlib
import json
import os
import ssl
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from app.channels.base import GaveUp, Message, Outcome, RetryLater, Sent
from app.channels.connections import Pool
from app.channels.exchange import Answer, Call, describe, exchange, wish
from app.channels.plain import one_line
from app.channels.push_seal import ROOM, authorization, seal, vapid_key, vapid_public_key
from app.channels.targets import (
    IPAddress,
    Network,
    Resolver,
    Target,
    TargetRefusedError,
    is_in,
    parse_target,
    provider_of_url,
    resolve,
    system_resolver,
)
from app.channels.tls import client_context
from app.core.errors import SetupError
from app.core.version import VERSION
from app.domain.notification import Channel
from app.domain.push import Subscription, decode_key, encode_key, read_subscription

__all__ = ["PushSender", "vapid_public_key"]

_LIFE_OF_PROOF = 12 * 3600  # a push service takes at most a day
_MAX_TITLE = 100
_ROOM_FOR_BODY = 2000  # that much of the text comes before any of the data
_LONGEST_ID = 500


class PushSender:
    """Pushes each message to the browser whose subscription is its address and secret."""

    channel: Channel = Channel.PUSH
    has_many_providers = True

    def __init__(
        self,
        private_key: bytes,
        *,
        subject: str,
        allowed: Sequence[Network] = (),
        timeout: timedelta = timedelta(seconds=15),
        concurrency: int = 16,
        ttl: timedelta = timedelta(hours=4),
        resolver: Resolver = system_resolver,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not subject.startswith(("mailto:", "https://")):
            raise SetupError("Push services want a contact: mailto: and an address, or a URL.")
        self.timeout = timeout
        self.concurrency = concurrency
        self._key = vapid_key(private_key)
        self._public_key = vapid_public_key(private_key)
        self._subject = subject
        self._allowed = tuple(allowed)
        self._ttl = int(ttl.total_seconds())
        self._resolver = resolver
        self._pool = Pool(tls or client_context())
        self._clock = clock

    async def send(self, message: Message) -> Outcome:
        """Push the subject, the text and what fits of the data, or say why that did not work."""
        try:
            subscription = _subscription_of(message)
            target = parse_target(subscription.endpoint)
            body = _sealed(_payload(message), subscription)
        except TargetRefusedError as exc:
            return GaveUp(str(exc))
        except ValueError:  # its text might quote a key
            return GaveUp("The push subscription is damaged: switch push on anew in the browser.")
        headers = self._headers(message, target)
        call = Call("POST", target, headers, body)
        answer = await exchange(call, timeout=self.timeout, pool=self._pool, find=self._find)
        if not isinstance(answer, Answer):
            return answer
        proof = headers["authorization"].removeprefix("vapid ")
        secrets = (proof, subscription.p256dh, subscription.auth)
        return self._outcome_of(answer, one_line(describe(answer, target, *secrets)))

    def public_key(self) -> str:
        """What a browser needs to subscribe to us (`applicationServerKey`)."""
        return self._public_key

    def provider_of(self, message: Message) -> str | None:
        """The host of the browser's push service."""
        return provider_of_url(message.address)

    def state(self) -> str:
        """`ready`: each message finds out anew whether its push service is there."""
        return "ready"

    async def close(self) -> None:
        """End the connections that are kept."""
        self._pool.close()

    async def _find(self, target: Target) -> list[IPAddress]:
        addresses = await resolve(target, allowed=self._allowed, resolver=self._resolver)
        if target.url.scheme != "https" and not all(is_in(a, self._allowed) for a in addresses):
            raise TargetRefusedError(
                f"{one_line(target.host, 100)} is a push service without https, so nothing was "
                "sent; TOCSIN_ALLOW_PRIVATE_TARGETS can allow its network."
            )
        return addresses

    def _headers(self, message: Message, target: Target) -> dict[str, str]:
        origin = f"{target.url.scheme}://{target.url.netloc.decode('ascii')}"
        expires = int(self._clock()) + _LIFE_OF_PROOF
        proof = authorization(self._key, audience=origin, subject=self._subject, expires=expires)
        topic = hashlib.sha256(message.thread.encode(errors="surrogatepass")).digest()[:24]
        return {
            "authorization": proof,
            "content-type": "application/octet-stream",
            "content-encoding": "aes128gcm",
            "ttl": str(self._ttl),
            "urgency": "high",
            "topic": encode_key(topic),  # 32 characters, as many as it may have
            "user-agent": f"Tocsin/{VERSION}",
        }

    def _outcome_of(self, answer: Answer, said: str) -> Outcome:
        if answer.is_taken:
            where = answer.headers.get("location")
            is_fit = where is not None and where.isprintable() and len(where) <= _LONGEST_ID
            return Sent(provider_id=where if is_fit else None)
        if answer.status in (404, 410):
            why = f"The browser's push subscription has ended: {said}"
            return GaveUp(why, is_gone=True, is_answer=True)
        if answer.is_for_good:
            return GaveUp(said, is_answer=True)
        return RetryLater(said, after=wish(answer, now=self._clock()))


def _subscription_of(message: Message) -> Subscription:
    keys = json.loads(message.secret or "")
    return read_subscription({"endpoint": message.address, "keys": keys})


def _sealed(content: bytes, subscription: Subscription) -> bytes:
    return seal(
        content,
        p256dh=decode_key(subscription.p256dh) or b"",
        auth=decode_key(subscription.auth) or b"",
        salt=os.urandom(16),
        ephemeral=ec.generate_private_key(ec.SECP256R1()),
    )


def _payload(message: Message) -> bytes:
    """The JSON that our service worker shows: at most `ROOM` bytes, cut where it must be."""
    title = one_line(message.subject, _MAX_TITLE)
    shown: dict[str, Any] = {"title": title, "body": "", "tag": message.thread[:100], "data": {}}
    room = ROOM - min(_ROOM_FOR_BODY, len(_json(message.text)))
    for key, value in message.data.items():
        data = {**shown["data"], key: value}
        if _fits({**shown, "data": data}, room):
            shown["data"] = data
    shown["body"] = _cut(message.text, ROOM - len(_json(shown)))
    return _json(shown)


def _fits(shown: Mapping[str, Any], room: int) -> bool:
    try:
        return len(_json(shown)) <= room
    except (TypeError, ValueError, RecursionError):  # no JSON: it cannot be shown
        return False


def _cut(text: str, room: int) -> str:
    """As much of `text` as its JSON may take bytes."""
    if _length(text) <= room:
        return text
    kept = bisect_right(range(len(text)), room, key=lambda n: _length(text[:n] + "…")) - 1
    return text[:kept] + "…"


def _length(text: str) -> int:
    return len(_json(text)) - 2  # without its quotation marks


def _json(value: Any) -> bytes:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode(errors="replace")  # a lone surrogate must not cost a page
