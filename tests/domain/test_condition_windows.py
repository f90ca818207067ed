"""Windows of local time in a policy's conditions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.conditions import Attributes, faults, holds
from app.domain.incident import Severity

ANYTHING = Attributes(Severity.LOW, "web", "Slow")
BERLIN = "Europe/Berlin"


def inside(instant: str, *between: str, zone: str | None = None, days: str | None = None) -> bool:
    """Whether the window `between` two times is open at a UTC instant."""
    window: dict[str, Any] = {"between": list(between)}
    if zone is not None:
        window["zone"] = zone
    if days is not None:
        window["days"] = days.split()
    conditions = {"time": window}
    assert faults(conditions) == []
    return holds(conditions, ANYTHING, now=datetime.fromisoformat(instant).replace(tzinfo=UTC))


def test_a_window_opens_on_its_first_moment() -> None:
    assert not inside("2026-11-21T08:59:59.999999", "09:00", "17:00")
    assert inside("2026-11-21T09:00", "09:00", "17:00")


def test_a_window_is_closed_on_its_last_moment() -> None:
    assert inside("2026-11-21T16:59:59.999999", "09:00", "17:00")
    assert not inside("2026-11-21T17:00", "09:00", "17:00")


def test_seconds_may_be_given() -> None:
    assert inside("2026-11-21T09:00:30", "09:00:30", "09:00:31")
    assert not inside("2026-11-21T09:00:31", "09:00:30", "09:00:31")


def test_without_a_zone_the_clock_is_utc() -> None:
    assert inside("2026-11-21T09:30", "09:00", "10:00")


def test_a_window_goes_by_the_clock_of_its_zone() -> None:
    assert inside("2026-11-21T08:30", "09:00", "10:00", zone=BERLIN)
    assert not inside("2026-11-21T09:30", "09:00", "10:00", zone=BERLIN)


@pytest.mark.parametrize(
    ("clock", "is_open"),
    [("21:59", False), ("22:00", True), ("00:00", True), ("05:59", True), ("06:00", False)],
)
def test_a_window_may_cross_midnight(clock: str, is_open: bool) -> None:
    assert inside(f"2026-11-21T{clock}", "22:00", "06:00") is is_open


def test_a_window_may_last_until_midnight() -> None:
    assert inside("2026-11-21T23:59", "18:00", "00:00")
    assert not inside("2026-11-22T00:00", "18:00", "00:00")


def test_a_window_may_begin_at_midnight() -> None:
    assert inside("2026-11-21T00:00", "00:00", "06:00")
    assert not inside("2026-11-20T23:59", "00:00", "06:00")


def test_a_window_opens_on_its_days_only() -> None:
    assert inside("2026-11-21T10:00", "09:00", "17:00", days="sat sun")  # a Saturday
    assert not inside("2026-11-20T10:00", "09:00", "17:00", days="sat sun")


def test_the_hours_past_midnight_belong_to_the_day_before() -> None:
    assert inside("2026-11-21T05:00", "22:00", "06:00", days="fri")  # Saturday's small hours
    assert not inside("2026-11-20T05:00", "22:00", "06:00", days="fri")  # Friday's own


def test_the_night_to_monday_belongs_to_sunday() -> None:
    assert inside("2026-11-23T01:00", "22:00", "06:00", days="sun")
    assert not inside("2026-11-23T01:00", "22:00", "06:00", days="mon")


def test_the_day_is_the_one_of_the_zone() -> None:
    assert inside("2026-11-20T23:30", "00:00", "01:00", zone=BERLIN, days="sat")
    assert not inside("2026-11-20T23:30", "00:00", "01:00", zone=BERLIN, days="fri")


def open_minutes(start: str, hours: int, *between: str, zone: str) -> int:
    """For how many minutes of a span a window is open."""
    begin = datetime.fromisoformat(start)
    moments = (begin + timedelta(minutes=minute) for minute in range(hours * 60))
    return sum(inside(moment.isoformat(), *between, zone=zone) for moment in moments)


def test_a_window_over_the_spring_change_is_an_hour_shorter() -> None:
    assert open_minutes("2026-03-28T21:00", 9, "22:00", "06:00", zone=BERLIN) == 7 * 60


def test_a_window_in_the_hour_that_spring_skips_stays_shut() -> None:
    assert open_minutes("2026-03-28T23:00", 6, "02:00", "03:00", zone=BERLIN) == 0


def test_a_window_over_the_autumn_change_is_an_hour_longer() -> None:
    assert open_minutes("2026-10-24T20:00", 10, "22:00", "06:00", zone=BERLIN) == 9 * 60


def test_a_window_in_the_hour_that_autumn_repeats_opens_twice() -> None:
    assert open_minutes("2026-10-24T23:00", 6, "02:00", "02:30", zone=BERLIN) == 60


@pytest.mark.parametrize(("instant", "is_open"), [("07:30", True), ("15:30", False)])
def test_office_hours_follow_summer_time(instant: str, is_open: bool) -> None:
    # 09:00 to 17:00 in Berlin is 07:00 to 15:00 UTC in summer.
    assert inside(f"2026-07-01T{instant}", "09:00", "17:00", zone=BERLIN) is is_open


def test_a_window_can_be_turned_round() -> None:
    conditions = {"not": {"time": {"between": ["09:00", "17:00"], "days": ["sat"]}}}
    assert not holds(conditions, ANYTHING, now=datetime(2026, 11, 21, 10, tzinfo=UTC))
    assert holds(conditions, ANYTHING, now=datetime(2026, 11, 22, 10, tzinfo=UTC))
