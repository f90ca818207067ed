"""Layers, temporary schedules and overrides: who wins, and until when."""

from datetime import UTC, timedelta, timezone

import pytest

from app.domain.schedule import (
    Layer,
    OnHolidays,
    Override,
    Schedule,
    Temporary,
    everyone,
    render,
    render_layers,
    swap,
)
from app.domain.timeline import Interval
from tests.domain.rotas import (
    ANA,
    BEN,
    BERLIN,
    CLEO,
    DORA,
    WORKDAYS,
    berlin,
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
ALWAYS_ANA = turning("weekly", "2026-01-05 00:00", ANA)


def who(schedule: Schedule, since: str, until: str) -> list[object]:
    return told(render(schedule, span(since, until)))


def test_a_higher_layer_wins_and_the_lower_one_fills_its_gaps() -> None:
    days = turning(
        "daily", "2026-06-01 09:00", BEN, CLEO, restrictions=(restricted("09:00", "17:00"),)
    )
    assert who(berlin(ALWAYS_ANA, days), "2026-06-02 00:00", "2026-06-03 12:00") == [
        ("06-02 00:00", "06-02 07:00", (ANA,)),
        ("06-02 07:00", "06-02 15:00", (CLEO,)),
        ("06-02 15:00", "06-03 07:00", (ANA,)),
        ("06-03 07:00", "06-03 12:00", (BEN,)),
    ]


def test_days_that_a_restriction_leaves_out_count_as_turns() -> None:
    days = turning(
        "daily",
        "2026-06-05 09:00",  # a Friday
        *(ANA, BEN, CLEO),
        restrictions=(restricted("09:00", "17:00", WORKDAYS),),
    )
    assert who(berlin(days), "2026-06-05", "2026-06-10") == [
        ("06-05 07:00", "06-05 15:00", (ANA,)),
        ("06-08 07:00", "06-08 15:00", (ANA,)),  # Saturday was Ben’s, Sunday Cleo’s
        ("06-09 07:00", "06-09 15:00", (BEN,)),
    ]


def test_a_turn_that_goes_on_is_one_stretch() -> None:
    assert who(berlin(ALWAYS_ANA), "2026-01-01", "2027-01-01") == [
        ("01-04 23:00", "01-01 00:00", (ANA,))
    ]


def test_a_rotation_begins_at_its_anchor_or_where_its_layer_says() -> None:
    at_anchor = turning("daily", "2026-06-03 00:00", ANA, BEN)
    sooner = turning("daily", "2026-06-03 00:00", ANA, BEN, starts=wall("2026-06-02 12:00"))
    later = turning("daily", "2026-06-03 00:00", ANA, BEN, starts=wall("2026-06-04 12:00"))
    found = [render(berlin(layer), WEEK)[0] for layer in (at_anchor, sooner, later)]
    assert [(each.starts_at, each.people) for each in found] == [
        (utc("2026-06-02 22:00"), (ANA,)),
        (utc("2026-06-02 10:00"), (BEN,)),
        (utc("2026-06-04 10:00"), (BEN,)),
    ]


def test_a_layer_that_ends_where_the_next_begins_hands_over_at_one_instant() -> None:
    # 02:30 comes twice that night; the first one counts for both.
    old = turning("weekly", "2026-10-05 00:00", ANA, ends=wall("2026-10-25 02:30"))
    new = turning("weekly", "2026-10-25 02:30", BEN)
    for layers in ((old, new), (new, old)):
        assert who(berlin(*layers), "2026-10-24", "2026-10-26") == [
            ("10-24 00:00", "10-25 00:30", (ANA,)),
            ("10-25 00:30", "10-26 00:00", (BEN,)),
        ]


def test_a_layer_that_is_over_puts_nobody_on_call() -> None:
    over = turning("weekly", "2026-01-05 00:00", BEN, ends=wall("2026-05-01 00:00"))
    assert told(render(berlin(ALWAYS_ANA, over), WEEK)) == [("06-01 00:00", "06-08 00:00", (ANA,))]


def test_explicit_shifts_start_at_the_first_instant_and_end_at_the_last() -> None:
    shifts = written(
        ("2026-10-25 02:15", "2026-10-25 02:45", ANA), ("2026-03-29 02:15", "2026-03-29 03:15", BEN)
    )
    assert who(berlin(shifts), "2026-01-01", "2027-01-01") == [
        ("03-29 01:00", "03-29 01:15", (BEN,)),
        ("10-25 00:15", "10-25 01:45", (ANA,)),
    ]


def test_explicit_shifts_may_overlap_and_then_both_are_on_call() -> None:
    shifts = written(
        ("2026-06-01 09:00", "2026-06-01 13:00", ANA),
        ("2026-06-01 12:00", "2026-06-01 17:00", BEN),
        ("2026-06-01 16:00", "2026-06-01 18:00", BEN),
    )
    assert told(render(berlin(shifts), WEEK)) == [
        ("06-01 07:00", "06-01 10:00", (ANA,)),
        ("06-01 10:00", "06-01 11:00", (ANA, BEN)),
        ("06-01 11:00", "06-01 16:00", (BEN,)),
    ]


def test_shifts_of_another_calendar_are_instants() -> None:
    calendar = given(("2026-06-01 07:00", "2026-06-01 10:00", ANA))
    assert told(render(berlin(calendar), WEEK)) == [("06-01 07:00", "06-01 10:00", (ANA,))]


@pytest.mark.parametrize(
    ("on_holidays", "found"),
    [
        (OnHolidays.WORKS, [("06-04 00:00", "06-07 00:00", (ANA,))]),
        (
            OnHolidays.RESTS,
            [("06-04 00:00", "06-04 22:00", (ANA,)), ("06-06 22:00", "06-07 00:00", (ANA,))],
        ),
        (OnHolidays.ONLY, [("06-04 22:00", "06-06 22:00", (ANA,))]),
    ],
)
def test_a_layer_works_or_rests_on_holidays_or_works_on_them_only(
    on_holidays: OnHolidays, found: list[object]
) -> None:
    layer = turning("weekly", "2026-01-05 00:00", ANA, on_holidays=on_holidays)
    holidays = (  # out of order, and one tells the other’s end again
        span("2026-06-05 20:00", "2026-06-06 22:00"),
        span("2026-06-04 22:00", "2026-06-05 22:00"),
    )
    assert who(berlin(layer, holidays=holidays), "2026-06-04", "2026-06-07") == found


def test_a_temporary_schedule_is_all_there_is_for_its_time() -> None:
    move = Temporary(
        utc("2026-06-02 12:00"),
        utc("2026-06-02 20:00"),
        (given(("2026-06-02 10:00", "2026-06-02 14:00", BEN)),),
    )
    assert who(berlin(ALWAYS_ANA, temporaries=(move,)), "2026-06-02", "2026-06-03") == [
        ("06-02 00:00", "06-02 12:00", (ANA,)),
        ("06-02 12:00", "06-02 14:00", (BEN,)),  # and then nobody until 20:00
        ("06-02 20:00", "06-03 00:00", (ANA,)),
    ]


def test_of_two_temporary_schedules_the_later_in_the_list_wins() -> None:
    first = Temporary(*span("2026-06-02 10:00", "2026-06-02 14:00"), (_always(BEN),))
    second = Temporary(*span("2026-06-02 12:00", "2026-06-02 13:00"), (_always(CLEO),))
    schedule = berlin(temporaries=(first, second))
    assert told(render(schedule, WEEK)) == [
        ("06-02 10:00", "06-02 12:00", (BEN,)),
        ("06-02 12:00", "06-02 13:00", (CLEO,)),
        ("06-02 13:00", "06-02 14:00", (BEN,)),
    ]


def _always(user_id: int) -> Layer:
    return turning("weekly", "2026-01-05 00:00", user_id)


def test_an_override_takes_the_pager_from_everybody_even_in_a_gap() -> None:
    day = given(("2026-06-02 08:00", "2026-06-02 16:00", ANA))
    schedule = berlin(day, overrides=(override("2026-06-02 14:00", "2026-06-02 18:00", BEN),))
    assert told(render(schedule, WEEK)) == [
        ("06-02 08:00", "06-02 14:00", (ANA,)),
        ("06-02 14:00", "06-02 18:00", (BEN,)),
    ]


def test_an_override_for_one_person_takes_only_their_time() -> None:
    turns = turning("daily", "2026-06-01 00:00", ANA, BEN)
    cover = override("2026-06-01 10:00", "2026-06-03 10:00", CLEO, replaces=BEN)
    assert who(berlin(turns, overrides=(cover,)), "2026-06-01", "2026-06-04") == [
        ("06-01 00:00", "06-01 22:00", (ANA,)),
        ("06-01 22:00", "06-02 22:00", (CLEO,)),
        ("06-02 22:00", "06-03 22:00", (ANA,)),
        ("06-03 22:00", "06-04 00:00", (BEN,)),
    ]


def test_a_cover_can_be_passed_on_and_the_later_override_wins() -> None:
    covers = (
        override("2026-06-02 08:00", "2026-06-02 16:00", BEN, replaces=ANA),
        override("2026-06-02 08:00", "2026-06-02 12:00", CLEO, replaces=BEN),
        override("2026-06-02 11:00", "2026-06-02 13:00", DORA),
    )
    assert who(berlin(ALWAYS_ANA, overrides=covers), "2026-06-02 08:00", "2026-06-02 17:00") == [
        ("06-02 08:00", "06-02 11:00", (CLEO,)),
        ("06-02 11:00", "06-02 13:00", (DORA,)),
        ("06-02 13:00", "06-02 16:00", (BEN,)),
        ("06-02 16:00", "06-02 17:00", (ANA,)),
    ]


def test_a_swap_exchanges_two_shifts_and_nothing_else() -> None:
    turns = turning("daily", "2026-06-01 00:00", ANA, BEN, CLEO)
    mine = shift("2026-05-31 22:00", "2026-06-01 22:00", ANA)
    yours = shift("2026-06-02 22:00", "2026-06-03 22:00", CLEO)
    swapped = berlin(turns, overrides=swap(mine, yours))
    assert who(swapped, "2026-05-31 22:00", "2026-06-05 22:00") == [
        ("05-31 22:00", "06-01 22:00", (CLEO,)),
        ("06-01 22:00", "06-02 22:00", (BEN,)),
        ("06-02 22:00", "06-04 22:00", (ANA,)),  # Cleo’s shift, and her own after it
        ("06-04 22:00", "06-05 22:00", (BEN,)),
    ]


def test_whoever_replaces_themselves_stays() -> None:
    cover = Override(*span("2026-06-02", "2026-06-03"), ANA, replaces=ANA)
    assert len(render(berlin(ALWAYS_ANA, overrides=(cover,)), WEEK)) == 1


def test_an_override_wins_over_a_temporary_schedule() -> None:
    day = span("2026-06-02 00:00", "2026-06-03 00:00")
    schedule = berlin(
        ALWAYS_ANA,
        temporaries=(Temporary(*day, (_always(BEN),)),),
        overrides=(override("2026-06-02 10:00", "2026-06-02 12:00", CLEO),),
    )
    assert [each.people for each in render(schedule, day)] == [(BEN,), (CLEO,), (BEN,)]


def test_each_layer_can_be_seen_alone() -> None:
    days = given(("2026-06-02 08:00", "2026-06-02 16:00", BEN))
    schedule = berlin(
        ALWAYS_ANA, days, overrides=(override("2026-06-01 00:00", "2026-06-08 00:00", CLEO),)
    )
    assert [told(each) for each in render_layers(schedule, WEEK)] == [
        [("06-01 00:00", "06-08 00:00", (ANA,))],
        [("06-02 08:00", "06-02 16:00", (BEN,))],
    ]


def test_whatever_zone_instants_come_in_all_answers_are_in_utc() -> None:
    zones = [timezone(timedelta(hours=hours)) for hours in (-5, 3, 9)]
    there = [Interval(*(at.astimezone(zone) for at in WEEK)) for zone in zones]
    day = timedelta(days=1)
    schedule = berlin(
        turning("weekly", "2026-01-05 00:00", ANA, on_holidays=OnHolidays.RESTS),
        holidays=(Interval(there[0].starts_at + day, there[0].starts_at + 2 * day),),
        temporaries=(
            Temporary(there[1].starts_at + 3 * day, there[1].ends_at - 3 * day, (_always(BEN),)),
        ),
        overrides=(Override(there[2].ends_at - day, there[2].ends_at, CLEO),),
    )
    stretches = render(schedule, there[0])
    assert stretches == render(schedule, WEEK)
    assert {at.tzinfo for each in stretches for at in each[:2]} == {UTC}
    assert [each.people for each in stretches] == [(ANA,), (ANA,), (BEN,), (ANA,), (CLEO,)]


def test_a_schedule_in_no_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="“Mars/Base” is not a time zone"):
        render(Schedule("Mars/Base", (ALWAYS_ANA,)), WEEK)


def test_a_schedule_in_berlin_is_in_berlin() -> None:
    assert berlin().time_zone == BERLIN
    assert render(berlin(), WEEK) == []


def test_everyone_is_whoever_it_could_ever_put_on_call() -> None:
    schedule = berlin(
        ALWAYS_ANA,
        given(("2020-06-01 07:00", "2020-06-01 10:00", BEN)),
        temporaries=(Temporary(*WEEK, (written(("2026-06-01", "2026-06-02", CLEO)),)),),
        overrides=(override("2026-06-01 00:00", "2026-06-08 00:00", DORA, replaces=99),),
    )
    assert everyone(schedule) == {ANA, BEN, CLEO, DORA}
