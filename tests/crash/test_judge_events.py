"""The judge of what subscriptions were told, on books made by hand."""

from dataclasses import replace

import pytest

from tests.crash.judge import judge
from tests.crash.judge_events import EventVerdict, judge_events
from tests.crash.ledger import Accepted, Answered, Arrival, Books, Fault
from tests.crash.scenario import EVENT, Subscription

SLOT = 8001
ALL, WORST = Subscription("all"), Subscription("worst", ("critical",))
OPENED = Arrival(
    EVENT, ALL.address, "mark-1", began=100.2, kind="incident.created", token="t", tells="opened",
    slot=SLOT, taken_at=100.2, answered_at=100.3,
)  # fmt: skip
ACKNOWLEDGED = replace(
    OPENED, mark="mark-2", kind="incident.status_changed", tells="acknowledged",
    began=105.0, taken_at=105.0, answered_at=105.1,
)  # fmt: skip
KILL = Fault("kill", "kill worker", 100.25, 100.25, SLOT)


def books(*arrivals: Arrival, severity: str = "low", **fields: object) -> Books:
    """One alert, which owes its opening to one subscription, and what came of it."""
    alert = Accepted("t", severity, None, first_request=100.0, answered_at=100.1, incidents=[7])
    fields.setdefault("subscriptions", (ALL,))
    return Books([alert], arrivals=list(arrivals), **fields)  # type: ignore[arg-type]


def answered(kind: str = "acknowledge", at: float | None = 104.9, **fields: object) -> Answered:
    return Answered("t", kind, first_request=104.8, answered_at=at, **fields)  # type: ignore[arg-type]


def verdict(*arrivals: Arrival, **fields: object) -> EventVerdict:
    return judge_events(books(*arrivals, **fields))  # type: ignore[arg-type]


def later(arrival: Arrival, seconds: float = 30.0, **changes: object) -> Arrival:
    """The same message once more."""
    assert arrival.taken_at is not None
    times = {
        "began": arrival.began + seconds,
        "taken_at": arrival.taken_at + seconds,
        "answered_at": arrival.taken_at + seconds + 0.1,
    }
    return replace(arrival, **{**times, **changes})  # type: ignore[arg-type]


def test_what_came_once_is_green() -> None:
    found = verdict(OPENED)
    assert (found.owed, found.delivered, found.delivered_once) == (1, 1, 1)
    assert found.reasons(5) == []


def test_what_never_came_is_lost() -> None:
    found = verdict()
    assert (found.owed, found.delivered, found.lost) == (1, 0, 1)
    assert found.reasons(5) == [
        "1 event(s) that a subscription was never told: “opened” of t to /events/all"
    ]


def test_a_lost_event_turns_the_whole_run_red() -> None:
    assert judge(books(), kills_wanted=0).events.lost == 1
    assert any("never told" in reason for reason in judge(books(), kills_wanted=0).reasons)


def test_what_was_taken_but_never_said_so_is_still_owed() -> None:
    assert verdict(replace(OPENED, answered_at=None, fault="reset")).lost == 1


def test_what_was_refused_is_still_owed_and_its_retry_is_no_copy() -> None:
    refused = replace(OPENED, taken_at=None, answered_at=None, fault="error")
    assert verdict(refused).lost == 1
    found = verdict(refused, later(OPENED))
    assert (found.lost, found.refused, found.resent, found.delivered_once) == (0, 1, 0, 1)


@pytest.mark.parametrize(
    ("kind", "tells"),
    [("acknowledge", "acknowledged"), ("resolve", "resolved"), ("recover", "resolved")],
)
def test_an_answer_is_owed_beside_the_opening(kind: str, tells: str) -> None:
    given = {"answers": [answered(kind)]}
    assert (verdict(OPENED, **given).owed, verdict(OPENED, **given).lost) == (2, 1)
    found = verdict(OPENED, replace(ACKNOWLEDGED, tells=tells), **given)
    assert (found.delivered, found.lost, found.wrong) == (2, 0, 0)


@pytest.mark.parametrize("answer", [answered(at=None), answered(refusal="409")])
def test_an_answer_that_nobody_confirmed_may_be_told_and_is_not_owed(answer: Answered) -> None:
    for arrivals in ((OPENED,), (OPENED, ACKNOWLEDGED)):
        found = verdict(*arrivals, answers=[answer])
        assert (found.owed, found.lost, found.wrong) == (1, 0, 0)


def test_an_alert_that_nobody_answered_is_not_owed_either() -> None:
    given = books(OPENED)
    given.alerts[0].answered_at = None
    found = judge_events(given)
    assert (found.owed, found.wrong) == (0, 0)


@pytest.mark.parametrize(
    "stray",
    [
        ACKNOWLEDGED,  # nobody answered
        replace(OPENED, mark="mark-3", token="unknown"),
        replace(OPENED, mark="mark-3", token=None),
        replace(OPENED, mark="mark-3", tells="reopened"),
        replace(OPENED, mark="mark-3", address=WORST.address),  # its filter stands against it
    ],
)
def test_what_never_happened_or_is_not_wanted_is_wrong(stray: Arrival) -> None:
    found = verdict(OPENED, stray, subscriptions=(ALL, WORST))
    assert (found.wrong, found.lost) == (1, 0)
    assert found.reasons(5)


def test_every_subscription_that_wants_it_is_owed_it() -> None:
    found = verdict(OPENED, severity="critical", subscriptions=(ALL, WORST))
    assert (found.owed, found.lost) == (2, 1)
    assert found.examples["lost"] == ["“opened” of t to /events/worst"]


def test_two_marks_for_one_event_are_doubled_whatever_was_broken() -> None:
    other = later(OPENED, mark="mark-9")
    found = verdict(replace(OPENED, fault="reset"), other, faults=[KILL])
    assert (found.doubled, found.resent) == (1, 0)


def test_one_mark_twice_is_a_resend_only_where_a_fault_excuses_it() -> None:
    assert verdict(OPENED, later(OPENED)).doubled == 1
    found = verdict(OPENED, later(OPENED), faults=[KILL])
    assert (found.doubled, found.resent, found.delivered_once) == (0, 1, 0)
    elsewhere = replace(KILL, slot=SLOT + 1)
    assert verdict(OPENED, later(OPENED), faults=[elsewhere]).doubled == 1
    assert verdict(replace(OPENED, fault="stall"), later(OPENED)).resent == 1


def test_one_mark_on_two_events_is_wrong() -> None:
    answers = [answered()]
    found = verdict(OPENED, replace(ACKNOWLEDGED, mark=OPENED.mark), answers=answers)
    assert found.wrong == 1


def test_copies_of_events_and_of_pages_are_counted_apart() -> None:
    found = judge(books(OPENED, later(OPENED), faults=[KILL]), kills_wanted=0)
    assert (found.resent, found.events.resent) == (0, 1)
    assert (found.doubled, found.wrong) == (0, 0)
