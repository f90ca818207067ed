"""The status page as it is drawn, from pictures of good days, bad days and unfriendly texts."""

import re
import xml.etree.ElementTree as ElementTree
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
from markupsafe import escape

from app.domain.public_history import MonthName, MonthPicture
from app.domain.public_page import ComponentDay, HistoryDay, headline_of, level_of
from app.web import bars
from app.web import public_page as draw
from tests.web import pictures
from tests.web.html import read

ATOM = "{http://www.w3.org/2005/Atom}"
PAGES = [pictures.bad_day, pictures.good_day, pictures.empty, pictures.awkward]


@pytest.mark.parametrize("picture", PAGES)
def test_the_page_says_in_its_first_heading_and_its_title_how_things_are(picture) -> None:
    page = picture()
    html = draw.home(page)
    shown = read(html)
    assert len(shown.all("h1")) == 1
    assert " ".join(draw.NO_XML.sub("", page.headline).split()) in shown.text
    title = re.search("<title>(.*?)</title>", html, re.DOTALL)
    assert title is not None
    assert draw.NO_XML.sub("", str(escape(page.headline))) in title[1]


@pytest.mark.parametrize("picture", PAGES)
def test_nothing_stands_in_line_and_nothing_is_loaded_from_elsewhere(picture) -> None:
    page = picture()
    for html in (
        draw.home(page),
        *(draw.incident(page, one) for one in page.incidents),
        *(draw.maintenance(page, one) for one in page.maintenances),
    ):
        shown = read(html)
        for tag, attributes in shown.elements:
            assert "style" not in attributes
            assert not [name for name in attributes if name.startswith("on")]
            if tag == "script":
                assert str(attributes["src"]).startswith("/static/")
            if tag == "link" and attributes["rel"] in ("stylesheet", "icon"):
                assert str(attributes["href"]).startswith("/static/")
        assert "style" not in {tag for tag, _ in shown.elements}
        assert [script for script in shown.all("script") if "src" not in script] == []
        assert shown.all("img") == shown.all("iframe") == []


def test_what_somebody_wrote_stays_text() -> None:
    page = pictures.awkward()
    shown = read(draw.home(page))
    assert len(shown.all("script")) == 1  # our own
    assert "<script>alert(1)</script>" in shown.text


def test_a_component_tells_its_days_to_who_cannot_see_them() -> None:
    component = pictures.bad_day().groups[0].components[0]
    drawn = bars.bars_of(component)
    assert drawn.label.startswith("Checkout, the last 90 days: 99.97 % uptime. Days with trouble: ")
    assert "12 Oct 2026, major outage for 34 min (Checkout was down)" in drawn.label
    shown = read(draw.home(pictures.bad_day()))
    pictures_of_days = [one for one in shown.all("svg") if one.get("role") == "img"]
    assert drawn.label in [one["aria-label"] for one in pictures_of_days]
    assert "3 days with trouble" in shown.text


def test_a_worse_day_has_a_higher_bar() -> None:
    order = ["operational", "under_maintenance", "degraded_performance", "partial_outage",
             "major_outage"]  # fmt: skip
    heights = [bars.HEIGHTS[status] for status in order]
    assert heights == sorted(set(heights))
    days = tuple(ComponentDay(pictures.TODAY, status) for status in order)
    component = pictures.component(1, "API")
    drawn = bars.bars_of(type(component)(1, "API", None, "operational", days))
    assert [bar.height for bar in drawn.bars] == heights
    assert all(bar.y + bar.height == drawn.height for bar in drawn.bars)
    assert drawn.bars[-1].x + drawn.bar == drawn.width


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (100.0, "100 %"),
        (99.999, "99.99 %"),
        (99.95, "99.95 %"),
        (0.0, "0.00 %"),
        (99.994999, "99.99 %"),
    ],
)
def test_an_uptime_is_never_rounded_up(share: float, shown: str) -> None:
    assert bars.per_cent(share) == shown


def test_quiet_days_in_a_row_are_told_together() -> None:
    today = pictures.TODAY
    noisy = {1: (pictures.SEARCH,)}
    days = [HistoryDay(today - timedelta(days=n), noisy.get(n, ())) for n in range(4)]
    told = draw.stretches(days)
    assert [(one.first, one.last, one.day is None) for one in told] == [
        (today, today, True),
        (today - timedelta(days=1), today - timedelta(days=1), False),
        (today - timedelta(days=3), today - timedelta(days=2), True),
    ]


