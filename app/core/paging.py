"""Cursors: opaque to clients, so that what they hold can change without breaking them."""

import base64

from app.core.errors import InvalidInputError

PREFIX = b"a:"
# Keys are bigint, but JSON's numbers are exact only so far; we never give out one beyond.
BIGGEST_KEY = 2**53 - 1


def encode_cursor(after: int) -> str:
    return base64.urlsafe_b64encode(PREFIX + str(after).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> int:
    """The row after which the next page begins."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        after = int(raw.removeprefix(PREFIX))
        # One spelling a cursor: base64 and `int` would also take others.
        if encode_cursor(after) == cursor and 0 <= after <= BIGGEST_KEY:
            return after
    except ValueError:
        pass
    raise InvalidInputError(
        "The cursor is none of ours; take `next_cursor` from the page before.", field="cursor"
    )
