"""Whom a step pages, whom it skips, and whether that counts as having reached somebody."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

from app.domain.escalation import (
    AddComment,
    Assign,
    CallWebhook,
    Notify,
    OwedPage,
    Step,
    StepPages,
    pages_of,
)
from app.domain.incident import Severity
from app.domain.notification import Channel, Page, Recipient, Skipped
from app.domain.target import Target, TargetKind
from tests.domain.people import make_recipient, make_rule

DUE = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
ADMINS, CREATOR = Target(TargetKind.ADMINS), Target(TargetKind.CREATOR)
EMAIL, SMS = Channel.EMAIL, Channel.SMS
ANA = make_recipient(make_rule(1, EMAIL), make_rule(2, SMS, after=5))
BOB = make_recipient(make_rule(3, EMAIL), user_id=8, name="Bob")
MUTE = make_recipient(user_id=9, name="Mia")


def pages(
    *actions: Notify | Assign | AddComment | CallWebhook,
    recipients: Mapping[Target, Collection[Recipient]],
) -> StepPages:
    step = Step(timedelta(minutes=5), actions)
    return pages_of(step, recipients=recipients, severity=Severity.HIGH, due_at=DUE)


def rules(found: StepPages) -> list[tuple[int, int]]:
    """Which action owes a page by which rule."""
    return [(owed.action, owed.page.rule_id) for owed in found.owed]


def test_a_step_owes_a_page_for_every_rule_of_everybody_it_names() -> None:
    assert rules(pages(Notify(ADMINS), recipients={ADMINS: [ANA, BOB]})) == [
        (0, 1),
        (0, 2),
        (0, 3),
    ]


def test_a_page_is_due_from_when_the_step_was_due() -> None:
    found = pages(Notify(ADMINS, (SMS,), "Hurry."), recipients={ADMINS: [ANA]})
    page = Page(7, 2, 102, SMS, DUE + timedelta(minutes=5))
    assert found.owed == (OwedPage(0, page, "Hurry."),)


def test_somebody_named_twice_is_paged_once_by_the_first_action() -> None:
    found = pages(
        Notify(ADMINS, message="First."),
        Notify(CREATOR, message="Second."),
        recipients={ADMINS: [ANA], CREATOR: [ANA, BOB]},
    )
    assert rules(found) == [(0, 1), (0, 2), (1, 3)]
    assert [owed.message for owed in found.owed] == ["First.", "First.", "Second."]


def test_a_later_action_adds_the_channels_that_an_earlier_one_left_out() -> None:
    found = pages(Notify(ADMINS, (SMS,)), Notify(ADMINS), recipients={ADMINS: [ANA]})
    assert rules(found) == [(0, 2), (1, 1)]


def test_the_number_of_an_action_counts_every_action() -> None:
    found = pages(AddComment("x"), Assign(ADMINS), Notify(ADMINS), recipients={ADMINS: [BOB]})
    assert rules(found) == [(2, 3)]


def test_whoever_is_skipped_is_named_with_the_reason() -> None:
    found = pages(Notify(ADMINS), recipients={ADMINS: [MUTE, BOB]})
    assert found.skipped == (Skipped(9, "Mia", "has no rule for any channel"),)
    assert found.reached_somebody


def test_the_same_reason_of_the_same_person_is_told_once() -> None:
    found = pages(Notify(ADMINS), Notify(CREATOR), recipients={ADMINS: [MUTE], CREATOR: [MUTE]})
    assert len(found.skipped) == 1


def test_a_step_that_pages_somebody_has_reached_them() -> None:
    assert pages(Notify(ADMINS), recipients={ADMINS: [ANA]}).reached_somebody


def test_a_step_whose_people_have_no_way_to_be_paged_reached_nobody() -> None:
    found = pages(Notify(ADMINS), recipients={ADMINS: [MUTE]})
    assert (found.asks_for_people, found.reached_somebody) == (True, False)


def test_a_step_that_names_nobody_who_is_there_reached_nobody() -> None:
    assert not pages(Notify(ADMINS), recipients={ADMINS: []}).reached_somebody
    assert not pages(Notify(ADMINS), recipients={}).reached_somebody


def test_a_step_that_only_calls_webhooks_was_not_meant_to_reach_anybody() -> None:
    found = pages(CallWebhook("https://h.example.org"), AddComment("x"), recipients={})
    assert (found.owed, found.asks_for_people, found.reached_somebody) == ((), False, True)


def test_a_webhook_does_not_make_up_for_people_that_nobody_reached() -> None:
    found = pages(Notify(ADMINS), CallWebhook("https://h.example.org"), recipients={})
    assert not found.reached_somebody


def test_assigning_somebody_is_not_reaching_them() -> None:
    found = pages(Assign(ADMINS), recipients={ADMINS: [ANA]})
    assert (found.owed, found.asks_for_people) == ((), False)
