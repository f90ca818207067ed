"""The little language that picks a policy: parsed when saved, evaluated when an incident opens.

    {"severity": ["critical", "high"], "labels.team": {"in": ["db"]}, "not": {"tags": ["test"]}}

Every key must hold. A key is an attribute of the incident; its value is one word, a list
(any of), or an object of operators (all of them). `all` and `any` take lists of such
objects, `not` takes one. Nothing at all matches everything. Patterns run on RE2, whose
time is linear in the text, so no pattern a user writes can stall the pager.

Whatever `faults` accepts, `holds` can evaluate and a JSONB column can keep; and `explain` says
of whatever does not hold why not.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from functools import lru_cache
from typing import Any

import re2

from app.domain import condition_words, custom_field
from app.domain.incident import Severity, read_severity
from app.domain.text import UNSTORABLE, is_storable
from app.domain.time_zone import is_time_zone, zone

LABELS, CUSTOM_FIELDS = "labels.", "custom_fields."
ATTRIBUTES = (
    "severity",
    "service",
    "source",
    "tags",
    "title",
    f"{LABELS}<name>",
    f"{CUSTOM_FIELDS}<key>",
    "time",
)
TEXT_OPERATORS = ("in", "not_in", "contains", "matches", "exists")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DEEPEST = 8
LARGEST = 20_000  # characters of JSON, or thereabouts
LONGEST_PATTERN = 500
LONGEST_TEXT = 10_000
PATTERN_MEMORY = 1 << 20  # bytes that one compiled pattern may come to hold


@dataclass(frozen=True)
class Attributes:
    """What conditions may ask about an incident."""

    severity: Severity
    service: str
    title: str
    source: str | None = None
    tags: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    custom_fields: Mapping[str, custom_field.Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a document, or does not hold, and where in it."""

    path: str
    message: str


# --- Evaluating -------------------------------------------------------------------------


def holds(conditions: Mapping[str, Any], subject: Attributes, *, now: datetime) -> bool:
    """Whether validated `conditions` hold for `subject` at `now`."""
    return all(_key_holds(key, wanted, subject, now) for key, wanted in conditions.items())


def _key_holds(key: str, wanted: Any, subject: Attributes, now: datetime) -> bool:
    if key == "all":
        return all(holds(part, subject, now=now) for part in wanted)
    if key == "any":
        return any(holds(part, subject, now=now) for part in wanted)
    if key == "not":
        return not holds(wanted, subject, now=now)
    if key == "time":
        return _within(wanted, now)
    values = _values(key, subject)
    if isinstance(wanted, Mapping):
        return all(_OPERATORS[name](values, operand, key) for name, operand in wanted.items())
    return _any_of(values, wanted if isinstance(wanted, list) else [wanted], key)


def _values(key: str, subject: Attributes) -> tuple[str, ...]:
    if key == "tags":
        return subject.tags
    if key.startswith(CUSTOM_FIELDS):
        held = subject.custom_fields.get(key.removeprefix(CUSTOM_FIELDS))
        return () if held is None else custom_field.texts(held)
    if key.startswith(LABELS):
        value = subject.labels.get(key.removeprefix(LABELS))
    else:
        value = getattr(subject, key)
    return () if value is None else (value,)


def _any_of(values: Iterable[str], wanted: Iterable[str], key: str) -> bool:
    if key == "severity":
        wanted = [read_severity(word) or word for word in wanted]
    return not set(values).isdisjoint(wanted)


def _contains(values: tuple[str, ...], operand: str, key: str) -> bool:
    if key == "tags":
        return operand in values
    return any(operand.casefold() in value.casefold() for value in values)


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = PATTERN_MEMORY
    return re2.compile(pattern, options)


def _matches(values: tuple[str, ...], pattern: str, _: str) -> bool:
    wanted = _pattern(pattern)
    # RE2 reads UTF-8, which has no place for half of a surrogate pair.
    texts = (value[:LONGEST_TEXT].encode(errors="replace").decode() for value in values)
    return any(wanted.search(text) for text in texts)


_OPERATORS: dict[str, Callable[[tuple[str, ...], Any, str], bool]] = {
    "in": _any_of,
    "not_in": lambda values, operand, key: not _any_of(values, operand, key),
    "contains": _contains,
    "matches": _matches,
    "exists": lambda values, operand, _: bool(values) is operand,
}


