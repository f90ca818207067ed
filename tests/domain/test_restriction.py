"""Hours of the day on days of the week, in a zone whose clock changes."""

from app.domain.restriction import Restriction, hours
from app.domain.time_zone import zone
from tests.domain.rotas import BERLIN, WORKDAYS, restricted, span, told


def left(since: str, until: str, *restrictions: Restriction) -> list[object]:
    return told(hours(restrictions, zone(BERLIN), span(since, until)))


def test_working_hours_leave_out_the_weekend() -> None:
    # Friday 2026-06-05 to Monday
    assert left("2026-06-05", "2026-06-09", restricted("09:00", "17:00", WORKDAYS)) == [
        ("06-05 07:00", "06-05 15:00"),
        ("06-08 07:00", "06-08 15:00"),
    ]


def test_hours_across_midnight_belong_to_the_day_on_which_they_start() -> None:
    friday = frozenset({4})
    assert left("2026-06-04", "2026-06-08", restricted("22:00", "06:00", friday)) == [
        ("06-05 20:00", "06-06 04:00")
    ]


def test_hours_that_run_already_when_the_time_begins_are_not_missed() -> None:
    assert left("2026-06-05 23:00", "2026-06-06 10:00", restricted("22:00", "06:00")) == [
        ("06-05 23:00", "06-06 04:00")
    ]


def test_hours_that_end_when_they_start_are_a_whole_day() -> None:
    weekend = frozenset({5, 6})
    assert left("2026-06-04", "2026-06-12", restricted("00:00", "00:00", weekend)) == [
        ("06-05 22:00", "06-07 22:00")
    ]


def test_a_weekend_from_friday_evening_to_monday_morning_is_one_time() -> None:
    parts = (
        restricted("17:00", "00:00", frozenset({4})),
        restricted("00:00", "00:00", frozenset({5, 6})),
        restricted("00:00", "09:00", frozenset({0})),
    )
    assert left("2026-06-03", "2026-06-10", *parts) == [("06-05 15:00", "06-08 07:00")]


def test_a_night_on_which_an_hour_comes_twice_is_an_hour_longer() -> None:
    assert left("2026-10-24 12:00", "2026-10-25 12:00", restricted("22:00", "06:00")) == [
        ("10-24 20:00", "10-25 05:00")
    ]


def test_hours_within_the_hour_that_comes_twice_last_from_its_first_time_to_its_second() -> None:
    assert left("2026-10-24 12:00", "2026-10-25 12:00", restricted("02:10", "02:20")) == [
        ("10-25 00:10", "10-25 01:20")
    ]


def test_hours_that_the_clock_skips_wait_for_the_jump_or_do_not_come() -> None:
    day = ("2026-03-28 12:00", "2026-03-29 12:00")
    assert left(*day, restricted("02:30", "03:15")) == [("03-29 01:00", "03-29 01:15")]
    assert left(*day, restricted("02:10", "02:50")) == []


def test_hours_that_overlap_are_one_time() -> None:
    both = (restricted("08:00", "12:00"), restricted("11:00", "15:00"))
    assert left("2026-06-05", "2026-06-06", *both) == [("06-05 06:00", "06-05 13:00")]


def test_a_restriction_on_no_day_leaves_nothing() -> None:
    assert left("2026-06-01", "2026-07-01", restricted("08:00", "12:00", frozenset())) == []
