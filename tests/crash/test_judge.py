"""The judge, on books made by hand: what it must see, and what it must not mistake for it."""

from dataclasses import replace

import pytest

from tests.crash.copies import RECORDING, RECORDING_STUBBORNLY
from tests.crash.judge import CROSSING, Verdict, judge
from tests.crash.ledger import USUAL_START, Accepted, Answered, Arrival, Books, Fault
from tests.crash.scenario import FALLBACK, HOOK, MAIL, PEOPLE

SLOT = 8001
FAY = PEOPLE["fay"].address(MAIL)
BEN = PEOPLE["ben"].address(HOOK)
LOW_PAGE = Arrival(
    MAIL, FAY, "<1@example.org>", began=100.2, token="t", policy=FALLBACK, loop=0, step=0,
    slot=SLOT, taken_at=100.2, answered_at=100.3,
)  # fmt: skip


def books(*arrivals: Arrival, faults: tuple[Fault, ...] = (), **fields: object) -> Books:
    """One alert of low severity, which owes one page to the fallback, and what came of it."""
    alert = Accepted("t", "low", None, first_request=100.0, answered_at=100.1, incidents=[7])
    return Books([alert], arrivals=list(arrivals), faults=list(faults), **fields)  # type: ignore[arg-type]


def verdict(given: Books, kills_wanted: int = 0) -> Verdict:
    return judge(given, kills_wanted=kills_wanted)


def later(seconds: float, arrival: Arrival = LOW_PAGE, **changes: object) -> Arrival:
    """The same message once more."""
    times = {
        name: getattr(arrival, name) + seconds
        for name in ("began", "taken_at", "answered_at", "claimed_at")
        if getattr(arrival, name) is not None
    }
    return replace(arrival, **{**times, **changes})  # type: ignore[arg-type]


def kill(at: float, slot: int | None = SLOT) -> Fault:
    return Fault("kill", "kill serve", at, at, slot)


def answered(at: float, **fields: object) -> Answered:
    return Answered("t", "acknowledge", first_request=at - 0.1, answered_at=at, **fields)  # type: ignore[arg-type]


def test_what_came_once_is_green() -> None:
    found = verdict(books(LOW_PAGE))
    assert found.is_green
    assert (found.accepted, found.promised, found.delivered, found.delivered_once) == (1, 1, 1, 1)
    assert found.lateness == [pytest.approx(0.1)]


def test_what_never_came_is_lost() -> None:
    found = verdict(books())
    assert (found.lost, found.promised, found.delivered) == (1, 1, 0)
    assert not found.is_green
    assert "t to fay@example.org (“fallback”, round 1, step 1) never came" in found.reasons[0]


def test_what_a_sink_took_but_never_said_so_is_still_owed() -> None:
    found = verdict(books(replace(LOW_PAGE, answered_at=None, fault="reset")))
    assert found.lost == 1


def test_what_a_sink_refused_is_still_owed_and_its_retry_is_no_copy() -> None:
    refused = replace(LOW_PAGE, taken_at=None, answered_at=None, fault="error")
    assert verdict(books(refused)).lost == 1
    found = verdict(books(refused, later(2)))
    assert found.is_green
    assert (found.delivered_once, found.refused, found.resent) == (1, 1, 0)


def test_what_the_product_shows_as_failed_is_failed_and_red() -> None:
    found = verdict(books(failed={7: 1}))
    assert (found.failed, found.lost) == (1, 0)
    assert not found.is_green
    assert verdict(books(failed={8: 1})).lost == 1, "another incident’s failure explains nothing"


def test_two_marks_for_one_page_are_doubled_whatever_was_broken() -> None:
    other = later(1, mark="<2@example.org>")
    found = verdict(books(replace(LOW_PAGE, fault="reset"), other, faults=(kill(100.3),)))
    assert found.doubled == 1
    assert not found.is_green


