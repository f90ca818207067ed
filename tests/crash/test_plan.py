"""The schedule follows from the seed; what alerts owe, worked out by hand and compared."""

import itertools
from collections import Counter

import pytest

from tests.crash import plan as planning
from tests.crash.plan import CALM, TAKES, DatabaseFault, SinkFault
from tests.crash.scenario import FALLBACK, HOOK, MAIL, NEVER, POLICIES, Owed, owed_by

SLOTS = ("serve", "serve", "worker", "worker")


def some(sink: str, seed: int = 5, count: int = 2000) -> list[planning.Order | None]:
    return list(itertools.islice(planning.troubles(seed, sink), count))


def test_the_same_seed_plans_the_same_and_another_one_something_else() -> None:
    first, second, other = (planning.make(s, 60, slots=SLOTS, kills=40) for s in (5, 5, 6))
    assert first == second
    for part in ("kills", "breaks", "alerts"):
        assert getattr(first, part) != getattr(other, part)
    assert some(MAIL) == some(MAIL)
    assert some(MAIL) != some(MAIL, seed=6)
    assert some(MAIL) != some(HOOK)


@pytest.mark.parametrize(("duration", "kills"), [(30, 20), (60, 20), (300, 200)])
def test_a_plan_has_the_kills_it_must_have_and_a_calm_beginning(
    duration: float, kills: int
) -> None:
    made = planning.make(1, duration, slots=SLOTS, kills=kills)
    assert len(made.kills) >= kills
    assert {kill.slot for kill in made.kills} == {0, 1, 2, 3}
    for planned in (*made.kills, *made.breaks):
        assert CALM <= planned.at <= duration
    by_slot = Counter(kill.slot for kill in made.kills)
    assert by_slot[0] == by_slot[1] < by_slot[2] == by_slot[3]
    assert list(made.kills) == sorted(made.kills, key=lambda kill: kill.at)


def test_even_a_short_run_breaks_the_database_in_every_way() -> None:
    made = planning.make(1, 60, slots=SLOTS, kills=20)
    assert {planned.fault for planned in made.breaks} == set(DatabaseFault)


def test_sinks_trouble_some_messages_in_every_way_and_most_not_at_all() -> None:
    orders = some(MAIL)
    assert {order.fault for order in orders if order} == set(SinkFault)
    assert 0.03 < sum(order is not None for order in orders) / len(orders) < 0.2
    assert any(order and order.fault in TAKES for order in orders)


def test_alerts_go_on_when_the_faults_are_over() -> None:
    made = planning.make(1, 60, slots=SLOTS, kills=20)
    assert made.alerts[0].at < CALM
    assert 60 < made.alerts[-1].at <= made.last_alert_at
    assert len({alert.token for alert in made.alerts}) == len(made.alerts)


def test_a_problem_that_is_resolved_is_not_told_again() -> None:
    for alert in planning.make(1, 300, slots=SLOTS, kills=20).alerts:
        if alert.answer and alert.answer.kind != "acknowledge":
            assert alert.again is None


def test_what_matches_no_policy_owes_the_last_resort_one_page() -> None:
    assert owed_by("low", None) == [Owed("fay@example.org", FALLBACK, 0, 0, 0.0)]


def test_two_policies_owe_both_their_pages() -> None:
    assert owed_by("low", "payments") == [  # Dan takes calls only from high up
        Owed("dan@example.org", "Payments", 0, 0, 1.5),
        Owed("ana@example.org", "Payments", 0, 1, 6.0),
    ]
    assert len(owed_by("high", "payments")) == len(owed_by("high", None)) + 3


def test_a_step_that_reaches_nobody_hands_over_at_once() -> None:
    assert owed_by("medium", None) == [
        Owed("/hook/eve", "Nobody first", 0, 1, 0.0),  # her mail is switched off
        Owed("ana@example.org", "Nobody first", 0, 2, 3.0),
    ]


def test_a_ladder_repeats_and_then_pages_the_last_resort() -> None:
    first = [
        Owed("ana@example.org", "Worst first", 0, 0, 0.0),
        Owed("/hook/ben", "Worst first", 0, 1, 3.0),
        Owed("ben@example.org", "Worst first", 0, 1, 6.0),
        Owed("cyn@example.org", "Worst first", 0, 2, 6.0),
        Owed("/hook/cyn", "Worst first", 0, 2, 6.0),
        Owed("/step/worst", "Worst first", 0, 2, 6.0),
    ]
    again = [Owed(o.address, o.policy, 1, o.step, o.after + 9.0) for o in first]
    last = [Owed("fay@example.org", FALLBACK, 0, 0, 18.0)]
    assert owed_by("critical", None) == first + again + last


def test_only_one_ladder_ends_within_a_run() -> None:
    assert [policy.name for policy in POLICIES if policy.final < NEVER] == ["Worst first"]
