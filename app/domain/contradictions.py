"""Conditions that no incident can meet, as far as it can be told without an incident."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.domain.incident import read_severity

ALWAYS_THERE = ("severity", "service", "title")


def impossible(conditions: Mapping[str, Any], path: str = "conditions") -> str | None:
    """The path of what can never hold in validated `conditions`, or None if there is no such."""
    for key, wanted in conditions.items():
        found = _impossible_key(key, wanted, f"{path}.{key}")
        if found:
            return found
    return None


def _impossible_key(key: str, wanted: Any, path: str) -> str | None:
    match key:
        case "all":
            parts = [impossible(part, f"{path}[{i}]") for i, part in enumerate(wanted)]
            return next((part for part in parts if part), None)
        case "any":
            hopeless = all(impossible(part) for part in wanted)
            return path if hopeless else None
        case "not":
            return path if wanted == {} else None
        case "time":
            return None
    return path if isinstance(wanted, Mapping) and _excludes_all(key, wanted) else None


def _excludes_all(key: str, operators: Mapping[str, Any]) -> bool:
    if operators.get("exists") is False:
        return key in ALWAYS_THERE or bool(operators.keys() & {"in", "contains", "matches"})
    if key == "tags" or key.startswith("custom_fields.") or "in" not in operators:
        return False  # many values: one may be wanted, and another one not
    unwanted = _words(key, operators.get("not_in", []))
    return _words(key, operators["in"]) <= unwanted


def _words(key: str, words: Iterable[str]) -> set[str]:
    if key == "severity":
        return {read_severity(word) or word for word in words}
    return set(words)