@pytest.mark.parametrize("incidents", [(pictures.CHECKOUT, pictures.SEARCH), ()])
def test_rss_is_well_formed_and_each_incident_keeps_its_name(incidents) -> None:
    page = pictures.bad_day()
    channel = ElementTree.fromstring(draw.feed("rss", page, incidents)).find("channel")
    assert channel is not None
    assert channel.findtext("title") == page.page.name
    items = channel.findall("item")
    assert [one.findtext("guid") for one in items] == [one.code for one in incidents]
    for item, incident in zip(items, incidents, strict=True):
        assert item.findtext("link") == f"{page.page.url}/incidents/{incident.code}"
        said = item.findtext("pubDate")
        assert said is not None
        assert parsedate_to_datetime(said) == incident.updated_at
        assert "<strong>" in str(item.findtext("description"))


def test_atom_is_well_formed_and_told_anew_when_an_incident_is() -> None:
    page = pictures.bad_day()
    feed = ElementTree.fromstring(draw.feed("atom", page, [pictures.SEARCH]))
    (entry,) = feed.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}updated") == "2026-11-18T23:50:00Z"
    assert entry.findtext(f"{ATOM}id") == f"{page.page.url}/history.atom#inc_2mLq9"
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
    assert links["self"] == f"{page.page.url}/history.atom"


@pytest.mark.parametrize("kind", ["rss", "atom"])
def test_a_feed_stays_well_formed_whatever_was_written(kind: str) -> None:
    page = pictures.awkward()
    text = draw.feed(kind, page, page.incidents)
    assert "alert(1)" in "".join(ElementTree.fromstring(text).itertext())


def test_a_badge_says_it_in_words_and_fits_them() -> None:
    page = pictures.bad_day()
    svg = ElementTree.fromstring(draw.page_badge(page))
    assert svg.get("aria-label") == "Example Shop Status: partial outage"
    of_api = draw.component_badge(page, 5)
    assert of_api is not None
    assert ElementTree.fromstring(of_api).get("aria-label") == "API: operational"
    assert draw.component_badge(page, 99) is None
    assert ElementTree.fromstring(draw.page_badge(pictures.awkward())).get("width")


def test_the_months_of_the_history_lead_to_one_another() -> None:
    page = pictures.bad_day()
    named = [MonthName(2026, number) for number in (10, 9, 11)]
    month = MonthPicture(named[0], (pictures.SEARCH,), (), earlier=named[1], later=named[2])
    shown = read(draw.history(page, month))
    assert "October 2026" in shown.text
    assert "/status/history?month=2026-09" in shown.addresses
    assert "/status/history?month=2026-11" in shown.addresses
    assert "/status/incidents/inc_2mLq9#postmortem" in shown.addresses


@pytest.mark.parametrize(
    ("components", "has_incidents", "said"),
    [
        ([], False, "All systems are working."),
        ([("A", "operational")], True, "All systems are working, and we are looking into a"
         " problem."),
        ([("A", "major_outage"), ("B", "partial_outage")], True, "A is down."),
        ([("A", "partial_outage"), ("B", "partial_outage"), ("C", "operational")], True,
         "A and B are partly down."),
        ([("A", "major_outage"), ("B", "major_outage")], True, "All systems are down."),
        ([(n, "degraded_performance") for n in "ABCD"] + [("E", "operational")], True,
         "4 of 5 systems are slower than usual."),
    ],
)  # fmt: skip
def test_the_sentence_is_the_truth(components, has_incidents: bool, said: str) -> None:
    assert headline_of(components, has_incidents=has_incidents) == said


@pytest.mark.parametrize(
    ("statuses", "impacts", "level"),
    [
        ([], [], "none"),
        (["operational"], ["none"], "none"),
        (["under_maintenance"], [], "maintenance"),
        (["under_maintenance"], ["minor"], "minor"),
        (["partial_outage", "operational"], ["minor"], "major"),
        (["operational"], ["critical"], "critical"),
    ],
)
def test_the_level_is_that_of_the_worst(
    statuses: list[str], impacts: list[str], level: str
) -> None:
    assert level_of(statuses, impacts) == level
