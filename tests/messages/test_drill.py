"""A fire drill says so first of all: on every channel, in every kind, whoever worded it."""

from dataclasses import replace

import pytest

from app.domain.notification import INCIDENT_KINDS, Channel, NotificationKind
from app.messages.facts import PageFacts, UpdateFacts
from app.messages.render import Rendered, render, render_bundle
from app.messages.samples import FULL, PAGE
from app.messages.sms import ROOM, septets
from app.messages.wording import WORDED_CHANNELS, Wording
from tests.messages.examples import FOR_PEOPLE, NOW, bundle, item

MARK = "FIRE DRILL"
LINK = PAGE.acknowledge_url or ""


def drill(kind: NotificationKind) -> PageFacts | UpdateFacts:
    return replace(FULL[kind], title="Fire drill: “Primary”", is_drill=True)


def first_seen(channel: Channel, made: Rendered) -> str:
    """What a person reads first."""
    return made.text if channel is Channel.SMS else made.subject


@pytest.mark.parametrize("kind", INCIDENT_KINDS)
@pytest.mark.parametrize("channel", Channel)
def test_every_message_begins_with_the_mark(kind: NotificationKind, channel: Channel) -> None:
    made = render(kind, channel, drill(kind), now=NOW)
    assert first_seen(channel, made).startswith(f"{MARK}:")
    assert made.subject.startswith(MARK)
    if channel in (Channel.EMAIL, Channel.WEBHOOK, Channel.SMS):
        assert made.text.startswith(MARK)
    if channel is Channel.EMAIL:
        assert MARK in (made.html or "")


@pytest.mark.parametrize("kind", INCIDENT_KINDS)
@pytest.mark.parametrize("channel", WORDED_CHANNELS)
def test_no_wording_of_an_admins_can_hide_it(kind: NotificationKind, channel: Channel) -> None:
    subject = None if channel is Channel.SMS else "Look here"
    made = render(kind, channel, drill(kind), now=NOW, wording=Wording(subject, "Hello."))
    assert made.fault is None
    assert first_seen(channel, made).startswith(MARK)
    assert "Hello." in made.text
    if channel is Channel.EMAIL:
        assert f"{MARK}: Hello." in (made.html or "")
    if kind is NotificationKind.PAGE and channel is not Channel.PUSH:
        assert LINK in made.text


@pytest.mark.parametrize("kind", INCIDENT_KINDS)
@pytest.mark.parametrize("channel", Channel)
def test_nothing_else_is_ever_called_a_drill(kind: NotificationKind, channel: Channel) -> None:
    """Not even an incident whose title says so."""
    facts = replace(FULL[kind], title="Fire drill: tank 3")
    made = render(kind, channel, facts, now=NOW)
    assert MARK not in made.subject + made.text + (made.html or "")
    assert "Fire drill: tank 3" in made.subject + made.text


def test_programs_are_told() -> None:
    for kind in INCIDENT_KINDS:
        for is_drill in (True, False):
            facts = replace(FULL[kind], is_drill=is_drill)
            made = render(kind, Channel.WEBHOOK, facts, now=NOW)
            assert made.json["data"]["is_drill"] is is_drill
    facts = replace(PAGE, is_drill=True)
    assert render(NotificationKind.PAGE, Channel.PUSH, facts, now=NOW).json["is_drill"] is True


def test_a_page_reads_as_a_drill() -> None:
    made = render(NotificationKind.PAGE, Channel.EMAIL, drill(NotificationKind.PAGE), now=NOW)
    assert made.subject == "FIRE DRILL: “Primary” · database (#4711)"
    assert made.text.startswith(
        "FIRE DRILL: nothing is wrong. Answer it as you would answer a page.\n\n"
        "Ana, you are needed.\n\nFIRE DRILL: “Primary”\n"
    )
    assert f"Answer the drill, and it is over:\n{LINK}" in made.text
    assert "critical" not in (made.html or "").lower()
    chat = render(NotificationKind.PAGE, Channel.CHAT, drill(NotificationKind.PAGE), now=NOW)
    assert chat.subject == "FIRE DRILL: “Primary” · database (#4711)"
    push = render(NotificationKind.PAGE, Channel.PUSH, drill(NotificationKind.PAGE), now=NOW)
    assert push.subject == "FIRE DRILL: “Primary”"


def test_a_text_message_of_a_drill_still_fits() -> None:
    facts = replace(drill(NotificationKind.PAGE), title=f"Fire drill: {'P' * 243}")
    made = render(NotificationKind.PAGE, Channel.SMS, facts, now=NOW)
    words, _, link = made.text.rpartition("\nAck: ")
    assert (words.startswith("FIRE DRILL: PPP"), link) == (True, LINK)
    assert septets(f"{words}\nAck: ") <= ROOM


@pytest.mark.parametrize("channel", FOR_PEOPLE)
def test_a_drill_among_other_pages_is_told_apart(channel: Channel) -> None:
    facts = replace(bundle(2), items=(item(1, is_drill=True), item(2)))
    made = render_bundle(channel, facts, now=NOW)
    assert made.text.count(MARK) == 1
    if channel is Channel.EMAIL:
        assert (made.html or "").count(MARK) == 1
