"""A window that slides: what has room in it, and how long to wait when nothing has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import tallies
from app.core.tallies import Tallies
from app.domain import rate as rates
from app.domain.rate import Rate, Tally


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("100/minute", Rate(100, 60)),
        ("5/second", Rate(5, 1)),
        (" 3600 / Hour ", Rate(3600, 3600)),
        ("0", None),
        ("0/minute", None),
    ],
)
def test_a_rate_is_read_as_it_is_written(text: str, rate: Rate | None) -> None:
    assert rates.parse(text) == rate


@pytest.mark.parametrize("text", ["100", "-1/minute", "1.5/second", "1/day", "many/minute", ""])
def test_what_is_no_rate_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="such as 100/minute"):
        rates.parse(text)


def test_a_whole_quota_may_come_at_once_and_no_more() -> None:
    counts = Tallies(Rate(100, 60), Hand())
    stood = [counts.count("ana") for _ in range(101)]
    assert [one.is_allowed for one in stood] == [True] * 100 + [False]
    assert [one.remaining for one in stood[-3:]] == [1, 0, 0]


def test_callers_do_not_use_up_each_others_quota() -> None:
    counts = Tallies(Rate(1, 60), Hand())
    assert counts.count("ana").is_allowed
    assert counts.count("ben").is_allowed
    assert not counts.count("ana").is_allowed


def test_a_new_minute_is_no_new_quota() -> None:
    clock = Hand()
    counts = Tallies(Rate(100, 60), clock)
    clock.now += 1
    for _ in range(100):
        counts.count("ana")
    clock.now += 60_000 + 6_000  # a tenth of the minute after
    assert [counts.count("ana").is_allowed for _ in range(11)] == [True] * 10 + [False]


def test_who_was_silent_for_two_windows_begins_anew() -> None:
    clock = Hand()
    counts = Tallies(Rate(2, 60), clock)
    for _ in range(3):
        counts.count("ana")
    clock.now += 120_000
    assert counts.count("ana").remaining == 1


@given(
    limit=st.integers(1, 200),
    before=st.integers(0, 200),
    here=st.integers(0, 200),
    since=st.integers(0, 59_999),
)
def test_the_wait_that_is_told_is_enough_and_no_longer_than_needed(
    limit: int, before: int, here: int, since: int
) -> None:
    rate = Rate(limit, 60)
    tally = Tally(0, min(before, limit), min(here, limit))
    _, is_allowed = rates.count(rate, tally, now=since)
    if is_allowed:
        return
    told = rates.standing(rate, tally, is_allowed=False, now=since).reset * 1000
    assert rates.count(rate, tally, now=since + told)[1]
    if told > 1000:
        assert not rates.count(rate, tally, now=since + told - 1000)[1]


@given(st.lists(st.integers(0, 70_000), max_size=80), st.integers(1, 10))
def test_no_minute_wherever_it_begins_sees_twice_the_quota(pauses: list[int], limit: int) -> None:
    clock = Hand()
    counts = Tallies(Rate(limit, 60), clock)
    allowed: list[int] = []
    for pause in pauses:
        clock.now += pause
        if counts.count("ana").is_allowed:
            allowed.append(clock.now)
    for at in allowed:
        assert sum(at <= other < at + 60_000 for other in allowed) < 2 * max(limit, 2)


def test_strangers_without_number_take_a_bounded_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "MOST", 100)
    counts = Tallies(Rate(1, 60), Hand())
    for number in range(10_000):
        assert counts.count(f"stranger {number}").is_allowed
    assert len(counts) <= 200


def test_what_is_used_outlives_what_is_not() -> None:
    clock = Hand()
    counts = Tallies(Rate(1000, 60), clock)
    counts.count("once")
    for _ in range(300):
        counts.count("always")
        clock.now += 1_000
    assert len(counts) <= 2
    assert counts.count("always").remaining < 950


def test_what_was_counted_shortly_before_the_generations_turn_is_not_forgotten() -> None:
    clock = Hand()
    counts = Tallies(Rate(2, 60), clock)
    clock.now += 119_000
    assert [counts.count("ana").is_allowed for _ in range(2)] == [True, True]
    clock.now += 2_000
    assert not counts.count("ana").is_allowed