def test_one_mark_twice_is_doubled_where_nothing_disturbed_the_first() -> None:
    found = verdict(books(LOW_PAGE, later(30)))
    assert (found.doubled, found.resent) == (1, 0)
    assert "though nothing disturbed it" in found.reasons[0]


@pytest.mark.parametrize(
    "first",
    [
        replace(LOW_PAGE, fault="stall"),
        replace(LOW_PAGE, fault="silence", answered_at=None),
        replace(LOW_PAGE, answered_at=None),
    ],
)
def test_a_copy_after_a_fault_of_the_sink_is_a_resend(first: Arrival) -> None:
    found = verdict(books(first, later(30)))
    assert (found.doubled, found.resent, found.is_green) == (0, 1, True)


@pytest.mark.parametrize(
    ("fault", "is_excuse"),
    [
        (kill(100.25), True),
        (kill(100.3 + RECORDING - 0.1), True),
        (kill(100.3 + RECORDING + 0.1), False),
        (kill(100.0), False),
        (kill(100.25, slot=SLOT + 1), False),
        (Fault("database", "fast restart", 99.0, 101.0), True),
        (Fault("database", "fast restart", 98.0, 99.0), False),
        (Fault("database", "connections cut", 100.3 + RECORDING_STUBBORNLY + 1, 200.0), False),
        (Fault("sink", "mail: error", 100.25, 100.25), False),
    ],
)
def test_only_a_fault_on_that_very_send_excuses_a_copy(fault: Fault, is_excuse: bool) -> None:
    found = verdict(books(LOW_PAGE, later(30), faults=(fault,)))
    assert (found.resent, found.doubled) == ((1, 0) if is_excuse else (0, 1))


def test_what_came_again_before_the_fault_has_no_excuse() -> None:
    found = verdict(books(LOW_PAGE, later(0.2), faults=(kill(100.9),)))
    assert (found.resent, found.doubled) == (0, 1)


def test_where_everything_is_slow_recording_and_crossing_are_slow_too() -> None:
    faults = (kill(100.3 + 2 * RECORDING),)
    slow = [3 * USUAL_START] * 3
    assert verdict(books(LOW_PAGE, later(30), faults=faults)).doubled == 1
    assert verdict(books(LOW_PAGE, later(30), faults=faults, starts=slow)).resent == 1
    late = later(2 * CROSSING)
    assert verdict(books(late, answers=[answered(100.15)])).after_answer == 1
    assert verdict(books(late, answers=[answered(100.15)], starts=slow)).crossed == 1


def test_three_copies_need_two_excuses() -> None:
    first = replace(LOW_PAGE, fault="reset", answered_at=None)
    found = verdict(books(first, later(30), later(60)))
    assert (found.resent, found.doubled) == (1, 1)


def test_a_page_that_nobody_owes_is_wrong() -> None:
    stray = replace(LOW_PAGE, address="ana@example.org", mark="<9@example.org>")
    found = verdict(books(LOW_PAGE, stray))
    assert found.wrong == 1
    assert "t to ana@example.org" in found.reasons[0]
    assert verdict(books(LOW_PAGE, replace(stray, token="unknown"))).wrong == 1
    assert verdict(books(LOW_PAGE, replace(stray, token=None))).wrong == 1


def test_a_step_that_is_not_in_the_policy_is_wrong() -> None:
    assert verdict(books(LOW_PAGE, later(1, mark="<9@x>", loop=1))).wrong == 1


def test_one_mark_on_two_messages_is_wrong() -> None:
    given = books(LOW_PAGE, later(1, kind="other", token=None, address="ben@example.org"))
    assert verdict(given).wrong == 1


def test_a_page_before_its_time_is_seen() -> None:
    early = replace(LOW_PAGE, began=99.0, taken_at=99.1, answered_at=99.1)
    found = verdict(books(early))
    assert (found.early, found.is_green) == (1, False)


def test_on_an_answered_incident_what_did_not_come_is_called_off() -> None:
    found = verdict(books(LOW_PAGE, answers=[answered(105)]))
    assert found.is_green
    given = books(answers=[answered(105)])
    given.alerts[0].severity = "critical"
    found = verdict(given)
    assert (found.lost, found.called_off) == (0, 13)


