"""What a browser hands us when somebody wants pages pushed to it (a PushSubscription)."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LONGEST_ENDPOINT = 2000

_POINT_LENGTH = 65  # an uncompressed point on P-256
_AUTH_LENGTH = 16


@dataclass(frozen=True)
class Subscription:
    """One browser's own address at its push service, and the keys that only it can read with."""

    endpoint: str
    p256dh: str = field(repr=False)
    auth: str = field(repr=False)

    @property
    def keys(self) -> str:
        """What the endpoint needs besides itself, as a message's secret: JSON."""
        return json.dumps({"p256dh": self.p256dh, "auth": self.auth})


def read_subscription(document: Mapping[str, Any]) -> Subscription:
    """The subscription in what `PushSubscription.toJSON()` gives; else a ValueError says why."""
    endpoint = document.get("endpoint")
    if not isinstance(endpoint, str) or not re.fullmatch(r"https?://[\x21-\x7e]+", endpoint):
        raise ValueError("The endpoint of a push subscription must be a web address, https://….")
    if len(endpoint) > LONGEST_ENDPOINT:
        raise ValueError(f"The endpoint is longer than {LONGEST_ENDPOINT} characters.")
    keys = document.get("keys")
    if not isinstance(keys, Mapping):
        raise ValueError("A push subscription needs its keys, p256dh and auth.")
    point = decode_key(keys.get("p256dh"))
    if point is None or len(point) != _POINT_LENGTH or point[0] != 4:
        raise ValueError("The key p256dh must be 65 bytes of base64url, a point on P-256.")
    auth = decode_key(keys.get("auth"))
    if auth is None or len(auth) != _AUTH_LENGTH:
        raise ValueError("The key auth must be 16 bytes of base64url.")
    return Subscription(endpoint, encode_key(point), encode_key(auth))


def decode_key(text: object) -> bytes | None:
    """The bytes that base64url spells, with or without its padding."""
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]+=*", text):
        return None
    bare = text.rstrip("=")
    try:
        return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except binascii.Error:
        return None


def encode_key(content: bytes) -> str:
    """Bytes as base64url without padding."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
