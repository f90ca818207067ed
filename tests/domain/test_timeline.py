"""Stretches of time, cut, laid over one another and compared."""

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.timeline import (
    Interval,
    Shift,
    Stretch,
    cut,
    differences,
    gaps,
    laid,
    over,
    shifts,
    union,
    within,
    without,
)
from tests.domain.minutes import MINUTE
from tests.domain.rotas import ANA, BEN, CLEO, shift, span, told, utc

QUICK = settings(derandomize=True, max_examples=80, deadline=None, database=None)
BEGIN = utc("2026-06-01 00:00")
LENGTH = 30
WHOLE = Interval(BEGIN, BEGIN + LENGTH * MINUTE)

edges = st.lists(st.integers(0, LENGTH), min_size=2, max_size=2).map(sorted)
spans = edges.map(lambda pair: Interval(*(BEGIN + edge * MINUTE for edge in pair)))
some_shifts = st.lists(st.builds(lambda each, who: Shift(*each, who), spans, st.integers(1, 3)))
timelines = some_shifts.map(laid)


def spread(stretches: list[Stretch]) -> list[tuple[int, ...]]:
    """Who is on call in each minute."""
    found: list[tuple[int, ...]] = [()] * LENGTH
    for starts_at, ends_at, people in stretches:
        for number in range((starts_at - BEGIN) // MINUTE, (ends_at - BEGIN) // MINUTE):
            assert found[number] == ()
            found[number] = people
    return found


def covered(intervals: list[Interval]) -> list[bool]:
    instants = [BEGIN + number * MINUTE for number in range(LENGTH)]
    return [any(one.starts_at <= at < one.ends_at for one in intervals) for at in instants]


@QUICK
@given(some_shifts)
def test_shifts_laid_together_and_told_again_are_the_same_time(some: list[Shift]) -> None:
    for who in (1, 2, 3):
        mine = [Interval(*each[:2]) for each in some if each.user_id == who]
        again = [Interval(*each[:2]) for each in shifts(laid(some)) if each.user_id == who]
        assert covered(again) == covered(mine)
        assert again == union(mine)


@QUICK
@given(timelines, timelines, st.lists(spans))
def test_a_timeline_is_cut_and_covered_minute_by_minute(
    upper: list[Stretch], lower: list[Stretch], some: list[Interval]
) -> None:
    bounds = union(some)
    low, high, inside = spread(lower), spread(upper), covered(bounds)
    minutes = range(LENGTH)
    assert covered(bounds) == covered(some)
    assert spread(within(lower, bounds)) == [low[n] if inside[n] else () for n in minutes]
    assert spread(without(lower, bounds)) == [() if inside[n] else low[n] for n in minutes]
    assert spread(over(upper, lower)) == [high[n] or low[n] for n in minutes]
    assert covered(gaps(lower, WHOLE)) == [not people for people in low]


@QUICK
@given(timelines, timelines)
def test_differences_are_all_the_minutes_on_which_two_timelines_disagree(
    before: list[Stretch], after: list[Stretch]
) -> None:
    found = differences(before, after)
    old = spread([Stretch(one.starts_at, one.ends_at, one.before) for one in found])
    new = spread([Stretch(one.starts_at, one.ends_at, one.after) for one in found])
    pairs = list(zip(spread(before), spread(after), strict=True))
    assert list(zip(old, new, strict=True)) == [
        pair if pair[0] != pair[1] else ((), ()) for pair in pairs
    ]
    assert differences(before, before) == []


def test_a_difference_says_who_had_the_time_and_who_has_it_now() -> None:
    before = laid([shift("2026-06-01", "2026-06-03", ANA)])
    after = laid([shift("2026-06-01", "2026-06-02", ANA), shift("2026-06-02", "2026-06-04", BEN)])
    assert told(differences(before, after)) == [
        ("06-02 00:00", "06-03 00:00", (ANA,), (BEN,)),
        ("06-03 00:00", "06-04 00:00", (), (BEN,)),
    ]


def test_what_only_touches_shares_no_time() -> None:
    assert cut(span("2026-06-01", "2026-06-02"), span("2026-06-02", "2026-06-03")) is None
    touching = laid(
        [shift("2026-06-01", "2026-06-02", CLEO), shift("2026-06-02", "2026-06-03", ANA)]
    )
    assert [each.people for each in touching] == [(CLEO,), (ANA,)]


def test_a_shift_without_length_is_none() -> None:
    assert laid([shift("2026-06-01", "2026-06-01", ANA)]) == []
    assert union([span("2026-06-01", "2026-06-01")]) == []
