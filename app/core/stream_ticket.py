"""Tickets for streams: a browser's EventSource can send no header, and what stands in a URL is
soon in somebody's log. So it is no token that stands there but a ticket, which opens nothing
else, is good for a minute, and is worth no more than the login that asked for it.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from struct import Struct

from app.core.security import Signer

LIFE = timedelta(seconds=60)
PURPOSE = "stream ticket"
SIGNATURE_BYTES = 18
_LAYOUT = Struct(">QQQQ")


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens, and by what: a login or an API key of theirs."""

    user_id: int
    session_id: int | None = None
    key_id: int | None = None


def issue(signer: Signer, listener: Listener, *, now: datetime) -> str:
    """A ticket for a URL."""
    ends = int((now + LIFE).timestamp())
    head = _LAYOUT.pack(listener.user_id, listener.session_id or 0, listener.key_id or 0, ends)
    return base64.urlsafe_b64encode(head + _signature(signer, head)).decode().rstrip("=")


def read(signer: Signer, ticket: str, *, now: datetime) -> Listener | None:
    """Whom it was issued to; None if it is over or was never ours."""
    try:
        raw = base64.urlsafe_b64decode(ticket + "=" * (-len(ticket) % 4))
    except ValueError:
        return None
    head, signature = raw[: _LAYOUT.size], raw[_LAYOUT.size :]
    if not hmac.compare_digest(signature, _signature(signer, head)):
        return None
    user_id, session_id, key_id, ends = _LAYOUT.unpack(head)
    if now.timestamp() >= ends:
        return None
    return Listener(user_id, session_id or None, key_id or None)


def _signature(signer: Signer, head: bytes) -> bytes:
    return hmac.digest(signer.derive(PURPOSE), head, hashlib.sha256)[:SIGNATURE_BYTES]
