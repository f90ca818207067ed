"""What became of an incident: acknowledged, resolved, put into somebody's hands."""

import dataclasses
from typing import Any

import pytest

from app.domain.notification import Channel, NotificationKind
from app.messages.render import Rendered, render
from tests.messages.examples import EXAMPLES, FOR_PEOPLE, NOW
from tests.messages.reader import Reader

KINDS = (NotificationKind.ACKNOWLEDGED, NotificationKind.RESOLVED, NotificationKind.ASSIGNED)
WORDS = ("Acknowledged", "Resolved", "Assigned to you")


def update(kind: NotificationKind, channel: Channel = Channel.EMAIL, **changed: Any) -> Rendered:
    return render(kind, channel, dataclasses.replace(EXAMPLES[kind], **changed), now=NOW)


@pytest.mark.parametrize("channel", FOR_PEOPLE)
@pytest.mark.parametrize(("kind", "word"), list(zip(KINDS, WORDS, strict=True)))
def test_it_says_what_happened_to_which_incident_and_who_did_it(
    kind: NotificationKind, word: str, channel: Channel
) -> None:
    made = update(kind, channel, actor="Prometheus")
    assert made.subject.startswith(word)
    said = f"{made.subject}\n{made.text}"
    assert "Prometheus" in said
    assert "Disk almost full on db-1" in said
    assert "database" in said
    assert "#4711" in said


@pytest.mark.parametrize("kind", KINDS)
def test_text_and_html_of_the_mail_say_the_same(kind: NotificationKind) -> None:
    made = update(kind)
    assert made.html is not None
    shown = Reader(made.html).text
    for word in made.text.replace("CRITICAL:", "critical").split():
        assert word in shown


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_to_press_but_the_tool(kind: NotificationKind) -> None:
    made = update(kind)
    assert made.html is not None
    assert Reader(made.html).links == ["https://grafana.example.org/d/db?var-host=db-1"]
    assert Reader(update(kind, url=None).html or "").links == []
    assert "cknowledge:" not in made.text


@pytest.mark.parametrize("channel", FOR_PEOPLE)
@pytest.mark.parametrize("role", ["responder", "commander", "communicator", "observer"])
def test_an_assignment_says_as_what(channel: Channel, role: str) -> None:
    assert role in update(NotificationKind.ASSIGNED, channel, role=role).text


def test_without_a_recipient_the_sentence_still_begins_with_a_capital() -> None:
    made = update(NotificationKind.RESOLVED, recipient=None)
    assert made.text.startswith("What you were paged for is over: Bob resolved it.\n")


@pytest.mark.parametrize(("alerts", "is_said"), [(0, False), (1, False), (2, True)])
def test_alerts_are_counted_from_the_second(alerts: int, is_said: bool) -> None:
    made = update(NotificationKind.RESOLVED, alert_count=alerts)
    assert ("Alerts" in made.text) is is_said


@pytest.mark.parametrize("kind", KINDS)
def test_programs_get_the_same_in_an_envelope(kind: NotificationKind) -> None:
    made = update(kind, Channel.WEBHOOK, title="Disk\nfull")
    role = {"role": "commander"} if kind is NotificationKind.ASSIGNED else {}
    assert made.json == {
        "type": f"incident.{kind}",
        "timestamp": "2026-11-21T03:13:00Z",
        "data": {
            "incident": {
                "id": 4711,
                "title": "Disk\nfull",
                "severity": "critical",
                "service": "database",
                "url": "https://grafana.example.org/d/db?var-host=db-1",
                "opened_at": "2026-11-21T03:12:05Z",
                "alert_count": 12,
                "api_url": "https://tocsin.example.org/v1/incidents/4711",
            },
            "actor": "Bob",
            "recipient": "Ana",
            "is_drill": False,
            **role,
        },
    }
