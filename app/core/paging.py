"""Cursors: opaque to clients, so that what they hold can change without breaking them."""

import base64

from app.core.errors import InvalidInputError

PREFIX = b"a:"


def encode_cursor(after: int) -> str:
    return base64.urlsafe_b64encode(PREFIX + str(after).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> int:
    """The row after which the next page begins."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        prefix, number = raw[: len(PREFIX)], raw[len(PREFIX) :]
        if prefix == PREFIX and number.isdigit() and len(number) < 19:
            return int(number)
    except ValueError:
        pass
    raise InvalidInputError(
        "The cursor is none of ours; take `next_cursor` from the page before.", field="cursor"
    )
