"""Sentences about conditions that do not hold: what there is, and what was wanted."""

from collections.abc import Iterable, Sequence
from typing import Any

SHOWN_WORDS, SHOWN_LETTERS = 5, 60


def not_among(values: Sequence[str], words: Iterable[str]) -> str:
    """Of an attribute that is none of the wanted words."""
    return f"{_told(values)} {_is(values)} not {listed(words)}"


def unmet(operator: str, operand: Any, values: Sequence[str]) -> str:
    """Of an attribute that an operator refuses."""
    match operator:
        case "in":
            return not_among(values, operand)
        case "not_in":
            return f"{_told(values)} {_is(values)} in the list of what must not be"
        case "exists":
            return "there is no value" if operand else f"there is a value: {_told(values)}"
        case "contains":
            return f"{_told(values)} {_does(values)} not contain {_cut(operand)}"
    return f"{_told(values)} {_does(values)} not match {_cut(operand)}"


def listed(words: Iterable[str], last: str = " or ") -> str:
    """The words as a sentence has them; of many, the first few."""
    shown = [_cut(word) for word in words]
    if len(shown) > SHOWN_WORDS:
        shown[SHOWN_WORDS - 1 :] = [f"{len(shown) - SHOWN_WORDS + 1} more"]
    *others, final = shown
    return f"{', '.join(others)}{last}{final}" if others else final


def _told(values: Sequence[str]) -> str:
    return listed(values, " and ") if values else "no value"


def _is(values: Sequence[str]) -> str:
    return "are" if len(values) > 1 else "is"


def _does(values: Sequence[str]) -> str:
    return "do" if len(values) > 1 else "does"


def _cut(text: str) -> str:
    kept = text if len(text) <= SHOWN_LETTERS else f"{text[:SHOWN_LETTERS]}…"
    return f"“{kept}”"