def _within(window: Mapping[str, Any], now: datetime) -> bool:
    """Half-open [from, until) on the wall clock of the window's zone; may cross midnight.

    A window that crosses midnight belongs to the day on which it starts.
    """
    local = now.astimezone(zone(window.get("zone", "UTC")))
    start, end = (time.fromisoformat(edge) for edge in window["between"])
    clock = local.time().replace(tzinfo=None)
    today = local.weekday()
    if start < end:
        inside = start <= clock < end
    elif clock >= start:
        inside = True
    else:
        inside, today = clock < end, (today - 1) % 7
    return inside and WEEKDAYS[today] in window.get("days", WEEKDAYS)


# --- Explaining -------------------------------------------------------------------------


def explain(
    conditions: Mapping[str, Any], subject: Attributes, *, now: datetime, path: str = "conditions"
) -> list[Fault]:
    """Why validated `conditions` do not hold, each reason with its path; none if they do."""
    misses: list[Fault] = []
    for key, wanted in conditions.items():
        if not _key_holds(key, wanted, subject, now):
            misses += _misses(key, wanted, subject, now, f"{path}.{key}")
    return misses


def _misses(
    key: str, wanted: Any, subject: Attributes, now: datetime, path: str
) -> Iterable[Fault]:
    match key:
        case "all":
            parts = [
                explain(part, subject, now=now, path=f"{path}[{i}]")
                for i, part in enumerate(wanted)
            ]
            return [miss for part in parts for miss in part]
        case "any":
            first = explain(wanted[0], subject, now=now, path=f"{path}[0]")
            if len(wanted) == 1:
                return first
            return [Fault(path, f"none of its {len(wanted)} parts holds"), *first]
        case "not":
            return [Fault(path, "holds, and must not")]
        case "time":
            local = now.astimezone(zone(wanted.get("zone", "UTC")))
            start, end = wanted["between"]
            days = ", ".join(wanted["days"]) if "days" in wanted else "every day"
            told = f"{local:%H:%M} on {WEEKDAYS[local.weekday()]} is not within {start}-{end}"
            return [Fault(path, f"{told}, {days}")]
    values = _values(key, subject)
    if not isinstance(wanted, Mapping):
        words = wanted if isinstance(wanted, list) else [wanted]
        return [Fault(path, condition_words.not_among(values, words))]
    return [
        Fault(f"{path}.{name}", condition_words.unmet(name, operand, values))
        for name, operand in wanted.items()
        if not _OPERATORS[name](values, operand, key)
    ]


# --- Checking when saved ----------------------------------------------------------------


def faults(conditions: Any, path: str = "conditions") -> list[Fault]:
    """Everything wrong with `conditions`, each with its path; empty when they can be saved."""
    if _is_larger(conditions, LARGEST):
        return [Fault(path, f"is larger than {LARGEST // 1000} kB")]
    return _faults(conditions, path, 0)


def _is_larger(document: Any, limit: int) -> bool:
    """Whether `document` comes to more characters of JSON; walked flat, however deep it is."""
    size, rest = 0, [document]
    while rest and size <= limit:
        value = rest.pop()
        if isinstance(value, dict):
            size += sum(len(str(key)) + 4 for key in value)
            rest += value.values()
        elif isinstance(value, list):
            rest += value
        size += len(value) + 2 if isinstance(value, str) else 2
    return size > limit


def _faults(conditions: Any, path: str, depth: int) -> list[Fault]:
    if not isinstance(conditions, dict):
        return [Fault(path, "must be an object")]
    if depth > DEEPEST:
        return [Fault(path, f"is nested deeper than {DEEPEST} levels")]
    found: list[Fault] = []
    for key, wanted in conditions.items():
        found += _key_faults(key, wanted, f"{path}.{key}", depth)
    return found


def _key_faults(key: str, wanted: Any, path: str, depth: int) -> list[Fault]:
    if key in ("all", "any"):
        if not isinstance(wanted, list) or not wanted:
            return [Fault(path, "must be a list of conditions, with one at least")]
        parts = [_faults(part, f"{path}[{i}]", depth + 1) for i, part in enumerate(wanted)]
        return [fault for part in parts for fault in part]
    if key == "not":
        return _faults(wanted, path, depth + 1)
    if key == "time":
        return _window_faults(wanted, path)
    if not _is_attribute(key):
        known = ", ".join((*ATTRIBUTES, "all", "any", "not"))
        return [Fault(path, f"is no attribute; known are: {known}")]
    if not is_storable(key):
        return [Fault(path, UNSTORABLE)]
    if isinstance(wanted, dict):
        return _operator_faults(key, wanted, path)
    if isinstance(wanted, list):
        return _word_list_faults(key, wanted, path)
    return _word_faults(key, wanted, path)


