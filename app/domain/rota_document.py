"""How a schedule is written down as JSON, and read back as what the engine takes. Pure.

A document is a list of layers, the lowest first. Each has one source, and when it counts:

    {"rotation": {"kind": "weekly", "every": 1, "handoff": "2026-01-05T09:00",
                  "participants": [3, 5]}}
    {"shifts": [{"starts": "2026-01-05T09:00", "ends": "2026-01-05T17:00", "user": 3}]}
    {"calendar": 2}                                   # its shifts are those of another calendar

    "starts", "ends"                                  # on the wall; from when to when it counts
    "restrictions": [{"since": "22:00", "until": "06:00", "days": ["mon", "tue"]}]
    "on_holidays": "works", "rests" or "only"

Every time is one on the wall of the schedule's zone, and names no offset. What is kept here was
checked when it was saved (`app.schemas.rota`), so reading it finds no fault.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, time
from typing import Any, NamedTuple

from app.domain.conditions import WEEKDAYS
from app.domain.restriction import EVERY_DAY, Restriction
from app.domain.rotation import Rotation, RotationKind
from app.domain.schedule import ExplicitShifts, GivenShifts, Layer, OnHolidays, WallShift
from app.domain.timeline import Shift

LayerDocument = Mapping[str, Any]
Given = Mapping[int, Sequence[Shift]]  # what each calendar gives


def read_layers(document: Collection[LayerDocument], given: Given) -> tuple[Layer, ...]:
    """The layers that a document describes; a calendar that gives nothing has nobody on call."""
    return tuple(_layer(layer, given) for layer in document)


class Named(NamedTuple):
    """Somebody whom a document names: where, and up to when on the wall."""

    path: str
    user_id: int
    until: str | None


def people_named(document: Collection[LayerDocument]) -> Iterator[Named]:
    """Everybody whom a document names, in its order."""
    for number, layer in enumerate(document):
        ends = layer.get("ends")
        for place, user_id in enumerate(layer.get("rotation", {}).get("participants", ())):
            yield Named(f"layers[{number}].rotation.participants[{place}]", user_id, ends)
        for place, shift in enumerate(layer.get("shifts", ())):
            until = min(shift["ends"], ends or shift["ends"])
            yield Named(f"layers[{number}].shifts[{place}].user", shift["user"], until)


class Clash(NamedTuple):
    """Two shifts of one layer that put two people on call at once, and since when on the wall."""

    path: str
    other: str
    since: str
    until: str


def overlapping(document: Collection[LayerDocument]) -> list[Clash]:
    """The shifts that begin before one listed in the same layer is over: each with that one."""
    found: list[Clash] = []
    for number, layer in enumerate(document):
        listed = enumerate(layer.get("shifts", ()))
        last: tuple[int, Mapping[str, Any]] | None = None
        for place, shift in sorted(listed, key=lambda one: (one[1]["starts"], one[0])):
            if last is not None and shift["starts"] < last[1]["ends"]:
                until = min(shift["ends"], last[1]["ends"])
                path, other = (f"layers[{number}].shifts[{which}]" for which in (place, last[0]))
                found.append(Clash(path, other, shift["starts"], until))
            if last is None or shift["ends"] > last[1]["ends"]:
                last = place, shift
    return found


def calendars_named(document: Collection[LayerDocument]) -> Iterator[tuple[str, int]]:
    """Every calendar that a document names, with the path of the place."""
    for number, layer in enumerate(document):
        if "calendar" in layer:
            yield f"layers[{number}].calendar", layer["calendar"]


def _layer(layer: LayerDocument, given: Given) -> Layer:
    return Layer(
        _source(layer, given),
        tuple(_restriction(one) for one in layer.get("restrictions", ())),
        _wall(layer.get("starts")),
        _wall(layer.get("ends")),
        OnHolidays(layer.get("on_holidays", OnHolidays.WORKS)),
    )


def _source(layer: LayerDocument, given: Given) -> Rotation | ExplicitShifts | GivenShifts:
    if "rotation" in layer:
        rotation = layer["rotation"]
        return Rotation(
            RotationKind(rotation["kind"]),
            datetime.fromisoformat(rotation["handoff"]),
            tuple(rotation["participants"]),
            rotation.get("every", 1),
        )
    if "shifts" in layer:
        return ExplicitShifts(tuple(_shift(one) for one in layer["shifts"]))
    return GivenShifts(tuple(given.get(layer["calendar"], ())))


def _shift(shift: Mapping[str, Any]) -> WallShift:
    starts, ends = datetime.fromisoformat(shift["starts"]), datetime.fromisoformat(shift["ends"])
    return WallShift(starts, ends, shift["user"])


def _restriction(one: Mapping[str, Any]) -> Restriction:
    days = frozenset(WEEKDAYS.index(day) for day in one["days"]) if "days" in one else EVERY_DAY
    return Restriction(time.fromisoformat(one["since"]), time.fromisoformat(one["until"]), days)


def _wall(shown: str | None) -> datetime | None:
    return None if shown is None else datetime.fromisoformat(shown)
