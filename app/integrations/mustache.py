"""The fields of a payload that its sender's users have shaped themselves.

Kibana sends what somebody typed into a template: `ruleName`, `rule_name`, `rule.name` or
`{"rule": {"name": …}}` for one and the same thing, and an empty text or the bare
placeholder where a variable had no value. Here all spellings of a name are one name, and a
value that says nothing is not there.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

from app.integrations.fields import LONGEST_DESCRIPTION, LONGEST_LABEL_NAME, MOST_LABELS, MOST_PARTS
from app.integrations.json_body import Json

Read = TypeVar("Read")

DEEPEST = 8
_PLACEHOLDER = re.compile(r"\{{2,3}[^{}]*\}{2,3}")
_SEPARATORS = str.maketrans("", "", "._- ")


@dataclass(frozen=True)
class Field:
    """A plain value, or a list that starts with one, under the name its sender gave it."""

    name: str
    value: Json

    @property
    def plain(self) -> Json:
        """The value; of a list the first, for Elastic's documents may hold lists anywhere."""
        return self.value[0] if isinstance(self.value, list) else self.value


Fields = Mapping[str, Field]


def fold(name: str) -> str:
    """The one spelling that stands for every spelling of `name`."""
    return name.lower().translate(_SEPARATORS)


def aliases(*names: str) -> tuple[str, ...]:
    """Names for one thing, the best first, as `Payload` looks for them."""
    return tuple(fold(name) for name in names)


def flatten(node: dict[str, Json]) -> dict[str, Field]:
    """Every value of `node` that says something, by its folded path."""
    found: dict[str, Field] = {}
    for name, value in _leaves(node):
        found.setdefault(fold(name), Field(name, value))
    return found


def envelope(node: dict[str, Json], besides: tuple[str, ...]) -> Fields:
    """`flatten` for what many alerts share, cut short, for it is read once for each of them."""
    return {
        folded: replace(found, value=_shortened(found.value))
        for folded, found in flatten(node).items()
        if folded not in besides
    }


@dataclass
class Payload:
    """One alert's fields; where they are silent, those of the envelope it came in."""

    own: Fields
    envelope: Fields
    _taken: set[str] = field(default_factory=set)

    def take(self, names: tuple[str, ...], read: Callable[[Json], Read | None]) -> Read | None:
        """What `read` makes of the first of `names` it can read; `rest` is without it."""
        for name, found in self._under(names):
            if value := read(found.plain):
                self._taken.add(name)
                return value
        return None

    def look(self, names: tuple[str, ...], read: Callable[[Json], Read | None]) -> Read | None:
        """`take`, but `rest` keeps it."""
        return next(
            (value for _, found in self._under(names) if (value := read(found.plain))), None
        )

    def take_list(self, names: tuple[str, ...]) -> Json:
        """The first value under any of `names`, whole if it is a list; `rest` is without it."""
        for name, found in self._under(names):
            self._taken.add(name)
            return found.value
        return None

    def rest(self) -> dict[str, Json]:
        """The values that nobody took, as their sender named them; no more than labels hold."""
        return dict(islice(self._left(), MOST_LABELS))

    def _left(self) -> Iterator[tuple[str, Json]]:
        for name, found in self.own.items():
            if name not in self._taken:
                yield found.name, found.plain
        for name, found in self.envelope.items():
            if name not in self._taken and name not in self.own:
                yield found.name, found.plain

    def _under(self, names: tuple[str, ...]) -> Iterator[tuple[str, Field]]:
        for source in (self.own, self.envelope):
            for name in names:
                if name in source:
                    yield name, source[name]


def _shortened(value: Json) -> Json:
    if isinstance(value, list):
        return [_cut(part) for part in value[:MOST_PARTS]]
    return _cut(value)


def _cut(value: Json) -> Json:
    return value[:LONGEST_DESCRIPTION] if isinstance(value, str) else value


def _leaves(node: dict[str, Json], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Json]]:
    for name, value in node.items():
        # Cut, because a path repeats every name above it: long ones would multiply.
        path = prefix + name[:LONGEST_LABEL_NAME]
        if isinstance(value, dict) and depth < DEEPEST:
            yield from _leaves(value, f"{path}.", depth + 1)
        elif _says_something(value[0] if isinstance(value, list) and value else value):
            yield path, value


def _says_something(value: Json) -> bool:
    if isinstance(value, str):
        # A key template such as `{{rule.id}}:{{alert.id}}` leaves its colon behind.
        return bool(_PLACEHOLDER.sub("", value).strip(" \t\r\n:"))
    return isinstance(value, int | float)
