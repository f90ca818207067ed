"""Layers of schedules in a form: from what the API keeps to what people fill in, and back. Pure.

In the form each layer has all its sources, of which `source` says which counts, so that nothing
that was typed is lost by a look at another one.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import date, timedelta
from typing import Any

from app.domain.conditions import WEEKDAYS
from app.web import tree_form
from app.web.tree_form import Tree

SOURCES = ("rotation", "shifts", "calendar")
KINDS = (("hourly", "hours"), ("daily", "days"), ("weekly", "weeks"), ("monthly", "months"))
ON_HOLIDAYS = (
    ("works", "Works as on any day"),
    ("rests", "Rests"),
    ("only", "Works on holidays only"),
)
# What the form sends; a layer has more in it than its source needs.
_LAYER = {
    "rotation": {"kind": "", "every": "", "handoff": "", "participants": [""]},
    "shifts": [{"starts": "", "ends": "", "user": ""}],
    "restrictions": [{"since": "", "until": "", "days": [""]}],
    **dict.fromkeys(("name", "source", "calendar", "starts", "ends", "on_holidays"), ""),
}
_WORDS = ("name", "description", "time_zone", "team_id", "starts_at", "ends_at", "reason")
MOULD: Tree = {
    "layers": [_LAYER],
    "holidays": [""],
    **dict.fromkeys((*_WORDS, "allow_gaps", "allow_overlaps"), ""),
}
DAYS = tuple((day, day.capitalize()) for day in WEEKDAYS)


def blanks(today: date) -> dict[str, Any]:
    """What a new item of each list is; a rotation hands over on Mondays at nine."""
    monday = today - timedelta(days=today.weekday())
    return {
        "layers": {
            "name": "",
            "source": "rotation",
            "rotation": {
                "kind": "weekly",
                "every": "1",
                "handoff": f"{monday.isoformat()}T09:00",
                "participants": [""],
            },
            "restrictions": [],
            "on_holidays": "works",
        },
        "participants": "",
        "shifts": {"starts": "", "ends": "", "user": ""},
        "restrictions": {"since": "09:00", "until": "17:00", "days": list(WEEKDAYS[:5])},
    }


def draft_of(layers: Sequence[Mapping[str, Any]]) -> list[Tree]:
    """Layers as the form has them."""
    drafted = []
    for layer in layers:
        one = deepcopy(dict(layer))
        one["source"] = next(name for name in SOURCES if one.get(name) is not None)
        drafted.append(one)
    return drafted


def layers_of(draft: Tree) -> list[Tree]:
    """The layers that a form means: of each only the source that was chosen."""
    layers = draft.get("layers")
    made = []
    for layer in layers if isinstance(layers, list) else ():
        if not isinstance(layer, dict):
            continue
        one = tree_form.filled(layer)
        source = one.pop("source", "rotation")
        for other in SOURCES:
            if other != source:
                one.pop(other, None)
        one.setdefault(source, {} if source == "rotation" else [] if source == "shifts" else None)
        if source == "shifts":
            one["shifts"] = [shift for shift in one["shifts"] if shift]
        if source == "rotation" and isinstance(one["rotation"], dict):
            one["rotation"].setdefault("participants", [])
        made.append(one)
    return made


def tidied(draft: Tree) -> Tree:
    """The draft without empty turns and shifts, so that faults stand at the fields they are of."""
    new = deepcopy(draft)
    layers = new.get("layers")
    for layer in layers if isinstance(layers, list) else ():
        if not isinstance(layer, dict):
            continue
        rotation = layer.get("rotation")
        if isinstance(rotation, dict) and isinstance(rotation.get("participants"), list):
            rotation["participants"] = [one for one in rotation["participants"] if one]
        if isinstance(layer.get("shifts"), list):
            layer["shifts"] = [
                one for one in layer["shifts"] if isinstance(one, dict) and any(one.values())
            ]
    return new
