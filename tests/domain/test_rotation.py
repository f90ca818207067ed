"""Whose turn it is, counted in hand-offs on the wall clock."""

import pytest

from app.domain.rotation import Rotation, RotationKind, turns
from app.domain.time_zone import zone
from tests.domain.rotas import ANA, BEN, BERLIN, CLEO, rotation, span, told, wall


def who(rotation: Rotation, since: str, until: str, name: str = BERLIN) -> list[object]:
    return told(turns(rotation, zone(name), span(since, until)))


def test_a_weekly_rotation_changes_on_the_weekday_and_at_the_time_of_its_anchor() -> None:
    weekly = rotation("weekly", "2026-06-01 09:00", ANA, BEN, CLEO)  # a Monday
    assert who(weekly, "2026-06-01 07:00", "2026-06-24 07:00") == [
        ("06-01 07:00", "06-08 07:00", (ANA,)),
        ("06-08 07:00", "06-15 07:00", (BEN,)),
        ("06-15 07:00", "06-22 07:00", (CLEO,)),
        ("06-22 07:00", "06-24 07:00", (ANA,)),
    ]


def test_every_second_week_lasts_two() -> None:
    weekly = rotation("weekly", "2026-06-01 09:00", ANA, BEN, every=2)
    assert who(weekly, "2026-06-14 00:00", "2026-06-16 00:00") == [
        ("06-14 00:00", "06-15 07:00", (ANA,)),
        ("06-15 07:00", "06-16 00:00", (BEN,)),
    ]


def test_a_hand_off_stays_at_its_time_on_the_wall_when_summer_time_begins() -> None:
    daily = rotation("daily", "2026-03-27 09:00", ANA, BEN)
    assert who(daily, "2026-03-27 08:00", "2026-03-31 07:00") == [
        ("03-27 08:00", "03-28 08:00", (ANA,)),
        ("03-28 08:00", "03-29 07:00", (BEN,)),  # 23 hours
        ("03-29 07:00", "03-30 07:00", (ANA,)),
        ("03-30 07:00", "03-31 07:00", (BEN,)),
    ]


def test_a_hand_off_within_the_hour_that_comes_twice_is_the_first() -> None:
    daily = rotation("daily", "2026-10-20 02:30", ANA, BEN)
    assert who(daily, "2026-10-24 00:30", "2026-10-26 01:30") == [
        ("10-24 00:30", "10-25 00:30", (ANA,)),
        ("10-25 00:30", "10-26 01:30", (BEN,)),  # 25 hours
    ]


def test_asked_within_the_hour_that_comes_again_a_turn_is_cut_to_what_was_asked() -> None:
    daily = rotation("daily", "2026-10-20 02:30", ANA, BEN)
    assert who(daily, "2026-10-25 01:10", "2026-10-25 03:00") == [
        ("10-25 01:10", "10-25 03:00", (BEN,))
    ]


def test_the_turn_goes_on_while_the_hour_comes_again() -> None:
    hourly = rotation("hourly", "2026-10-24 00:00", ANA, BEN, CLEO)
    assert who(hourly, "2026-10-24 23:00", "2026-10-25 03:00") == [
        ("10-24 23:00", "10-25 00:00", (BEN,)),  # 01:00
        ("10-25 00:00", "10-25 02:00", (CLEO,)),  # 02:00, twice
        ("10-25 02:00", "10-25 03:00", (ANA,)),  # 03:00
    ]


def test_a_turn_that_the_clock_skips_is_still_somebodys() -> None:
    hourly = rotation("hourly", "2026-03-28 00:00", ANA, BEN, CLEO)
    assert who(hourly, "2026-03-29 00:00", "2026-03-29 02:00") == [
        ("03-29 00:00", "03-29 01:00", (BEN,)),  # 01:00, the 25th turn
        ("03-29 01:00", "03-29 02:00", (ANA,)),  # 03:00; 02:00 was Cleo's
    ]


def test_a_hand_off_that_the_clock_skips_happens_at_the_jump() -> None:
    daily = rotation("daily", "2026-03-28 02:30", ANA, BEN)
    assert who(daily, "2026-03-28 23:00", "2026-03-29 23:00") == [
        ("03-28 23:00", "03-29 01:00", (ANA,)),
        ("03-29 01:00", "03-29 23:00", (BEN,)),
    ]


@pytest.mark.parametrize(
    ("number", "begins"),
    [
        (-2, "2026-11-30 08:00"),
        (1, "2027-02-28 08:00"),
        (2, "2027-03-31 08:00"),
        (13, "2028-02-29 08:00"),
    ],
)
def test_the_31st_is_the_last_day_of_a_shorter_month_and_of_no_other(
    number: int, begins: str
) -> None:
    assert rotation("monthly", "2027-01-31 08:00").handoff(number) == wall(begins)


def test_a_monthly_rotation_hands_over_once_a_month() -> None:
    monthly = rotation("monthly", "2026-12-31 08:00", ANA, BEN)
    assert who(monthly, "2027-02-01 00:00", "2027-04-01 00:00") == [
        ("02-01 00:00", "02-28 07:00", (BEN,)),
        ("02-28 07:00", "03-31 06:00", (ANA,)),
        ("03-31 06:00", "04-01 00:00", (BEN,)),
    ]


def test_every_eight_hours_stays_on_the_same_three_times_all_year() -> None:
    thirds = rotation("hourly", "2026-01-01 00:00", ANA, BEN, CLEO, every=8)
    shown = [f"{thirds.handoff(number):%H:%M}" for number in range(3 * 365)]
    assert set(shown) == {"00:00", "08:00", "16:00"}
    assert who(thirds, "2026-07-01 06:00", "2026-07-01 14:00") == [
        ("07-01 06:00", "07-01 14:00", (BEN,))
    ]


def test_turns_are_counted_backwards_from_the_anchor_too() -> None:
    daily = rotation("daily", "2026-06-10 00:00", ANA, BEN, CLEO)
    assert who(daily, "2026-06-08 22:00", "2026-06-09 22:00") == [
        ("06-08 22:00", "06-09 22:00", (CLEO,))
    ]


def test_nobody_takes_turns_where_nobody_takes_part() -> None:
    alone = Rotation(RotationKind.DAILY, wall("2026-01-01"), ())
    assert who(alone, "2026-02-01", "2026-03-01") == []


def test_a_rotation_that_never_moves_on_is_refused() -> None:
    with pytest.raises(ValueError, match="every 1 or more, not every 0"):
        rotation("daily", "2026-01-01", ANA, every=0)


def test_a_question_about_ten_years_on_costs_no_more_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    handoff = Rotation.handoff
    monkeypatch.setattr(
        Rotation, "handoff", lambda self, number: asked.append(number) or handoff(self, number)
    )
    hourly = rotation("hourly", "2026-01-01 00:00")
    assert len(who(hourly, "2036-10-26 00:10", "2036-10-26 00:20")) == 1
    assert len(asked) < 10
