"""Conditions of policies in a form: one row for each thing that must hold. Pure.

Rows can say what most policies need: an attribute, how it is compared, and words. What nests
deeper is written as JSON. Of a row that stands twice for one attribute both must hold.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.conditions import CUSTOM_FIELDS, LABELS, WEEKDAYS

KEYS = (
    ("severity", "Severity"),
    ("service", "Service"),
    ("source", "Source"),
    ("tags", "Tags"),
    ("title", "Title"),
    ("labels", "A label"),
    ("custom_fields", "A field of ours"),
    ("time", "Time of day"),
)
OPERATORS = (
    ("in", "is any of"),
    ("not_in", "is none of"),
    ("contains", "contains"),
    ("matches", "matches the pattern"),
    ("exists", "is there"),
    ("absent", "is not there"),
)
NAMED = {"labels": LABELS, "custom_fields": CUSTOM_FIELDS}
LISTS = ("in", "not_in")
BLANK: dict[str, Any] = {"key": "severity", "op": "in", "words": ["critical", "high"]}
Row = dict[str, Any]


def rows_of(conditions: Mapping[str, Any]) -> list[Row] | None:
    """The rows that say the same; None where rows cannot."""
    parts = [(key, wanted) for key, wanted in conditions.items() if key != "all"]
    for part in conditions.get("all", ()):
        parts += part.items()
    rows = []
    for key, wanted in parts:
        found = _rows(key, wanted)
        if found is None:
            return None
        rows += found
    return rows


def conditions_of(rows: Sequence[Any]) -> tuple[dict[str, Any], list[str]]:
    """What the rows mean, and where in it each of them went."""
    whole: dict[str, Any] = {}
    both: list[dict[str, Any]] = []
    places = []
    for row in rows:
        if not isinstance(row, dict):
            continue
        key, wanted = _part(row)
        if key in whole:
            both.append({key: wanted})
            places.append(f"conditions.all[{len(both) - 1}].{key}")
        else:
            whole[key] = wanted
            places.append(f"conditions.{key}")
    return (whole | {"all": both} if both else whole), places


def told(conditions: Mapping[str, Any]) -> list[str]:
    """The conditions in words, a line each."""
    rows = rows_of(conditions)
    if rows is None:
        return ["Conditions that nest: look at the JSON."]
    return [_said(row) for row in rows]


def _rows(key: str, wanted: Any) -> list[Row] | None:
    if key in ("any", "not", "all"):
        return None
    name = ""
    for kind, prefix in NAMED.items():
        if key.startswith(prefix):
            key, name = kind, key.removeprefix(prefix)
    if key == "time":
        since, until = wanted["between"]
        days = wanted.get("days", list(WEEKDAYS))
        row = {"key": key, "since": since, "until": until, "days": days}
        return [{**row, "zone": wanted.get("zone", "UTC")}]
    if not isinstance(wanted, Mapping):
        wanted = {"in": wanted if isinstance(wanted, list) else [wanted]}
    rows: list[Row] = []
    for op, operand in wanted.items():
        row = {"key": key, "name": name, "op": op}
        if op == "exists":
            row["op"] = "exists" if operand else "absent"
        elif op in LISTS:
            if any("," in word or word != word.strip() or not word for word in operand):
                return None
            row |= {"words": list(operand), "value": ", ".join(operand)}
        else:
            row["value"] = operand
        rows.append(row)
    return rows


def _part(row: Mapping[str, Any]) -> tuple[str, Any]:
    key = str(row.get("key", ""))
    if key == "time":
        between = [str(row.get("since", "")), str(row.get("until", ""))]
        window: dict[str, Any] = {"between": between, "zone": str(row.get("zone") or "UTC")}
        days = [day for day in WEEKDAYS if day in _words(row.get("days"))]
        return key, window if len(days) == len(WEEKDAYS) else window | {"days": days}
    op = str(row.get("op") or "in")
    whole = NAMED[key] + str(row.get("name", "")).strip() if key in NAMED else key
    if op in ("exists", "absent"):
        return whole, {"exists": op == "exists"}
    if op not in LISTS:
        return whole, {op: str(row.get("value", ""))}
    value = row.get("words") if key == "severity" else row.get("value")
    words = _words(value)
    return whole, words if op == "in" else {op: words}


def _words(value: Any) -> list[str]:
    given = value if isinstance(value, list) else str(value or "").split(",")
    return list(dict.fromkeys(str(word).strip() for word in given if str(word).strip()))


def _said(row: Mapping[str, Any]) -> str:
    key = str(row["key"])
    if key == "time":
        days = "" if len(row["days"]) == len(WEEKDAYS) else f" on {', '.join(row['days'])}"
        return f"It is {row['since']} to {row['until']}{days} in {row['zone']}"
    what = dict(KEYS)[key] if key not in NAMED else f"{key.rstrip('s')} {row['name']}"
    what = what.replace("custom_field", "field")
    words = ", ".join(row["words"]) if "words" in row else str(row.get("value", ""))
    return f"{what[:1].upper()}{what[1:]} {dict(OPERATORS)[row['op']]} {words}".strip()
