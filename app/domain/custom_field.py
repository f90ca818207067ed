"""Fields of an incident that an installation adds for itself, and what each may hold.

`read_value` is the one gate: whatever passes it is JSON that comes back from the database as
it went in, in one form, so that two equal values are equal there, too.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from app.domain.text import UNSTORABLE, is_storable

LONGEST_TEXT = 1000
LONGEST_URL = 2000
MOST_CHOSEN = 50
# Beyond it, programs that keep numbers as floats no longer agree on whole ones.
LARGEST_NUMBER = 10**15

KEY_FORM = "^[a-z][a-z0-9_]{0,49}$"
_KEY = re.compile(KEY_FORM.removesuffix("$"))
_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")

Value = str | int | float | bool | list[str]


class FieldType(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"  # YYYY-MM-DD
    URL = "url"
    SELECT = "select"  # one of its options
    MULTI_SELECT = "multi_select"  # any of its options

    @property
    def is_choice(self) -> bool:
        return self in (FieldType.SELECT, FieldType.MULTI_SELECT)


def is_key(text: str) -> bool:
    return _KEY.fullmatch(text) is not None


def read_value(kind: FieldType, options: Sequence[str], value: Any) -> Value:
    """The value in its one form; ValueError with what is wrong with it, to follow its name."""
    match kind:
        case FieldType.TEXT:
            return _text(value, LONGEST_TEXT)
        case FieldType.NUMBER:
            return _number(value)
        case FieldType.BOOLEAN:
            return _boolean(value)
        case FieldType.DATE:
            return _date(value)
        case FieldType.URL:
            return _url(value)
        case FieldType.SELECT:
            return _option(value, options)
        case FieldType.MULTI_SELECT:
            return _chosen(value, options)


def read_query(kind: FieldType, text: str) -> Value:
    """The value that `text` means in a filter; of a choice, also an option that it lost since."""
    match kind:
        case FieldType.NUMBER:
            if _NUMBER.fullmatch(text) is None:
                raise ValueError("must be a number")
            return _number(float(text) if re.search("[.eE]", text) else int(text))
        case FieldType.BOOLEAN:
            return _boolean({"true": True, "false": False}.get(text))
        case FieldType.DATE:
            return _date(text)
        case FieldType.MULTI_SELECT:
            return [_text(text, LONGEST_TEXT)]
        case _:
            return _text(text, LONGEST_URL)


def texts(value: Value) -> tuple[str, ...]:
    """The value as words that a policy's conditions can ask for."""
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, bool):
        return ("true" if value else "false",)
    return (str(value),)


def is_same(one: object, other: object) -> bool:
    """Whether two values are the same on the wire, where `1` and `true` are not."""
    return type(one) is type(other) and one == other


def changes(
    before: Mapping[str, Value], after: Mapping[str, Value]
) -> dict[str, tuple[Value | None, Value | None]]:
    """The keys whose values differ, in order, each with what it was and what it is."""
    return {
        key: (before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if not is_same(before.get(key), after.get(key))
    }


def _text(value: Any, longest: int) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    text = value.strip()
    if not text:
        raise ValueError("must not be empty; send null to remove it")
    if len(text) > longest:
        raise ValueError(f"is longer than {longest:,} characters")
    if not is_storable(text):
        raise ValueError(UNSTORABLE)
    return text


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number, such as 42 or 0.5, without quotes")
    if not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:  # which NaN is not, either
        raise ValueError(f"must be a number of at most {LARGEST_NUMBER:,} either way")
    return int(value) if value == int(value) else value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _date(value: Any) -> str:
    try:
        # The parser also takes weeks and days without dashes; the column has one form.
        is_date = isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        is_date = False
    if not is_date:
        raise ValueError("must be a date that exists, such as 2027-01-31")
    return str(value)


def _url(value: Any) -> str:
    text = _text(value, LONGEST_URL)
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or not text.isprintable() or " " in text:
        raise ValueError("must be a web address, such as https://example.org/path")
    return text


def _option(value: Any, options: Sequence[str]) -> str:
    text = value.strip() if isinstance(value, str) else None
    if text is None or text not in options:
        raise ValueError(f"must be one of: {', '.join(options)}")
    return text


def _chosen(value: Any, options: Sequence[str]) -> list[str]:
    if not isinstance(value, list):
        raise ValueError(f"must be a list of: {', '.join(options)}")
    if not value:
        raise ValueError("must not be an empty list; send null to remove it")
    if len(value) > MOST_CHOSEN:
        raise ValueError(f"holds more than {MOST_CHOSEN} options")
    chosen = [_option(one, options) for one in value]
    if len(set(chosen)) < len(chosen):
        raise ValueError("names an option twice")
    return sorted(chosen, key=list(options).index)
