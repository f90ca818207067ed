"""Over what and when a person is paged, and why they are not."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from app.domain.incident import Severity
from app.domain.notification import (
    FINAL,
    LONGEST_RETRY,
    MAX_ATTEMPTS,
    WAITING,
    Channel,
    NotificationStatus,
    Page,
    Recipient,
    Skipped,
    fan_out,
    retry_delay,
)
from tests.domain.people import make_recipient, make_rule

DUE = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
EMAIL, SMS, PUSH = Channel.EMAIL, Channel.SMS, Channel.PUSH


def paged(
    recipient: Recipient, *channels: Channel, severity: Severity = Severity.HIGH
) -> list[Page]:
    return fan_out(recipient, channels=channels, severity=severity, due_at=DUE)[0]


def refused(
    recipient: Recipient, *channels: Channel, severity: Severity = Severity.HIGH
) -> list[str]:
    """Why nothing goes out over some of the rules."""
    skipped = fan_out(recipient, channels=channels, severity=severity, due_at=DUE)[1]
    assert {(skip.user_id, skip.name) for skip in skipped} <= {(recipient.user_id, recipient.name)}
    return [skip.reason for skip in skipped]


def test_a_page_names_the_person_the_rule_the_address_and_the_time() -> None:
    pages, skipped = fan_out(
        make_recipient(make_rule(3, SMS)), channels=(), severity=Severity.HIGH, due_at=DUE
    )
    assert pages == [Page(7, 3, 103, SMS, DUE)]
    assert skipped == []


def test_every_rule_gives_its_page_in_its_order() -> None:
    ana = make_recipient(make_rule(2, SMS), make_rule(1, EMAIL), make_rule(3, SMS))
    assert [page.rule_id for page in paged(ana)] == [2, 1, 3]


def test_a_later_rule_is_due_later() -> None:
    ana = make_recipient(make_rule(1), make_rule(2, SMS, after=5.5))
    assert [page.due_at - DUE for page in paged(ana)] == [timedelta(0), timedelta(minutes=5.5)]


def test_a_step_that_names_channels_uses_no_other() -> None:
    ana = make_recipient(make_rule(1, EMAIL), make_rule(2, SMS), make_rule(3, PUSH))
    assert [page.channel for page in paged(ana, PUSH, EMAIL)] == [EMAIL, PUSH]
    assert refused(ana, PUSH, EMAIL) == []


def test_a_channel_that_is_switched_off_is_left_out_and_said() -> None:
    ana = make_recipient(make_rule(1, EMAIL), make_rule(2, SMS), switched_off=frozenset({SMS}))
    assert [page.channel for page in paged(ana)] == [EMAIL]
    assert refused(ana) == ["has switched sms off"]


def test_an_address_that_was_never_proved_is_left_out_and_said() -> None:
    ana = make_recipient(make_rule(1, SMS, is_verified=False), make_rule(2))
    assert [page.rule_id for page in paged(ana)] == [2]
    assert refused(ana) == ["has not verified the contact method for sms"]


@pytest.mark.parametrize(
    ("severity", "is_paged"),
    [
        (Severity.CRITICAL, True),
        (Severity.HIGH, True),
        (Severity.MEDIUM, False),
        (Severity.LOW, False),
    ],
)
def test_a_rule_may_ask_for_a_severity(severity: Severity, is_paged: bool) -> None:
    ana = make_recipient(make_rule(1, SMS, min_severity=Severity.HIGH))
    assert bool(paged(ana, severity=severity)) is is_paged


def test_a_severity_that_is_too_mild_is_said() -> None:
    ana = make_recipient(make_rule(1, SMS, min_severity=Severity.CRITICAL))
    assert refused(ana) == ["wants sms only from critical up"]


def test_somebody_who_is_deactivated_is_never_paged() -> None:
    gone = make_recipient(make_rule(1), is_active=False)
    assert paged(gone) == []
    assert refused(gone) == ["is deactivated"]


def test_somebody_without_any_rule_is_named() -> None:
    assert refused(make_recipient()) == ["has no rule for any channel"]


def test_somebody_without_a_rule_for_the_channels_asked_for_is_named() -> None:
    ana = make_recipient(make_rule(1, EMAIL))
    assert paged(ana, SMS, PUSH) == []
    assert refused(ana, SMS, PUSH) == ["has no rule for push or sms"]


def test_every_rule_that_is_left_out_has_its_reason() -> None:
    ana = make_recipient(
        make_rule(1, EMAIL, is_verified=False),
        make_rule(2, SMS),
        make_rule(3, PUSH, min_severity=Severity.CRITICAL),
        switched_off=frozenset({SMS}),
    )
    pages, skipped = fan_out(ana, channels=(), severity=Severity.HIGH, due_at=DUE)
    assert pages == []
    assert skipped == [
        Skipped(7, "Ana", "has not verified the contact method for email"),
        Skipped(7, "Ana", "has switched sms off"),
        Skipped(7, "Ana", "wants push only from critical up"),
    ]


NIGHT: dict[str, Any] = {"quiet_from": time(22), "quiet_until": time(7)}


def test_quiet_hours_put_a_page_off_until_they_end() -> None:
    ana = make_recipient(make_rule(1, **NIGHT), make_rule(2, SMS))
    due = {page.rule_id: page.due_at for page in paged(ana)}
    assert due == {1: datetime(2026, 11, 21, 7, 0, tzinfo=UTC), 2: DUE}


def test_nothing_critical_waits_for_quiet_hours_to_end() -> None:
    (page,) = paged(make_recipient(make_rule(1, **NIGHT)), severity=Severity.CRITICAL)
    assert page.due_at == DUE


def test_quiet_hours_are_asked_about_the_time_after_the_delay() -> None:
    into = make_rule(1, after=60, quiet_from=time(4), quiet_until=time(6))
    past = make_rule(2, after=240, **NIGHT)
    due = [page.due_at.hour for page in paged(make_recipient(into, past))]
    assert due == [6, 7]


def test_quiet_hours_go_by_the_clock_of_the_person() -> None:
    rule = make_rule(1, **NIGHT)
    (berlin,) = paged(make_recipient(rule, time_zone="Europe/Berlin"))
    (tokyo,) = paged(make_recipient(rule, time_zone="Asia/Tokyo"))
    assert berlin.due_at == datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
    assert tokyo.due_at == DUE


# --- Trying again -----------------------------------------------------------------------


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 2), (2, 4), (3, 8), (8, 256), (9, 300)])
def test_the_wait_for_another_try_doubles_up_to_five_minutes(attempts: int, seconds: int) -> None:
    assert retry_delay(attempts, chance=1) == timedelta(seconds=seconds)


def test_the_wait_is_spread_over_all_of_its_span() -> None:
    assert retry_delay(3, chance=0) == timedelta(0)
    assert retry_delay(3, chance=0.25) == timedelta(seconds=2)


def test_no_wait_is_longer_than_five_minutes_however_often_it_was_tried() -> None:
    waits = [retry_delay(attempts, chance=0.999) for attempts in (*range(1, 50), 10**9)]
    assert max(waits) < LONGEST_RETRY


def test_all_tries_together_outlast_a_quarter_of_an_hour_without_a_provider() -> None:
    waits = [retry_delay(attempts, chance=0.5) for attempts in range(1, MAX_ATTEMPTS)]
    assert sum(waits, timedelta()) > timedelta(minutes=15)


def test_every_status_waits_or_is_final() -> None:
    assert {*WAITING, *FINAL} == set(NotificationStatus)
    assert not set(WAITING) & set(FINAL)
