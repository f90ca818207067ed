"""Mail about an account, and the messages that try a contact method."""

import dataclasses
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from app.domain.notification import Channel, NotificationKind
from app.messages.render import Rendered, render
from tests.messages.examples import EXAMPLES, FOR_PEOPLE, NOW
from tests.messages.reader import Reader


def message(kind: NotificationKind, channel: Channel = Channel.EMAIL, **changed: Any) -> Rendered:
    return render(kind, channel, dataclasses.replace(EXAMPLES[kind], **changed), now=NOW)


@pytest.mark.parametrize("channel", FOR_PEOPLE)
def test_a_code_can_be_read_on_every_channel(channel: Channel) -> None:
    made = message(NotificationKind.VERIFICATION, channel)
    assert "042917" in made.text
    assert "10 minutes" in made.text


def test_a_code_stands_on_a_line_of_its_own_in_a_mail() -> None:
    made = message(NotificationKind.VERIFICATION)
    assert "042917" in made.text.splitlines()
    assert "042917" in Reader(made.html or "").words


def test_a_program_gets_the_code() -> None:
    assert message(NotificationKind.VERIFICATION, Channel.WEBHOOK).json == {
        "type": "tocsin.verification",
        "timestamp": "2026-11-21T03:13:00Z",
        "data": {"recipient": "Ana", "code": "042917", "minutes": 10},
    }


@pytest.mark.parametrize("channel", FOR_PEOPLE)
def test_a_test_names_the_contact_and_frightens_nobody(channel: Channel) -> None:
    made = message(NotificationKind.TEST, channel, contact="My phone")
    assert "My phone" in made.text
    assert "test" in f"{made.subject} {made.text}".lower()
    assert "you are needed" not in made.text


def test_a_program_is_told_that_it_is_a_test() -> None:
    assert message(NotificationKind.TEST, Channel.WEBHOOK).json == {
        "type": "tocsin.test",
        "timestamp": "2026-11-21T03:13:00Z",
        "data": {"recipient": "Ana", "channel": "sms", "contact": "Ana’s phone"},
    }


@pytest.mark.parametrize(
    ("kind", "link", "limit"),
    [
        (NotificationKind.SIGNUP, "https://tocsin.test/signup/T0KEN", "24 hours"),
        (NotificationKind.RECOVERY, "https://tocsin.test/recover/T0KEN", "30 minutes"),
    ],
)
def test_a_secret_link_is_there_to_press_to_copy_and_with_its_limit(
    kind: NotificationKind, link: str, limit: str
) -> None:
    made = message(kind)
    assert made.html is not None
    assert Reader(made.html).links == [link]
    assert link in made.text.splitlines()
    assert "T0KEN" in made.text.splitlines()
    assert "T0KEN" in Reader(made.html).text
    assert limit in made.text
    assert limit in Reader(made.html).text
    assert "T0KEN" not in made.subject


def test_whoever_has_an_account_is_shown_the_way_in() -> None:
    made = message(NotificationKind.SIGNUP_KNOWN)
    assert Reader(made.html or "").links == ["https://tocsin.test/login"]
    assert "Nothing has changed." in made.text


def test_a_changed_password_says_when_and_from_where() -> None:
    east = timezone(timedelta(hours=9))
    made = message(
        NotificationKind.PASSWORD_CHANGED, changed_at=datetime(2026, 11, 21, 12, 13, tzinfo=east)
    )
    assert "When     2026-11-21 03:13:00 UTC" in made.text.splitlines()
    assert "From     203.0.113.9" in made.text.splitlines()
    assert "From" not in message(NotificationKind.PASSWORD_CHANGED, changed_from=None).text


@pytest.mark.parametrize(
    "kind",
    [one for one in NotificationKind if one is not NotificationKind.PAGE],
)
def test_text_and_html_say_the_same(kind: NotificationKind) -> None:
    made = message(kind)
    assert made.html is not None
    reader = Reader(made.html)
    shown = " ".join([reader.text, *(link or "" for link in reader.links)])
    for word in made.text.replace("CRITICAL:", "critical").split():
        assert word.rstrip(":") in shown or word == "--"
