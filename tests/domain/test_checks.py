"""Checks before the night: each hole is found, named and, once it is closed, gone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.domain.checks import AHEAD, MOST_OF_ONE_KIND, findings, people_wanted
from app.domain.finding import (
    Crew,
    FailingCalendar,
    Finding,
    Gravity,
    Policy,
    Rota,
    ServiceSetUp,
    SetUp,
    SilentMonitor,
)
from app.domain.incident import Urgency
from app.domain.notification import Channel, Recipient, Rule
from app.domain.timeline import Interval, Stretch

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
END = NOW + AHEAD


def person(number: int, **changed: Any) -> Recipient:
    rule = Rule(number, Channel.EMAIL, number, is_verified=True, delay=timedelta())
    return replace(Recipient(number, f"Person {number}", True, "UTC", (rule,)), **changed)


def rota(number: int, *stretches: tuple[datetime, datetime, int]) -> Rota:
    return Rota(number, f"Rota {number}", [Stretch(a, b, (who,)) for a, b, who in stretches])


def policy(number: int, *targets: Any, **conditions: Any) -> Policy:
    steps = [
        {"delay_minutes": 0, "actions": [{"type": "notify", "target": target}]}
        for target in targets
    ]
    return Policy(number, f"Policy {number}", conditions, steps)


def setup(*people: Recipient, **given: Any) -> SetUp:
    known = {one.user_id: one for one in people}
    return SetUp(Interval(NOW, END), people=known, **given)


def codes(found: list[Finding]) -> list[str]:
    return [str(one.code) for one in found]


WHOLE = rota(1, (NOW, END, 1))


def test_what_is_whole_has_no_finding() -> None:
    whole = setup(
        person(1),
        rotas=[WHOLE],
        policies=[policy(1, {"schedule": 1}, "on_call", "assignees")],
        services=[ServiceSetUp(1, "db", None, 1)],
        teams=[Crew(1, "Data", (1,))],
        admins={1},
    )
    assert findings(whole) == []


def test_a_gap_is_told_with_its_times_and_more_of_them_by_number() -> None:
    hours = [NOW + timedelta(hours=6 * turn) for turn in range(9)]
    stretches = [(at, at + timedelta(hours=5), 1) for at in hours]
    stretches.append((hours[-1] + timedelta(hours=5), END, 1))
    (found,) = findings(setup(person(1), rotas=[rota(7, *stretches)]))
    assert (found.code, found.place, found.link) == (
        "SCHEDULE_HAS_GAPS",
        "schedule:7",
        "/v1/schedules/7",
    )
    assert "from 2026-11-21 17:00 to 2026-11-21 18:00 UTC" in found.message
    assert "and in 5 more gaps" in found.message


def test_a_schedule_with_nobody_is_worse_than_a_gap() -> None:
    (found,) = findings(setup(rotas=[rota(7)]))
    assert (found.code, found.severity) == ("SCHEDULE_IS_EMPTY", Gravity.CRITICAL)


def test_somebody_on_two_schedules_at_once_is_told_once() -> None:
    day = timedelta(days=1)
    first = rota(1, (NOW, NOW + 20 * day, 1), (NOW + 20 * day, END, 2))
    second = rota(2, (NOW, NOW + 2 * day, 2), (NOW + 2 * day, END, 1))
    found = findings(setup(person(1), person(2), rotas=[first, second]))
    assert [(one.code, one.place) for one in found] == [
        ("ON_TWO_SCHEDULES", "user:1:schedules:1,2"),
    ]
    assert "2026-11-23 12:00" in found[0].message


def test_one_after_the_other_is_not_at_once() -> None:
    noon = NOW + timedelta(days=3)
    first = rota(1, (NOW, noon, 1), (noon, END, 2))
    second = rota(2, (NOW, noon, 2), (noon, END, 1))
    assert findings(setup(person(1), person(2), rotas=[first, second])) == []


def test_people_who_cannot_be_paged_are_found_wherever_they_are() -> None:
    gone = person(1, is_active=False)
    for where in (
        {"rotas": [WHOLE]},
        {"teams": [Crew(1, "Data", (1, 2))]},
        {"policies": [policy(1, {"round_robin": [1, 2]})]},
    ):
        (found,) = findings(setup(gone, person(2), **where))
        assert (found.code, found.place) == ("PERSON_DEACTIVATED", "user:1")
    bare = setup(person(1, rules=()), rotas=[WHOLE])
    assert codes(findings(bare)) == ["NO_VERIFIED_CONTACT"]
    unverified = replace(person(1).rules[0], is_verified=False)
    assert codes(findings(setup(person(1, rules=(unverified,)), rotas=[WHOLE]))) == [
        "NO_VERIFIED_CONTACT"
    ]
    silent = setup(person(1), rotas=[WHOLE], unconfigured={Channel.EMAIL})
    assert codes(findings(silent)) == ["NO_VERIFIED_CONTACT"]
    assert findings(setup(gone)) == []  # nobody counts on them


def test_a_rule_for_one_urgency_leaves_the_other_open() -> None:
    rule = replace(person(1).rules[0], urgency=Urgency.LOW)
    (found,) = findings(setup(person(1, rules=(rule,)), rotas=[WHOLE]))
    assert (found.code, found.place) == ("NO_RULE_FOR_URGENCY", "user:1:high")
    assert found.severity is Gravity.CRITICAL
    rule = replace(rule, urgency=Urgency.HIGH)
    (found,) = findings(setup(person(1, rules=(rule,)), rotas=[WHOLE]))
    assert (found.place, found.severity) == ("user:1:low", Gravity.WARNING)


def test_a_step_that_can_mean_nobody_is_found() -> None:
    empty = {"rotas": [rota(2)], "teams": [Crew(3, "Ghosts", (), owns_something=False)]}
    for target in ({"schedule": 2}, {"team": 3}, "admins", {"schedule": 99}):
        found = findings(setup(person(1), policies=[policy(4, {"user": 1}, target)], **empty))
        told = [one for one in found if one.code == "STEP_REACHES_NOBODY"]
        assert [one.place for one in told] == ["policy:4:step:1"], target
    for target in ("assignees", "creator", "on_call", {"user": 1}):
        found = findings(setup(person(1), policies=[policy(4, target)], **empty))
        assert "STEP_REACHES_NOBODY" not in codes(found), target


def test_a_policy_that_no_incident_can_match_is_found() -> None:
    conditions = {"severity": {"in": ["high"], "not_in": ["high"]}}
    (found,) = findings(setup(person(1), policies=[policy(1, {"user": 1}, **conditions)]))
    assert found.code == "POLICY_NEVER_MATCHES"
    assert "conditions.severity" in found.message


def test_a_service_needs_a_policy_and_a_schedule_if_one_asks_for_it() -> None:
    bare = ServiceSetUp(1, "db", None, None)
    assert codes(findings(setup(services=[bare]))) == ["SERVICE_WITHOUT_POLICY"]
    others = policy(1, {"user": 1}, service=["web"])
    assert codes(findings(setup(person(1), services=[bare], policies=[others]))) == [
        "SERVICE_WITHOUT_POLICY"
    ]
    pinned = replace(bare, policy_id=1)
    assert findings(setup(person(1), services=[pinned], policies=[others])) == []
    asks = policy(2, "on_call")
    assert codes(findings(setup(services=[bare], policies=[asks]))) == ["SERVICE_WITHOUT_SCHEDULE"]
    assert findings(setup(services=[replace(bare, schedule_id=1)], policies=[asks])) == []


def test_calendars_monitors_and_teams_are_looked_at() -> None:
    found = findings(
        setup(
            teams=[Crew(1, "Data", ())],
            calendars=[
                FailingCalendar(1, "Bank holidays", NOW, "It answered 404."),
                FailingCalendar(2, "New", NOW, "It answered 404.", was_read=False),
            ],
            monitors=[SilentMonitor(1, "backup")],
        )
    )
    fails = ["CALENDAR_FAILS"] * 2
    assert codes(found) == [*fails, "TEAM_IS_EMPTY", "HEARTBEAT_NEVER_CAME"]
    read, never = sorted(one.message for one in found if one.code == "CALENDAR_FAILS")
    assert read.endswith("It answered 404. Its last good copy counts.")
    assert never.endswith("It was never read, so it says nothing to the schedules that follow it.")


def test_the_gravest_come_first_and_no_kind_floods_the_rest() -> None:
    rotas = [rota(number) for number in range(1, MOST_OF_ONE_KIND + 50)]
    found = findings(setup(rotas=rotas, monitors=[SilentMonitor(1, "backup")]))
    assert len(found) == MOST_OF_ONE_KIND + 1
    assert found[-1].code == "HEARTBEAT_NEVER_CAME"


def test_everybody_who_may_be_paged_is_wanted() -> None:
    asked = setup(
        rotas=[WHOLE],
        teams=[Crew(1, "Data", (2, 3))],
        policies=[policy(1, {"user": 4}, {"round_robin": [5, 6]})],
    )
    assert people_wanted(asked) == {1, 2, 3, 4, 5, 6}
