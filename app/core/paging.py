"""Cursors: opaque to clients, so that what they hold can change without breaking them.

A cursor says where a page ended, and is good for the same list in the same order with the same
filters only: all of that is sealed with it. Nobody can make one up, so what one holds is taken
as it is.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.errors import InvalidInputError

SEAL_BYTES = 12
# Keys are bigint, but JSON's numbers are exact only so far; we never give out one beyond.
BIGGEST_KEY = 2**53 - 1

Value = int | str | datetime


@dataclass(frozen=True)
class Place:
    """Where a page ended: the last row's value in the list's order, and its id.

    It goes on with what was known of the whole when the first page was read, so that a page
    after it costs no count. `newest` is the newest row that a search had found by then.
    """

    value: Value
    id: int
    total: int
    total_is_bound: bool = False
    newest: int | None = None


class Cursors:
    """Writes and reads the cursors of one list, as it was asked for: its `scope`."""

    def __init__(self, key: bytes, scope: str) -> None:
        self._key = key
        self._scope = scope.encode(errors="surrogatepass")

    def encode(self, place: Place) -> str:
        value: Any = place.value
        if isinstance(value, datetime):
            value = [value.isoformat()]
        rest = (place.id, place.total, place.total_is_bound, place.newest)
        written = json.dumps([value, *rest], separators=(",", ":"), ensure_ascii=False).encode()
        return _spelled(self._seal(written) + written)

    def decode(self, cursor: str) -> Place:
        """The place after which the next page begins."""
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except ValueError:
            raise refused() from None
        seal, written = raw[:SEAL_BYTES], raw[SEAL_BYTES:]
        # One spelling a cursor: base64 would also take others.
        if not hmac.compare_digest(seal, self._seal(written)) or _spelled(raw) != cursor:
            raise refused()
        value, *rest = json.loads(written)
        return Place(datetime.fromisoformat(value[0]) if isinstance(value, list) else value, *rest)

    def _seal(self, written: bytes) -> bytes:
        sealed = hashlib.sha256(self._scope).digest() + written
        return hmac.digest(self._key, sealed, hashlib.sha256)[:SEAL_BYTES]


def refused() -> InvalidInputError:
    return InvalidInputError(
        "The cursor is none of ours, or of another list, order or filter; take `next_cursor`"
        " from the page before and change nothing else.",
        field="cursor",
    )


def _spelled(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
