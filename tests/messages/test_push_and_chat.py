"""What stands on a lock screen, and what stands in a chat."""

import dataclasses
import json
from typing import Any

import pytest

from app.domain.notification import Channel, NotificationKind
from app.messages.render import Rendered, render, render_bundle
from app.messages.samples import PAGE
from tests.messages.examples import EXAMPLES, NOW, bundle, item

LINK = PAGE.acknowledge_url or ""


def page(channel: Channel, **changed: Any) -> Rendered:
    return render(NotificationKind.PAGE, channel, dataclasses.replace(PAGE, **changed), now=NOW)


# --- Push ---------------------------------------------------------------------------------


def test_a_push_is_a_title_and_one_line() -> None:
    made = page(Channel.PUSH, message="Call Bob\nbefore anything.")
    assert made.subject == "CRITICAL: Disk almost full on db-1"
    assert made.text == "#4711 · database · Call Bob before anything."


def test_a_push_stays_short() -> None:
    made = page(Channel.PUSH, title="T" * 255, service="S" * 100, message="M" * 2000)
    assert len(made.subject) == 120
    assert len(made.text) == 240


def test_the_link_travels_beside_the_words_of_a_push() -> None:
    made = page(Channel.PUSH)
    assert "https://" not in made.subject + made.text
    assert made.json == {
        "type": "incident.paged",
        "incident_id": 4711,
        "acknowledge_url": LINK,
        "url": PAGE.url,
    }


def test_what_is_beside_a_push_is_small_whatever_the_incident_says() -> None:
    made = page(Channel.PUSH, description="D" * 10_000, message="M" * 2000, title="T" * 255)
    assert len(json.dumps(made.json)) < 500


def test_what_is_not_given_is_not_beside_a_push() -> None:
    made = page(Channel.PUSH, acknowledge_url=None, url=None)
    assert made.json == {"type": "incident.paged", "incident_id": 4711}


@pytest.mark.parametrize(
    ("kind", "what"),
    [(NotificationKind.TEST, "tocsin.test"), (NotificationKind.RESOLVED, "incident.resolved")],
)
def test_every_push_says_what_it_is(kind: NotificationKind, what: str) -> None:
    made = render(kind, Channel.PUSH, EXAMPLES[kind], now=NOW)
    assert made.json["type"] == what


# --- Chat ---------------------------------------------------------------------------------


def test_the_whole_page_in_a_chat() -> None:
    made = page(Channel.CHAT)
    assert made.subject == "CRITICAL: Disk almost full on db-1 · database (#4711)"
    assert made.text == (
        "Ana, you are needed.\n"
        "Call Bob before you restart anything.\n"
        "Since 2026-11-21 03:12:05 UTC, 12 alerts\n"
        "See: https://grafana.example.org/d/db?var-host=db-1\n"
        f"Acknowledge: {LINK}"
    )


def test_the_least_a_chat_can_say() -> None:
    made = page(
        Channel.CHAT, recipient=None, message=None, url=None, alert_count=1, acknowledge_url=None
    )
    assert made.text == "You are needed.\nSince 2026-11-21 03:12:05 UTC"


@pytest.mark.parametrize(
    "hostile",
    [
        "@everyone", "@Here look", "@channel", "@all", "<!channel>", "<@U0123>", "<#C0123>",
        "<https://evil.test|Acknowledge>", "[Acknowledge](https://evil.test)",
    ],
)  # fmt: skip
def test_a_title_cannot_call_everybody_or_hide_a_link(hostile: str) -> None:
    made = page(Channel.CHAT, title=hostile, message=hostile, service=hostile)
    facts = dataclasses.replace(bundle(1), items=(item(1, title=hostile, service=hostile),))
    many = render_bundle(Channel.CHAT, facts, now=NOW)
    for said in (made.subject, made.text, many.text):
        assert hostile not in said
        assert hostile in said.replace("\u200b", "")


def test_ordinary_words_and_links_stay_as_they_are_in_a_chat() -> None:
    title = "Mail to ops@example.org: 3 < 5, queue [a](b is 10 > 2 @ night"
    made = page(Channel.CHAT, title=title, url="https://h.test/@everyone?a=<b")
    assert "ops@example.org: 3 < 5" in made.subject
    assert "See: https://h.test/@everyone?a=<b" in made.text.splitlines()


def test_a_mail_is_not_hushed() -> None:
    assert "@everyone" in page(Channel.EMAIL, title="@everyone").text
