"""The filters of wordings: each gives a value that is bounded by what it takes.

None of Jinja's own is within reach. Those that can grow a text (`center`, `replace`,
`indent`, `format`, `wordwrap`, …) have no counterpart here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.messages.plain import cut, instant
from app.messages.vocabulary import Labels, Type, Types, say

TEXT = frozenset({Type.TEXT})
NUMBER = frozenset({Type.NUMBER})
ONE_VALUE = frozenset({Type.TEXT, Type.NUMBER, Type.FLAG, Type.MOMENT, Type.NOTHING})
LONGEST_SEPARATOR = 20
LONGEST_CUT = 1000


@dataclass(frozen=True)
class Argument:
    """What stands in a filter's brackets."""

    what: str  # in words
    accepts: Callable[[Any], bool] | None = None  # the constant; None: any single value
    is_required: bool = True


@dataclass(frozen=True)
class Filter:
    """One filter: what it takes, what comes of it, and the doing."""

    takes: Types
    gives: Types
    apply: Callable[..., Any]
    argument: Argument | None = None


def _is_whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _text(value: Any) -> str:
    return str(say(value))


def _length(value: str | tuple[str, ...] | Labels | None) -> int:
    return 0 if value is None else len(value)


def _default(value: Any, other: Any) -> Any:
    return other if value is None or value == "" else value


def _title(value: Any) -> str:
    return " ".join(word[:1].upper() + word[1:].lower() for word in _text(value).split(" "))


def _moment(value: datetime) -> str:
    return instant(value)


FILTERS: Mapping[str, Filter] = {
    "upper": Filter(ONE_VALUE, TEXT, lambda value: _text(value).upper()),
    "lower": Filter(ONE_VALUE, TEXT, lambda value: _text(value).lower()),
    "title": Filter(ONE_VALUE, TEXT, _title),
    "capitalize": Filter(ONE_VALUE, TEXT, lambda value: _text(value).capitalize()),
    "trim": Filter(ONE_VALUE, TEXT, lambda value: _text(value).strip()),
    "truncate": Filter(
        ONE_VALUE,
        TEXT,
        lambda value, room: cut(_text(value), room),
        Argument(f"a number from 1 to {LONGEST_CUT}", lambda room: _is_whole(room, 1, LONGEST_CUT)),
    ),
    "default": Filter(ONE_VALUE, ONE_VALUE, _default, Argument("what to say instead")),
    "length": Filter(frozenset({Type.TEXT, Type.NOTHING, Type.LIST, Type.LABELS}), NUMBER, _length),
    "first": Filter(
        frozenset({Type.LIST}),
        frozenset({Type.TEXT, Type.NOTHING}),
        lambda items: items[0] if items else None,
    ),
    "last": Filter(
        frozenset({Type.LIST}),
        frozenset({Type.TEXT, Type.NOTHING}),
        lambda items: items[-1] if items else None,
    ),
    "round": Filter(
        NUMBER,
        NUMBER,
        lambda number, places=0: round(number, places),
        Argument("a number from 0 to 6", lambda places: _is_whole(places, 0, 6), is_required=False),
    ),
    "instant": Filter(frozenset({Type.MOMENT}), TEXT, _moment),
    "join": Filter(
        frozenset({Type.LIST}),
        TEXT,
        lambda items, separator: separator.join(items),
        Argument(
            f"a text of at most {LONGEST_SEPARATOR} characters",
            lambda text: isinstance(text, str) and len(text) <= LONGEST_SEPARATOR,
        ),
    ),
}
