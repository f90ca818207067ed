"""What is kept is what was meant: a document is rendered as the domain object that it describes."""

import random
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from app.domain.conditions import WEEKDAYS
from app.domain.on_call import on_call
from app.domain.restriction import Restriction
from app.domain.rotation import Rotation, RotationKind
from app.domain.schedule import (
    ExplicitShifts,
    Layer,
    OnHolidays,
    Schedule,
    WallShift,
    render,
    render_layers,
)
from app.domain.timeline import Interval, gaps
from tests.domain.rotas import wall
from tests.world import World

ZONES = ["Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu", "UTC"]
SINCE = datetime(2030, 1, 1, tzinfo=UTC)
YEAR = Interval(SINCE, SINCE + timedelta(days=366))


class Writer:
    """Draws layers, each twice: as a document, and as what the engine takes."""

    def __init__(self, choose: random.Random, people: list[int]) -> None:
        self.choose, self.people = choose, people

    def layer(self) -> tuple[dict[str, Any], Layer]:
        document, source = self.choose.choice([self._rotation, self._shifts])()
        fields: dict[str, Any] = {}
        if self.choose.random() < 0.3:
            fields["starts"] = wall(f"2030-0{self.choose.randint(1, 6)}-03T04:05")
        if self.choose.random() < 0.3:
            fields["ends"] = wall(f"2030-{self.choose.randint(7, 12):02}-03T04:05")
        written = {name: wall.isoformat(timespec="minutes") for name, wall in fields.items()}
        drawn = [self._restriction() for _ in range(self.choose.choice([0, 0, 1, 2]))]
        rests = self.choose.choice(list(OnHolidays))
        document |= {**written, "on_holidays": rests, "restrictions": [one for one, _ in drawn]}
        return document, Layer(source, tuple(one for _, one in drawn), **fields, on_holidays=rests)

    def _rotation(self) -> tuple[dict[str, Any], Rotation]:
        kind = self.choose.choice(list(RotationKind))
        anchor = wall(f"2029-{self.choose.randint(1, 12):02}-{self.choose.randint(1, 28):02}T02:30")
        people = tuple(self.choose.choices(self.people, k=self.choose.randint(1, 4)))
        every = self.choose.randint(1, 9)
        document = {
            "kind": kind,
            "handoff": anchor.isoformat(timespec="minutes"),
            "participants": [*people],
            "every": every,
        }
        return {"rotation": document}, Rotation(kind, anchor, people, every)

    def _shifts(self) -> tuple[dict[str, Any], ExplicitShifts]:
        drawn = []
        for _ in range(self.choose.randint(0, 20)):
            starts = wall("2030-01-01") + timedelta(minutes=self.choose.randint(0, 500_000))
            ends = starts + timedelta(minutes=self.choose.randint(1, 5_000))
            drawn.append(WallShift(starts, ends, self.choose.choice(self.people)))
        document = [
            {
                "starts": one.starts.isoformat(timespec="minutes"),
                "ends": one.ends.isoformat(timespec="minutes"),
                "user": one.user_id,
            }
            for one in drawn
        ]
        return {"shifts": document}, ExplicitShifts(tuple(drawn))

    def _restriction(self) -> tuple[dict[str, Any], Restriction]:
        since = time(self.choose.randint(0, 23), self.choose.choice([0, 30]))
        until = time(self.choose.randint(0, 23), self.choose.choice([0, 30]))
        days = self.choose.sample(range(7), self.choose.randint(1, 7))
        document = {
            "since": since.isoformat(timespec="minutes"),
            "until": until.isoformat(timespec="minutes"),
            "days": [WEEKDAYS[day] for day in days],
        }
        return document, Restriction(since, until, frozenset(days))


def told(stretches: Any) -> list[Any]:
    return [
        (one.starts_at, one.ends_at, [*one.people] if hasattr(one, "people") else None)
        for one in stretches
    ]


def answered(items: Any) -> list[Any]:
    return [
        (
            datetime.fromisoformat(one["starts_at"]),
            datetime.fromisoformat(one["ends_at"]),
            one.get("people"),
        )
        for one in items
    ]


@pytest.mark.parametrize("seed", range(6))
async def test_a_document_is_rendered_as_what_it_describes(world: World, seed: int) -> None:
    choose = random.Random(seed)
    admin = await world.admin()
    people = [admin.id] + [(await world.person(f"p{n}@example.org")).id for n in range(3)]
    writer = Writer(choose, people)
    drawn = [writer.layer() for _ in range(choose.randint(1, 5))]
    zone = choose.choice(ZONES)
    body = {
        "name": "Drawn",
        "time_zone": zone,
        "layers": [document for document, _ in drawn],
        "allow_gaps": True,
        "allow_overlaps": True,
    }
    made = await world.call("POST", "/v1/schedules", admin, expect=201, json=body)
    meant = Schedule(zone, tuple(layer for _, layer in drawn))
    query = {"since": YEAR.starts_at.isoformat(), "until": YEAR.ends_at.isoformat()}
    path = f"/v1/schedules/{made['id']}"
    shown = await world.call("GET", f"{path}/shifts", admin, params=query)
    final = render(meant, YEAR)
    assert answered(shown["final"]) == told(final)
    assert answered(shown["gaps"]) == told(gaps(final, YEAR))
    layers = [answered(layer["stretches"]) for layer in shown["layers"]]
    assert layers == [told(one) for one in render_layers(meant, YEAR)]
    for _ in range(10):
        at = SINCE + timedelta(minutes=choose.randint(0, 500_000))
        answer = await world.call("GET", f"{path}/on-call", admin, params={"at": at.isoformat()})
        assert [one["id"] for one in answer["on_call"]] == [*on_call(meant, at)]
