"""docs/on-call.md: what its tables say is what the engine says."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from app.domain.on_call import on_call
from app.domain.rota_document import read_layers
from app.domain.schedule import Override, Schedule, Temporary
from app.domain.time_zone import zone
from app.domain.wall_clock import shown_at
from app.schemas.rota import Layers, written

PAGE = (Path(__file__).parents[2] / "docs" / "on-call.md").read_text()
TABLE = r"\|[^\n]*on the wall[^\n]*\|\n\|[-|]+\|\n((?:\|[^\n]*\|\n)+)"
EXAMPLE = re.compile(r"```json\n([^`]*)```\s+" + TABLE)
NAMES = {1: "Ana", 2: "Ben", 3: "Cleo"}
LAYERS: TypeAdapter[Any] = TypeAdapter(Layers)


def layers(document: Any) -> Any:
    return read_layers(written(LAYERS.validate_python(document)), {})


def read(example: dict[str, Any]) -> Schedule:
    """The schedule that an example shows, by way of what the API would keep."""
    at = datetime.fromisoformat
    return Schedule(
        example["time_zone"],
        layers(example["layers"]),
        temporaries=tuple(
            Temporary(at(one["starts_at"]), at(one["ends_at"]), layers(one["layers"]))
            for one in example.get("temporary_schedules", ())
        ),
        overrides=tuple(
            Override(at(one["starts_at"]), at(one["ends_at"]), one["user_id"], one.get("replaces"))
            for one in example.get("overrides", ())
        ),
    )


FOUND = EXAMPLE.findall(PAGE)


def test_the_page_has_its_examples() -> None:
    assert len(FOUND) == PAGE.count("```json") == 6


@pytest.mark.parametrize(("example", "table"), FOUND, ids=range(len(FOUND)))
def test_an_example_comes_out_as_the_page_says(example: str, table: str) -> None:
    schedule = read(json.loads(example))
    told, found = [], []
    for row in table.splitlines():
        shown, wall, people = (cell.strip() for cell in row.strip("|").split("|"))
        at = datetime.fromisoformat(shown).replace(tzinfo=UTC)
        told.append((shown, wall, people))
        names = [NAMES[one] for one in on_call(schedule, at)]
        clock = shown_at(at, zone(schedule.time_zone))
        found.append((shown, f"{clock:%a %H:%M}", ", ".join(names) or "nobody"))
    assert found == told
