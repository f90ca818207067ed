"""The words a wording may use: their types when it is checked, their values when it is filled in.

Every value is bounded, whatever the facts hold: that is half of the promise that a wording
costs no more than its own length. The other half is `grammar`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from functools import cache
from itertools import islice
from types import NoneType, UnionType
from typing import Any, get_args

from app.domain.notification import NotificationKind
from app.messages.facts import INCIDENT_FACTS, MARKED, PageFacts, UpdateFacts
from app.messages.plain import instant

LONGEST_VALUE = 2000  # characters of one value; a link is never longer
LONGEST_TAG = 100
MOST_ITEMS = 64  # of one list


class Type(Enum):
    TEXT = auto()
    NUMBER = auto()
    FLAG = auto()
    MOMENT = auto()
    NOTHING = auto()  # a fact that is not given
    LIST = auto()
    LABELS = auto()


Types = frozenset[Type]  # what a value may turn out to be

_TYPES: dict[Any, Type] = {
    str: Type.TEXT,
    int: Type.NUMBER,
    bool: Type.FLAG,
    datetime: Type.MOMENT,
    NoneType: Type.NOTHING,
    tuple[str, ...]: Type.LIST,
    Mapping[str, str]: Type.LABELS,
}


class Labels:
    """Labels by name. One that an incident lacks is nothing, not an error."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {
            name[:LONGEST_TAG]: text[:LONGEST_VALUE]
            for name, text in islice(values.items(), MOST_ITEMS)
        }

    def __getitem__(self, name: str) -> str | None:
        return self._values.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._values.items())

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True)
class Word:
    """One variable: where it comes from, and what it may turn out to be."""

    field: str
    what: str
    types: Types
    starts_at: int


@cache
def vocabulary(kind: NotificationKind) -> Mapping[str, Word]:
    """Every variable that wordings of this kind may use, by its name and in that order."""
    found = {
        fact.name or field: Word(field, fact.what, _types(hint), fact.starts_at)
        for field, (hint, fact) in MARKED[INCIDENT_FACTS[kind]].items()
    }
    return dict(sorted(found.items()))


def _types(hint: Any) -> Types:
    parts = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    return frozenset(_TYPES[part] for part in parts)


def values(kind: NotificationKind, shown: PageFacts | UpdateFacts) -> dict[str, Any]:
    """What the variables stand for, from facts that were made fit for people."""
    return {
        name: _bounded(getattr(shown, word.field), word.starts_at)
        for name, word in vocabulary(kind).items()
    }


def _bounded(value: Any, starts_at: int) -> Any:
    match value:
        case str():
            return value[:LONGEST_VALUE]
        case bool():
            return value
        case int():
            return value + starts_at
        case tuple():
            return tuple(tag[:LONGEST_TAG] for tag in value[:MOST_ITEMS])
        case Mapping():
            return Labels(value)
    return value


def say(value: Any) -> Any:
    """A value as a reader sees it: nothing for what is not given, never `None`."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return instant(value)
    return value