def _is_attribute(key: str) -> bool:
    if key.startswith(CUSTOM_FIELDS):
        return custom_field.is_key(key.removeprefix(CUSTOM_FIELDS))
    is_label = key.startswith(LABELS) and len(key) > len(LABELS)
    return is_label or key in ("severity", "service", "source", "tags", "title")


def _operator_faults(key: str, wanted: dict[str, Any], path: str) -> list[Fault]:
    if not wanted:
        return [Fault(path, f"needs an operator: {', '.join(TEXT_OPERATORS)}")]
    found: list[Fault] = []
    for name, operand in wanted.items():
        where = f"{path}.{name}"
        match name:
            case "in" | "not_in":
                if isinstance(operand, list):
                    found += _word_list_faults(key, operand, where)
                else:
                    found.append(Fault(where, "must be a list"))
            case "contains":
                found += _filled_text_faults(operand, where)
            case "matches":
                found += _filled_text_faults(operand, where) or _pattern_faults(operand, where)
            case "exists":
                if not isinstance(operand, bool):
                    found.append(Fault(where, "must be true or false"))
            case _:
                known = ", ".join(TEXT_OPERATORS)
                found.append(Fault(where, f"is no operator; known are: {known}"))
    return found


def _word_list_faults(key: str, words: list[Any], path: str) -> list[Fault]:
    if not words:
        return [Fault(path, "is an empty list, which never matches")]
    parts = [_word_faults(key, word, f"{path}[{i}]") for i, word in enumerate(words)]
    return [fault for part in parts for fault in part]


def _word_faults(key: str, word: Any, path: str) -> list[Fault]:
    if not isinstance(word, str):
        return [Fault(path, "must be a text")]
    if not is_storable(word):
        return [Fault(path, UNSTORABLE)]
    if key == "severity" and read_severity(word) is None:
        return [Fault(path, f"is no severity; known are: {', '.join(Severity)}")]
    return []


def _filled_text_faults(text: Any, path: str) -> list[Fault]:
    if not isinstance(text, str) or not text:
        return [Fault(path, "must be a text that is not empty")]
    return [] if is_storable(text) else [Fault(path, UNSTORABLE)]


def _pattern_faults(pattern: str, path: str) -> list[Fault]:
    if len(pattern) > LONGEST_PATTERN:
        return [Fault(path, f"is longer than {LONGEST_PATTERN} characters")]
    try:
        _pattern(pattern)
    except re2.error as error:
        reason = error.args[0]
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        return [Fault(path, f"is no valid RE2 pattern: {text}")]
    return []


def _window_faults(window: Any, path: str) -> list[Fault]:
    if not isinstance(window, dict) or "between" not in window:
        return [
            Fault(path, 'must be like {"between": ["09:00", "17:00"], "zone": "Europe/Berlin"}')
        ]
    found = [
        Fault(f"{path}.{name}", "is not known here; known are: between, zone, days")
        for name in window
        if name not in ("between", "zone", "days")
    ]
    edges = window["between"]
    if not isinstance(edges, list) or len(edges) != 2 or not all(map(_is_time, edges)):
        found.append(Fault(f"{path}.between", 'must be two times of day like ["22:00", "06:00"]'))
    elif time.fromisoformat(edges[0]) == time.fromisoformat(edges[1]):
        found.append(Fault(f"{path}.between", "starts and ends at the same time"))
    if "zone" in window and not (isinstance(window["zone"], str) and is_time_zone(window["zone"])):
        found.append(Fault(f"{path}.zone", "is no IANA time zone, such as Europe/Berlin"))
    days = window.get("days", list(WEEKDAYS))
    if not isinstance(days, list) or not days or any(day not in WEEKDAYS for day in days):
        found.append(Fault(f"{path}.days", f"must be a list of: {', '.join(WEEKDAYS)}"))
    return found


def _is_time(text: Any) -> bool:
    try:
        # Printable, because `fromisoformat` overlooks a NUL at the end.
        is_text = isinstance(text, str) and text.isprintable()
        return is_text and time.fromisoformat(text).tzinfo is None
    except ValueError:
        return False
