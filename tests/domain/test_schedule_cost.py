"""What rendering costs: an ordinary year is nothing, and no schedule that may be saved is too much.

Processor time where the goal is one, else how much is rendered: a busy machine makes none slower.
"""

import time
from datetime import timedelta

import pytest

from app.domain import schedule as engine
from app.domain.schedule import Layer, Schedule, Temporary, render
from app.domain.timeline import Interval, Stretch
from tests.bench.schedules import YEAR, ordinary
from tests.domain.rotas import ANA, BEN, berlin, turning

GOAL = 0.05  # seconds
MANY = 300


def test_a_year_of_twelve_people_in_four_layers_takes_less_than_its_goal() -> None:
    usual = ordinary()
    assert len(engine.everyone(usual)) == 12
    assert len(usual.layers) == 4
    found = []
    for _ in range(5):
        began = time.process_time()
        assert len(render(usual, YEAR)) > 1_000
        found.append(time.process_time() - began)
    assert min(found) < GOAL


def test_temporary_schedules_that_hide_one_another_cost_as_much_as_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever may edit a schedule may give it hundreds, each of them a year long."""
    asked: list[timedelta] = []
    layered = engine._layered

    def counted(schedule: Schedule, layers: tuple[Layer, ...], during: Interval) -> list[Stretch]:
        asked.append(during.ends_at - during.starts_at)
        return layered(schedule, layers, during)

    monkeypatch.setattr(engine, "_layered", counted)
    hour = timedelta(hours=1)
    hidden = tuple(
        Temporary(
            YEAR.starts_at + n * hour,
            YEAR.ends_at,
            (turning("daily", "2020-01-01T09:00", ANA if n % 2 else BEN),),
        )
        for n in range(MANY)
    )
    found = render(berlin(turning("weekly", "2020-01-01T09:00"), temporaries=hidden), YEAR)
    assert sum(asked, timedelta()) == 2 * (YEAR.ends_at - YEAR.starts_at)
    assert [stretch.people for stretch in found] == [(BEN,), (ANA,)] * (MANY // 2)
    assert found[-1].starts_at == YEAR.starts_at + (MANY - 1) * hour
