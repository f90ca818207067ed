"""Who now, who next, when am I, where is a hole."""

from datetime import timedelta

from app.domain.on_call import next_change, next_shift, on_call
from app.domain.schedule import Schedule, render
from app.domain.timeline import gaps, overlaps, shifts
from tests.domain.rotas import (
    ANA,
    BEN,
    CLEO,
    WORKDAYS,
    berlin,
    change,
    given,
    override,
    restricted,
    shift,
    span,
    told,
    turning,
    utc,
    wall,
    written,
)

WEEK = span("2026-06-01 00:00", "2026-06-08 00:00")
WEEKLY = berlin(turning("weekly", "2026-06-01 09:00", ANA, BEN, CLEO))


def office(*people: int) -> Schedule:
    hours = (restricted("09:00", "17:00", WORKDAYS),)
    return berlin(turning("weekly", "2026-06-01 00:00", *people, restrictions=hours))


def test_a_shift_holds_its_first_instant_and_not_its_last() -> None:
    assert on_call(WEEKLY, utc("2026-06-08 06:59:59.999999")) == (ANA,)
    assert on_call(WEEKLY, utc("2026-06-08 07:00")) == (BEN,)


def test_nobody_is_on_call_in_a_gap() -> None:
    assert on_call(office(ANA), utc("2026-06-06 12:00")) == ()


def test_the_next_change_is_the_hand_off() -> None:
    assert next_change(WEEKLY, utc("2026-06-03")) == change("2026-06-08 07:00", BEN)
    assert next_change(WEEKLY, utc("2026-06-08 07:00")) == change("2026-06-15 07:00", CLEO)


def test_the_next_change_may_be_a_gap_and_then_its_end() -> None:
    assert next_change(office(ANA), utc("2026-06-05 12:00")) == change("2026-06-05 15:00")
    assert next_change(office(ANA), utc("2026-06-05 15:00")) == change("2026-06-08 07:00", ANA)


def test_a_hand_off_to_oneself_is_no_change() -> None:
    twice = berlin(turning("weekly", "2026-06-01 09:00", ANA, ANA, BEN))
    assert next_change(twice, utc("2026-06-03")) == change("2026-06-15 07:00", BEN)


def test_a_change_a_year_away_is_found_and_one_beyond_the_horizon_is_not() -> None:
    yearly = berlin(turning("monthly", "2026-06-01 09:00", ANA, BEN, every=12))
    assert next_change(yearly, utc("2026-06-03")) == change("2027-06-01 07:00", BEN)
    assert next_change(yearly, utc("2026-06-03"), horizon=timedelta(days=90)) is None


def test_what_never_changes_has_no_next_change() -> None:
    assert next_change(berlin(turning("weekly", "2026-01-05", ANA)), utc("2026-06-01")) is None
    assert next_change(berlin(), utc("2026-06-01")) is None


def test_the_next_shift_is_the_one_after_the_shift_that_runs() -> None:
    assert next_shift(WEEKLY, ANA, utc("2026-06-03")) == shift(
        "2026-06-22 07:00", "2026-06-29 07:00", ANA
    )


def test_the_next_shift_counts_what_somebody_took_over() -> None:
    cover = override("2026-06-04 00:00", "2026-06-05 00:00", CLEO, replaces=ANA)
    schedule = berlin(*WEEKLY.layers, overrides=(cover,))
    assert next_shift(schedule, CLEO, utc("2026-06-03")) == shift(
        "2026-06-04 00:00", "2026-06-05 00:00", CLEO
    )


def test_the_next_shift_is_told_whole_however_long_it_is() -> None:
    yearly = berlin(turning("monthly", "2026-06-01 09:00", ANA, BEN, every=6))
    assert next_shift(yearly, BEN, utc("2026-06-03")) == shift(
        "2026-12-01 08:00", "2027-06-01 07:00", BEN
    )


def test_a_shift_that_begins_soon_and_ends_late_is_told_whole() -> None:
    monthly = berlin(turning("monthly", "2026-06-01 09:00", ANA, BEN))
    assert next_shift(monthly, BEN, utc("2026-06-25")) == shift(
        "2026-07-01 07:00", "2026-08-01 07:00", BEN
    )


def test_a_shift_is_told_up_to_the_horizon_and_no_further() -> None:
    horizon = timedelta(days=7)
    assert next_shift(WEEKLY, BEN, utc("2026-06-03"), horizon=horizon) == shift(
        "2026-06-08 07:00", "2026-06-10 00:00", BEN
    )


def test_whoever_never_has_a_shift_has_no_next_one() -> None:
    assert next_shift(WEEKLY, 99, utc("2026-06-03")) is None


def test_shifts_are_told_by_person_and_without_a_break() -> None:
    rendered = render(
        berlin(
            given(
                ("2026-06-01 06:00", "2026-06-01 12:00", ANA),
                ("2026-06-01 10:00", "2026-06-01 14:00", BEN),
                ("2026-06-01 12:00", "2026-06-01 13:00", ANA),
                ("2026-06-01 20:00", "2026-06-01 22:00", ANA),
            )
        ),
        WEEK,
    )
    assert told(shifts(rendered)) == [
        ("06-01 06:00", "06-01 13:00", ANA),
        ("06-01 10:00", "06-01 14:00", BEN),
        ("06-01 20:00", "06-01 22:00", ANA),
    ]


def test_every_hole_is_found_also_before_the_first_shift_and_after_the_last() -> None:
    assert told(gaps(render(office(ANA, BEN), WEEK), WEEK)) == [
        ("06-01 00:00", "06-01 07:00"),
        ("06-01 15:00", "06-02 07:00"),
        ("06-02 15:00", "06-03 07:00"),
        ("06-03 15:00", "06-04 07:00"),
        ("06-04 15:00", "06-05 07:00"),
        ("06-05 15:00", "06-08 00:00"),
    ]
    assert gaps(render(berlin(), WEEK), WEEK) == [WEEK]


def test_a_temporary_hole_of_a_layer_that_ended_is_found() -> None:
    ended = berlin(turning("daily", "2026-05-01 09:00", ANA, ends=wall("2026-06-04 09:00")))
    assert told(gaps(render(ended, WEEK), WEEK)) == [("06-04 07:00", "06-08 00:00")]


def test_people_on_the_same_shift_are_an_overlap() -> None:
    both = berlin(
        written(
            ("2026-06-01 09:00", "2026-06-01 13:00", ANA),
            ("2026-06-01 12:00", "2026-06-01 17:00", BEN),
        )
    )
    assert told(overlaps(render(both, WEEK))) == [("06-01 10:00", "06-01 11:00", (ANA, BEN))]
    assert overlaps(render(WEEKLY, WEEK)) == []
