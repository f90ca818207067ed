"""Doubts about a course of pages: each for what happens in it, and once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.foresight import (
    Course,
    DoubtKind,
    Fate,
    ForeseenPage,
    PagedRule,
    Passage,
    Run,
    foresee,
    masked,
    minutes,
)
from app.domain.incident import Severity
from app.domain.notification import Channel, Skipped

START = datetime(2027, 1, 31, 3, 0, tzinfo=UTC)
PRIMARY = Run(1, "Primary", False, timedelta(minutes=5))
FALLBACK = Run(2, "fallback", True, timedelta(minutes=5))
OFF = Skipped(8, "Ben", "has switched sms off")


def after(number: float) -> datetime:
    return START + timedelta(minutes=number)


def step(number: int, at: float, *, run: Run = PRIMARY, loop: int = 0, **fields: Any) -> Passage:
    return Passage(run, loop, number, after(at), fields.pop("reached", True), **fields)


def page(passage: Passage, at: float, **fields: Any) -> ForeseenPage:
    known = {"fate": Fate.SENT, "rule": PagedRule(1, Channel.EMAIL)}
    return ForeseenPage(passage, 7, "Ana", Channel.EMAIL, after(at), **known | fields)


def course(*pages: ForeseenPage, passages: tuple[Passage, ...] = (), **fields: Any) -> Course:
    steps = tuple(dict.fromkeys([*(one.passage for one in pages), *passages]))
    return Course(START, sorted(steps, key=lambda one: one.at), pages, **fields)


def kinds(course: Course) -> list[DoubtKind]:
    return [doubt.kind for doubt in foresee(course)]


def test_a_course_without_a_hitch_raises_no_doubt() -> None:
    first, second = step(0, 0), step(1, 5)
    assert foresee(course(page(first, 0), page(second, 5), runs=(PRIMARY,))) == []


def test_a_rule_that_comes_with_the_next_step_is_not_late() -> None:
    assert kinds(course(page(step(0, 0), 5), passages=(step(1, 5),))) == []
    late = course(page(step(0, 0), 5.01), passages=(step(1, 5),))
    assert kinds(late) == [DoubtKind.RULE_COMES_LATE]


def test_only_the_steps_of_the_same_policy_overtake_a_rule() -> None:
    other = step(1, 5, run=replace(PRIMARY, id=9, policy="Other"))
    assert kinds(course(page(step(0, 0), 10), passages=(other,))) == []


def test_a_rule_is_overtaken_by_the_next_round_too() -> None:
    again = step(0, 5, loop=1)
    (doubt,) = foresee(course(page(step(0, 0), 10), passages=(again,)))
    assert "step 1 of round 2 has begun after 5 minutes" in doubt.message


def test_what_every_round_repeats_is_told_once() -> None:
    nobody = [step(1, 5 + 20 * loop, loop=loop, reached=False, skipped=(OFF,)) for loop in (0, 1)]
    paged = [page(step(0, 20 * loop, loop=loop), 10 + 20 * loop) for loop in (0, 1)]
    assert kinds(course(*paged, passages=tuple(nobody))) == [
        DoubtKind.STEP_REACHES_NOBODY, DoubtKind.RULE_COMES_LATE,
    ]  # fmt: skip


def test_two_rules_of_one_person_are_two_doubts() -> None:
    first = step(0, 0)
    late = [
        page(first, 10 + number, rule=PagedRule(number, Channel.SMS, timedelta(minutes=10)))
        for number in (2, 3)
    ]
    found = foresee(course(page(first, 0), *late, passages=(step(1, 5),)))
    assert [doubt.message[:17] for doubt in found] == ["Ana's rule 2 (sms", "Ana's rule 3 (sms"]


def test_the_fallback_may_page_late_but_not_nobody() -> None:
    ended = replace(FALLBACK, ended_at=after(10))
    last = step(0, 5, run=ended)
    assert kinds(course(page(last, 30))) == []
    nobody = step(0, 5, run=ended, reached=False)
    assert kinds(course(page(step(0, 0), 0), passages=(nobody,))) == [DoubtKind.ENDS_WITH_NOBODY]


def test_a_page_dropped_by_a_supposed_answer_is_no_doubt() -> None:
    first = step(0, 0)
    dropped = page(first, 10, fate=Fate.DROPPED)
    supposed = course(
        page(first, 0), dropped, policy_answered_at=after(5), is_assumed_answered=True
    )
    assert kinds(supposed) == []
    by_a_step = course(page(first, 0), dropped, policy_answered_at=after(5))
    assert kinds(by_a_step) == [DoubtKind.RULE_NEVER_FIRES]


def test_nobody_is_paged_unless_something_leaves() -> None:
    waits = page(step(0, 0), 10, fate=Fate.WAITS)
    (doubt,) = foresee(course(waits))
    assert doubt.message == "Nobody is paged at all before its end."
    failed = page(step(0, 0), 0, fate=Fate.FAILED)
    assert kinds(course(failed)) == [DoubtKind.NOBODY_IS_PAGED, DoubtKind.CHANNEL_NOT_SET_UP]


def test_somebody_who_is_paged_another_way_is_not_left_out() -> None:
    skips = (Skipped(7, "Ana", "has switched sms off"), OFF)
    reached = step(0, 0, skipped=skips)
    (doubt,) = foresee(course(page(reached, 0)))
    assert (doubt.kind, doubt.user_id, doubt.step) == (DoubtKind.PERSON_LEFT_OUT, 8, 0)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (["high"], []),
        (["high", "critical", "low"], []),
        (["high", "low", "high"], [DoubtKind.SEVERITY_GOES_ROUND]),
    ],
)
def test_a_severity_that_comes_back_goes_round(seen: list[str], expected: list[DoubtKind]) -> None:
    made = course(page(step(0, 0), 0), severities=[Severity(one) for one in seen])
    assert kinds(made) == expected


def test_a_policy_that_is_cancelled_for_another_reason_does_not_stop_itself() -> None:
    cancelled = replace(PRIMARY, was_cancelled=True)
    one = course(page(step(0, 0), 0), runs=(cancelled,), severities=[Severity.HIGH])
    two = replace(one, severities=[Severity.HIGH, Severity.LOW])
    assert kinds(one) == []
    assert kinds(two) == [DoubtKind.POLICY_STOPS_ITSELF]


def test_no_wait_at_the_end_is_told_of_policies_alone() -> None:
    hasty = [replace(run, final_delay=timedelta()) for run in (PRIMARY, FALLBACK)]
    assert kinds(course(page(step(0, 0), 0), runs=hasty)) == [DoubtKind.NO_TIME_TO_ANSWER]


def test_spans_and_addresses_as_people_know_them() -> None:
    assert minutes(timedelta(seconds=90)) == "1.5 minutes"
    assert minutes(timedelta(minutes=1)) == "1 minute"
    assert masked(Channel.EMAIL, "ana@example.org") == "a…@example.org"
    assert masked(Channel.SMS, "+49301234567") == "+49…67"
    assert masked(Channel.PUSH, "https://push.example.org/…") == "https://push.example.org/…"
