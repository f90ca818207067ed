"""The urgency of an incident picks the set of rules by which somebody is paged."""

from datetime import UTC, datetime

import pytest

from app.domain.contact_method import doubts
from app.domain.incident import Severity, Urgency
from app.domain.notification import Channel, Recipient, fan_out
from tests.domain.people import make_recipient, make_rule

DUE = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
EMAIL, SMS, PUSH = Channel.EMAIL, Channel.SMS, Channel.PUSH
LOUD = make_rule(1, SMS, urgency=Urgency.HIGH)
QUIET = make_rule(2, EMAIL, urgency=Urgency.LOW, after=30)
EITHER = make_rule(3, PUSH)


def told(recipient: Recipient, urgency: Urgency, *channels: Channel) -> tuple[list[int], list[str]]:
    """By which rules somebody is paged, and why not by others."""
    pages, skipped = fan_out(
        recipient, channels=channels, severity=Severity.MEDIUM, urgency=urgency, due_at=DUE
    )
    return [page.rule_id for page in pages], [one.reason for one in skipped]


@pytest.mark.parametrize(("urgency", "rules"), [(Urgency.HIGH, [1, 3]), (Urgency.LOW, [2, 3])])
def test_each_urgency_has_its_own_rules_and_those_for_both(
    urgency: Urgency, rules: list[int]
) -> None:
    assert told(make_recipient(LOUD, QUIET, EITHER), urgency) == (rules, [])


def test_somebody_without_a_rule_for_an_urgency_is_told_of() -> None:
    assert told(make_recipient(LOUD), Urgency.LOW) == (
        [],
        ["has no rule for any channel at low urgency"],
    )


def test_the_channel_counts_too() -> None:
    assert told(make_recipient(LOUD, QUIET), Urgency.LOW, SMS) == (
        [],
        ["has no rule for sms at low urgency"],
    )


def test_without_any_rule_the_urgency_is_not_to_blame() -> None:
    assert told(make_recipient(), Urgency.LOW)[1] == ["has no rule for any channel"]


def test_a_set_for_each_urgency_leaves_no_doubt() -> None:
    assert doubts(make_recipient(LOUD, make_rule(2, EMAIL, urgency=Urgency.LOW))) == []


@pytest.mark.parametrize(("rule", "missing"), [(LOUD, "low"), (QUIET, "high")])
def test_an_urgency_that_nothing_is_for_is_doubtful(rule: object, missing: str) -> None:
    found = doubts(make_recipient(rule))  # type: ignore[arg-type]
    assert found[0] == (
        f"Ana is not paged for incidents of {missing} urgency: no rule that can be used is for"
        " them. Add one, or leave the urgency out."
    )
