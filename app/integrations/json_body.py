"""A request body, as the JSON that its sender meant.

Nothing a sender can put into a body raises here: `parse` answers with a value or with why
there is none. It reads generously (a byte order mark, raw line breaks in strings, Latin-1
from old scripts, NaN, integers of any length, a key given twice), because behind a body
that is refused there may be a page that nobody gets.
"""

import json
from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

from app.domain.integration import Signal, Unreadable

Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
Item = TypeVar("Item")

MOST_ALERTS = 1000
LONGEST_INTEGER = 300


def parse(body: bytes) -> Json | Unreadable:
    """The JSON value that `body` holds, or why it holds none."""
    return parse_text(_decode(body))


def parse_text(text: str) -> Json | Unreadable:
    """The JSON value that `text` spells, or why it spells none."""
    if not text.strip():
        return Unreadable("The body is empty.")
    try:
        value: Json = _READER.decode(text)
    except json.JSONDecodeError as fault:
        place = f"line {fault.lineno}, column {fault.colno}"
        return Unreadable(f"The body is not JSON: {fault.msg} ({place}).")
    except RecursionError:
        return Unreadable("The body is nested too deeply to be read.")
    return value


def read_each(
    items: Sequence[Item], read_one: Callable[[Item], Signal | Unreadable]
) -> tuple[Signal | Unreadable, ...]:
    """Every item read by itself, in order; those past the limit as one unreadable alert."""
    alerts = tuple(read_one(item) for item in items[:MOST_ALERTS])
    left = len(items) - MOST_ALERTS
    if left <= 0:
        return alerts
    reason = f"A body may hold {MOST_ALERTS} alerts; the last {left} of this one were not read."
    return (*alerts, Unreadable(reason))


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("latin-1")


def _integer(digits: str) -> int | str:
    # int() refuses long ones, and takes quadratic time over those it does not.
    return int(digits) if len(digits) <= LONGEST_INTEGER else digits


# To make one for each body takes as long as to read it.
_READER = json.JSONDecoder(strict=False, parse_int=_integer)
