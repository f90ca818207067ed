"""A year of a large rota takes no more steps than it has hand-offs and restricted days."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from app.domain import restriction, rotation
from app.domain.schedule import Schedule, render
from tests.domain.rotas import WORKDAYS, berlin, restricted, span, turning

TWELVE = range(1, 13)
YEAR = span("2026-01-01", "2027-01-01")
DAYS = 365
# Of each question a little more: the turn that runs already, the days around the year.
AROUND = 12


def large() -> Schedule:
    """Twelve people on four layers, at work for years."""
    return berlin(
        turning("weekly", "2016-01-04 09:00", *TWELVE),
        turning("monthly", "2016-01-31 09:00", *TWELVE),
        turning(
            "daily",
            "2016-01-04 09:00",
            *TWELVE,
            restrictions=(restricted("09:00", "17:00", WORKDAYS),),
        ),
        turning(
            "hourly",
            "2016-01-04 00:00",
            *TWELVE,
            every=8,
            restrictions=(restricted("22:00", "06:00"),),
        ),
    )


def test_a_year_converts_each_hand_off_and_each_end_of_a_restriction_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[datetime] = []

    def counted(
        instant: Callable[[datetime, ZoneInfo], datetime],
    ) -> Callable[[datetime, ZoneInfo], datetime]:
        def convert(shown: datetime, zone: ZoneInfo) -> datetime:
            asked.append(shown)
            return instant(shown, zone)

        return convert

    for module, name in (
        (rotation, "first_instant"),
        (restriction, "first_instant"),
        (restriction, "last_instant"),
    ):
        monkeypatch.setattr(module, name, counted(getattr(module, name)))
    stretches = render(large(), YEAR)
    assert len({people for _, _, people in stretches}) == len(TWELVE)
    handoffs = 53 + 12 + DAYS + 3 * DAYS
    restricted_hours = 2 * (261 + DAYS)
    assert len(asked) < handoffs + restricted_hours + 4 * AROUND
