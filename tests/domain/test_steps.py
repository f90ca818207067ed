"""A policy's JSON, read into the steps it means."""

from datetime import timedelta
from typing import Any

import pytest

from app.domain.escalation import (
    FALLBACK_STEPS,
    AddComment,
    Assign,
    CallWebhook,
    Ladder,
    Notify,
    SetSeverity,
    SetStatus,
    Step,
    read_steps,
)
from app.domain.incident import IncidentStatus, Severity
from app.domain.notification import Channel
from app.domain.target import Target, TargetKind

ADMINS = Target(TargetKind.ADMINS)
BOB = Target(TargetKind.USER, 7)


def read_action(**action: Any) -> Any:
    """The one action of a policy with one step."""
    (step,) = read_steps([{"delay_minutes": 0, "actions": [action]}])
    (read,) = step.actions
    return read


@pytest.mark.parametrize(
    "kind", ["assignees", "creator", "admins", "on_call", "next_on_call", "fallback"]
)
def test_a_target_may_be_a_word(kind: str) -> None:
    assert read_action(type="notify", target=kind) == Notify(Target(TargetKind(kind)))


def test_a_target_may_be_a_person() -> None:
    assert read_action(type="notify", target={"user": 7}) == Notify(BOB)


def test_notify_may_name_channels_and_a_message() -> None:
    read = read_action(type="notify", target="admins", channels=["sms", "email"], message="Hurry.")
    assert read == Notify(ADMINS, (Channel.SMS, Channel.EMAIL), "Hurry.")


@pytest.mark.parametrize("channels", [{}, {"channels": None}, {"channels": []}])
def test_notify_without_channels_means_all_of_them(channels: dict[str, Any]) -> None:
    assert read_action(type="notify", target="admins", **channels).channels == ()


def test_assign_names_whom() -> None:
    assert read_action(type="assign", target={"user": 7}) == Assign(BOB)


def test_set_status_names_the_status() -> None:
    read = read_action(type="set_status", status="acknowledged")
    assert read == SetStatus(IncidentStatus.ACKNOWLEDGED)


def test_set_severity_names_the_severity() -> None:
    assert read_action(type="set_severity", severity="low") == SetSeverity(Severity.LOW)


def test_webhook_names_the_address() -> None:
    read = read_action(type="webhook", url="https://h.example.org/x")
    assert read == CallWebhook("https://h.example.org/x")


def test_comment_says_something() -> None:
    assert read_action(type="comment", text="Escalated.") == AddComment("Escalated.")


def test_an_action_of_no_known_type_is_not_overlooked() -> None:
    with pytest.raises(ValueError, match="unknown action 'ring'"):
        read_action(type="ring")


def test_a_delay_may_be_a_fraction_of_a_minute() -> None:
    (step,) = read_steps([{"delay_minutes": 0.5, "actions": []}])
    assert step.delay == timedelta(seconds=30)


def test_steps_and_actions_keep_their_order() -> None:
    comments = [{"type": "comment", "text": text} for text in "ab"]
    document = [{"delay_minutes": minutes, "actions": comments} for minutes in (5, 0)]
    actions = (AddComment("a"), AddComment("b"))
    assert read_steps(document) == (
        Step(timedelta(minutes=5), actions),
        Step(timedelta(), actions),
    )


def test_a_ladder_knows_everybody_its_steps_may_want() -> None:
    actions = (Notify(ADMINS), Assign(BOB), AddComment("x"), CallWebhook("https://h"))
    ladder = Ladder((Step(timedelta(), actions), Step(timedelta(), (Notify(BOB),))), 0, timedelta())
    assert ladder.targets == {ADMINS, BOB}


def test_the_fallback_pages_at_once() -> None:
    (step,) = read_steps(FALLBACK_STEPS)
    assert step == Step(timedelta(), (Notify(Target(TargetKind.FALLBACK)),))
