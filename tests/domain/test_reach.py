"""What may keep pages from a person is told; what does not is not."""

from dataclasses import replace
from datetime import time, timedelta

import pytest

from app.domain.contact_method import doubts, on_record, read_phone, secret_place
from app.domain.incident import Severity
from app.domain.notification import Channel, Recipient, Rule
from tests.domain.people import make_recipient, make_rule

MAIL = make_rule(1)
PHONE = make_rule(2, Channel.SMS)


def ana(*rules: Rule, off: frozenset[Channel] = frozenset(), active: bool = True) -> Recipient:
    return make_recipient(
        *rules, switched_off=off, is_active=active, time_zone="America/Argentina/Buenos_Aires"
    )


def later(rule: Rule, minutes: float) -> Rule:
    return replace(rule, delay=timedelta(minutes=minutes))


def quiet(rule: Rule, since: int, until: int) -> Rule:
    return replace(rule, quiet_from=time(since), quiet_until=time(until))


def test_one_good_rule_leaves_no_doubt() -> None:
    assert doubts(ana(MAIL)) == []


def test_nobody_can_page_somebody_without_rules() -> None:
    assert doubts(ana()) == [
        "Nobody can page Ana: there is no rule. Add one for a verified contact method."
    ]


def test_somebody_deactivated_is_not_paged_whatever_the_rules() -> None:
    assert doubts(ana(MAIL, active=False)) == ["Ana is deactivated and is not paged."]


def test_a_rule_that_cannot_page_is_told_by_its_number_and_reason() -> None:
    rules = ana(MAIL, replace(PHONE, is_verified=False))
    assert doubts(rules) == [
        "Rule 2 pages nobody until its contact method for sms is verified."
        " Enter the code that was sent to it, or send a new one."
    ]
    assert doubts(ana(PHONE, MAIL, off=frozenset({Channel.SMS}))) == [
        "Rule 1 pages nobody while sms is switched off."
    ]
    assert doubts(ana(PHONE, MAIL), unconfigured={Channel.SMS}) == [
        "Rule 1 pages nobody: sms is not set up in this installation. An admin can set it up."
    ]


@pytest.mark.parametrize(
    ("rule", "off", "unconfigured"),
    [
        (replace(MAIL, is_verified=False), frozenset(), ()),
        (MAIL, frozenset({Channel.EMAIL}), ()),
        (MAIL, frozenset(), {Channel.EMAIL}),
    ],
)
def test_rules_of_which_none_works_are_as_bad_as_none(
    rule: Rule, off: frozenset[Channel], unconfigured: set[Channel]
) -> None:
    first, second = doubts(ana(rule, off=off), unconfigured=unconfigured)
    assert first == "Nobody can page Ana: no rule can be used as it stands."
    assert second.startswith("Rule 1 pages nobody")


def test_a_first_page_that_comes_late_is_told() -> None:
    assert doubts(ana(later(MAIL, 5), later(PHONE, 1))) == [
        "Nothing pages Ana at once: the first page comes 1 minute later."
    ]
    assert doubts(ana(later(MAIL, 2.5))) == [
        "Nothing pages Ana at once: the first page comes 2.5 minutes later."
    ]
    assert doubts(ana(later(MAIL, 5), PHONE)) == []
    # What pages at once and cannot be used does not count.
    assert len(doubts(ana(later(MAIL, 5), PHONE), unconfigured={Channel.SMS})) == 2


def test_severities_that_page_nobody_are_told() -> None:
    only_bad = replace(MAIL, min_severity=Severity.HIGH)
    assert doubts(ana(only_bad)) == [
        "Ana is not paged for medium or low incidents: every rule asks for worse."
    ]
    assert doubts(ana(only_bad, PHONE)) == []


@pytest.mark.parametrize(
    ("rules", "at"),
    [
        ((quiet(MAIL, 22, 6),), "22:00"),
        ((quiet(MAIL, 22, 6), quiet(PHONE, 5, 12)), "05:00"),
        ((quiet(MAIL, 22, 6), quiet(later(PHONE, 30), 23, 1)), "23:00"),
        ((quiet(MAIL, 22, 6), replace(PHONE, is_verified=False)), "22:00"),
    ],
)
def test_hours_that_are_quiet_for_every_rule_are_told(rules: tuple[Rule, ...], at: str) -> None:
    assert doubts(ana(*rules))[-1] == (
        f"At {at} all rules of Ana are in their quiet hours; only critical incidents page then,"
        " the others wait."
    )


@pytest.mark.parametrize(
    "rules",
    [
        (quiet(MAIL, 22, 6), PHONE),
        (quiet(MAIL, 22, 6), quiet(PHONE, 6, 22)),
    ],
)
def test_quiet_hours_that_leave_somebody_awake_are_no_doubt(rules: tuple[Rule, ...]) -> None:
    assert doubts(ana(*rules)) == []


@pytest.mark.parametrize(
    "written",
    ["+49301234567", "+49 30 1234567", "+49-30-1234567", "+49 (30) 123.45.67", "+49/30‑1234–567"],
)
def test_a_phone_number_may_be_spaced_as_people_do(written: str) -> None:
    assert read_phone(written) == "+49301234567"


@pytest.mark.parametrize(
    "written", ["", "+", "0049301234567", "+49 (0)30 1234567", "+4930123456x", "+49" + "1" * 14]
)
def test_what_cannot_be_dialled_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"country code"):
        read_phone(written)


def test_no_two_contact_methods_share_a_place_for_secrets() -> None:
    places = {
        secret_place(user, channel, address)
        for user in (1, 11)
        for channel in (Channel.CHAT, Channel.PUSH)
        for address in ("a", "1 a")
    }
    assert len(places) == 8


@pytest.mark.parametrize(
    ("channel", "address", "shown"),
    [
        (Channel.EMAIL, "ana@example.org", "ana@example.org"),
        (Channel.SMS, "+49301234567", "+49301234567"),
        (Channel.CHAT, "Slack (slack://…, 1f2e3d4c)", "Slack (slack://…, 1f2e3d4c)"),
        (
            Channel.WEBHOOK,
            "https://hooks.example.org/T1/secret?k=v#x",
            "https://hooks.example.org/…",
        ),
        (Channel.WEBHOOK, "http://ana:secret@127.0.0.1:8080/", "http://127.0.0.1:8080/…"),
        (Channel.PUSH, "https://push.example.net/wpush/v2/secret", "https://push.example.net/…"),
    ],
)
def test_the_record_of_where_a_message_went_holds_no_secret(
    channel: Channel, address: str, shown: str
) -> None:
    assert on_record(channel, address) == shown
