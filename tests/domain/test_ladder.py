"""When each step of a ladder is due, and when the ladder ends."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.escalation import (
    POSTPONED_LONGEST,
    Ladder,
    Position,
    Step,
    after_end,
    after_step,
    postponement,
    start,
)

QUICK = settings(derandomize=True, max_examples=150, deadline=None, database=None)
OPENED = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def ladder(*delays: float, repeat: int = 0, final: float = 10) -> Ladder:
    """A ladder whose steps come so many minutes after each other."""
    steps = tuple(Step(timedelta(minutes=delay), ()) for delay in delays)
    return Ladder(steps, repeat, timedelta(minutes=final))


def minute(position: Position | None) -> float:
    """How many minutes after the opening a position is due."""
    assert position is not None
    return (position.due_at - OPENED) / timedelta(minutes=1)


def test_the_first_step_counts_from_the_start() -> None:
    assert start(ladder(5, 3), at=OPENED) == Position(0, 0, OPENED + timedelta(minutes=5))


def test_a_later_round_starts_like_the_first() -> None:
    assert start(ladder(5, 3), at=OPENED, loop=4) == Position(4, 0, OPENED + timedelta(minutes=5))


def test_a_step_counts_from_the_step_before() -> None:
    following = after_step(ladder(5, 3), start(ladder(5, 3), at=OPENED), reached_somebody=True)
    assert (following.step, minute(following)) == (1, 8)


def test_a_fraction_of_a_minute_counts() -> None:
    steps = ladder(0, 0.25)
    assert minute(after_step(steps, start(steps, at=OPENED), reached_somebody=True)) == 0.25


def test_a_delay_counts_from_when_the_step_was_due_however_late_it_was_taken() -> None:
    # Nothing of the present goes in: the due time of a step is a sum of delays.
    steps = ladder(5, 3, 2, final=10)
    position = start(steps, at=OPENED)
    due = [minute(position)]
    for _ in steps.steps:
        position = after_step(steps, position, reached_somebody=True)
        due.append(minute(position))
    assert due == [5, 8, 10, 20]


def test_a_step_that_reached_nobody_hands_over_at_once() -> None:
    steps = ladder(5, 30)
    following = after_step(steps, start(steps, at=OPENED), reached_somebody=False)
    assert (following.step, minute(following)) == (1, 5)


def test_after_a_step_without_anybody_the_delays_count_on() -> None:
    steps = ladder(5, 30, 2)
    position = after_step(steps, start(steps, at=OPENED), reached_somebody=False)
    assert minute(after_step(steps, position, reached_somebody=True)) == 7


def test_after_its_last_step_a_ladder_waits_for_an_answer() -> None:
    steps = ladder(5, final=10)
    end = after_step(steps, start(steps, at=OPENED), reached_somebody=True)
    assert (end.step, minute(end)) == (len(steps.steps), 15)


def test_a_last_step_that_reached_nobody_leaves_nothing_to_wait_for() -> None:
    steps = ladder(5, final=10)
    assert minute(after_step(steps, start(steps, at=OPENED), reached_somebody=False)) == 5


def test_a_ladder_without_repeats_has_run_out() -> None:
    assert after_end(ladder(5), Position(0, 1, OPENED)) is None


def test_a_repeat_starts_when_the_wait_for_an_answer_is_over() -> None:
    again = after_end(ladder(5, repeat=1), Position(0, 1, OPENED + timedelta(minutes=15)))
    assert again is not None
    assert (again.loop, again.step, minute(again)) == (1, 0, 20)


def test_a_ladder_repeats_as_often_as_it_says() -> None:
    assert after_end(ladder(5, repeat=2), Position(1, 1, OPENED)) is not None
    assert after_end(ladder(5, repeat=2), Position(2, 1, OPENED)) is None


MINUTES = st.floats(0, 10_080, allow_nan=False)


@QUICK
@given(
    delays=st.lists(MINUTES, min_size=1, max_size=6),
    repeat=st.integers(0, 5),
    final=MINUTES,
    luck=st.randoms(use_true_random=False),
)
def test_every_ladder_ends_after_as_many_moves_as_it_has_rungs(
    delays: list[float], repeat: int, final: float, luck: Random
) -> None:
    steps = ladder(*delays, repeat=repeat, final=final)
    walked: list[Position] = []
    position: Position | None = start(steps, at=OPENED)
    while position is not None and len(walked) < 1_000:
        walked.append(position)
        if position.step == len(delays):
            position = after_end(steps, position)
        else:
            reached = luck.random() < 0.5
            position = after_step(steps, position, reached_somebody=reached)
    rungs = [(loop, step) for loop in range(repeat + 1) for step in range(len(delays) + 1)]
    assert [(position.loop, position.step) for position in walked] == rungs
    assert walked == sorted(walked, key=lambda position: position.due_at)


# --- A step that broke inside Tocsin ----------------------------------------------------


@pytest.mark.parametrize(
    ("faults", "seconds"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (10_000, 60)]
)
def test_a_step_that_broke_waits_longer_each_time(faults: int, seconds: int) -> None:
    assert postponement(faults) == timedelta(seconds=seconds)


def test_a_step_that_broke_never_waits_longer_than_a_minute() -> None:
    assert max(postponement(faults) for faults in range(1, 100)) == POSTPONED_LONGEST
