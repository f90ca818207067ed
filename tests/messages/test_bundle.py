"""Several pages told as one: the worst first, the rest as a number, nothing lost for programs."""

import dataclasses

import pytest

from app.domain.notification import Channel
from app.messages.render import render_bundle
from tests.messages.examples import FOR_PEOPLE, NOW, bundle, item
from tests.messages.reader import Reader


@pytest.mark.parametrize("channel", FOR_PEOPLE)
def test_the_worst_comes_first_and_equals_stay_in_their_order(channel: Channel) -> None:
    text = render_bundle(channel, bundle(12), now=NOW).text
    places = [text.find(f"Disk {number} is") for number in (1, 5, 9)]
    assert places == sorted(places)
    assert places[0] > 0
    assert "Disk 0 is" not in text or text.find("Disk 0 is") > places[-1]


@pytest.mark.parametrize(
    ("channel", "rest"), [(Channel.EMAIL, 190), (Channel.PUSH, 197), (Channel.CHAT, 195)]
)
def test_what_is_not_shown_is_counted(channel: Channel, rest: int) -> None:
    text = render_bundle(channel, bundle(12, total=200), now=NOW).text
    assert f"{rest} more" in text
    assert "200 incidents" in render_bundle(channel, bundle(12, total=200), now=NOW).subject


@pytest.mark.parametrize("channel", FOR_PEOPLE)
def test_nothing_is_counted_when_everything_is_shown(channel: Channel) -> None:
    assert "more" not in render_bundle(channel, bundle(2), now=NOW).text.replace("more than", "")


def test_the_subject_of_the_mail_names_the_worst() -> None:
    assert (
        render_bundle(Channel.EMAIL, bundle(4), now=NOW).subject == "[CRITICAL] 4 incidents at once"
    )
    low = dataclasses.replace(bundle(1), items=(item(0),))
    assert render_bundle(Channel.EMAIL, low, now=NOW).subject == "[LOW] 1 incident at once"


def test_each_incident_of_a_mail_has_its_own_link_and_the_bundle_has_none() -> None:
    made = render_bundle(Channel.EMAIL, bundle(3), now=NOW)
    assert made.html is not None
    links = [f"https://tocsin.test/a/{number}" for number in (1, 2, 0)]
    assert Reader(made.html).links == links
    assert [word for word in made.text.split() if word.startswith("https")] == links


def test_an_incident_without_a_link_is_told_without_one() -> None:
    facts = dataclasses.replace(bundle(1), items=(item(1, acknowledge_url=None),))
    for channel in (Channel.EMAIL, Channel.CHAT):
        made = render_bundle(channel, facts, now=NOW)
        assert "Disk 1 is full" in made.text
        assert "cknowledge" not in made.text + (made.html or "")


def test_programs_get_every_incident_there_is() -> None:
    made = render_bundle(Channel.WEBHOOK, bundle(200, total=240), now=NOW)
    assert made.html is None
    assert made.json["type"] == "incident.bundle"
    data = made.json["data"]
    assert len(data["incidents"]) == 200
    assert data["total"] == 240
    assert data["incidents"][0] == {
        "id": 4701,
        "title": "Disk 1 is full",
        "severity": "critical",
        "service": "database",
        "policy": "Primary",
        "acknowledge_url": "https://tocsin.test/a/1",
        "is_drill": False,
    }


def test_a_bundle_without_items_still_says_how_many() -> None:
    facts = dataclasses.replace(bundle(1), items=(), total=3)
    for channel in Channel:
        assert "3" in render_bundle(channel, facts, now=NOW).text