def test_what_was_leased_after_the_answer_came_too_late() -> None:
    page = replace(LOW_PAGE, channel=HOOK, claimed_at=100.2)
    on_its_way = verdict(books(page, answers=[answered(100.15)]))
    assert (on_its_way.after_answer, on_its_way.crossed) == (0, 1)
    late = later(0.1, page)
    found = verdict(books(late, answers=[answered(100.15)]))
    assert (found.after_answer, found.is_green) == (1, False)


def test_what_does_not_say_when_it_was_leased_has_a_moment() -> None:
    assert verdict(books(LOW_PAGE, answers=[answered(100.15)])).crossed == 1
    late = later(CROSSING)
    assert verdict(books(late, answers=[answered(100.15)])).after_answer == 1


def test_what_came_before_the_answer_is_none_of_its_business() -> None:
    found = verdict(books(LOW_PAGE, answers=[answered(100.25)]))
    assert (found.after_answer, found.crossed, found.is_green) == (0, 0, True)


def test_an_attempt_after_the_answer_counts_even_if_the_sink_refused_it() -> None:
    refused = replace(later(20), taken_at=None, answered_at=None, fault="error")
    assert verdict(books(LOW_PAGE, refused, answers=[answered(101)])).after_answer == 1


def test_an_answer_that_nobody_confirmed_calls_off_but_forbids_nothing() -> None:
    unsure = Answered("t", "resolve", first_request=101.0)
    assert verdict(books(later(50), answers=[unsure])).is_green
    assert verdict(books(answers=[unsure])).lost == 0


def test_the_first_answer_that_took_effect_counts() -> None:
    given = books(later(20), answers=[answered(200), answered(101)])
    assert verdict(given).after_answer == 1


def test_an_alert_that_nobody_answered_owes_nothing_and_is_red() -> None:
    given = books()
    given.alerts[0].answered_at = None
    found = verdict(given)
    assert (found.accepted, found.unanswered, found.lost) == (0, 1, 0)
    assert not found.is_green


def test_a_page_of_an_alert_whose_answer_was_lost_is_no_wrong_one() -> None:
    given = books(LOW_PAGE)
    given.alerts[0].answered_at = None
    assert verdict(given).wrong == 0


def test_lateness_counts_from_when_the_alert_was_answered() -> None:
    given = books(later(10))
    given.alerts[0].answered_at = 105.0
    assert verdict(given).lateness == [pytest.approx(5.2)]


def test_only_a_page_that_was_due_and_came_in_calm_is_calm() -> None:
    spans = [(90.0, 101.0), (120.0, 200.0)]
    assert len(judge(books(LOW_PAGE), kills_wanted=0, calm=spans).lateness_calm) == 1
    assert judge(books(later(5)), kills_wanted=0, calm=spans).lateness_calm == []
    assert judge(books(later(25)), kills_wanted=0, calm=spans).lateness_calm == []


def test_one_problem_has_one_incident() -> None:
    given = books(LOW_PAGE)
    given.alerts[0].incidents = [7, 7, 8]
    assert "alert t opened several incidents: #7, #8" in verdict(given).reasons


def test_a_refusal_that_cannot_be_repeated_is_red() -> None:
    given = books(LOW_PAGE)
    given.alerts[0].refusal = "POST /v1/webhooks/alerts: 422"
    assert "t: POST /v1/webhooks/alerts: 422" in verdict(given).reasons


def test_too_few_kills_are_red() -> None:
    assert verdict(books(LOW_PAGE, faults=(kill(10.0),)), kills_wanted=1).is_green
    found = verdict(books(LOW_PAGE, faults=(kill(10.0),)), kills_wanted=2)
    assert found.reasons == ["only 1 kills of the 2 that it takes"]


def test_a_run_that_paged_nobody_shows_nothing() -> None:
    assert not judge(Books(), kills_wanted=0).is_green
