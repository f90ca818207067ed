"""What a page says: to somebody half asleep, to a mail client, and to a program."""

import dataclasses
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.incident import Severity
from app.domain.notification import Channel, NotificationKind
from app.messages.facts import PageFacts
from app.messages.render import render
from tests.messages.reader import Reader

QUICK = settings(derandomize=True, max_examples=100, deadline=None, database=None)
NOW = datetime(2026, 11, 21, 3, 13, tzinfo=UTC)
ACKNOWLEDGE = "https://tocsin.test/a/AAAAAAAAAAc"
FACTS = PageFacts(
    incident_id=4711,
    title="Disk full on db-1",
    description="The volume fills.\n\nFree the WAL first.",
    severity="critical",
    service="database",
    source="Prometheus",
    url="https://grafana.test/d/db?a=1&b=2",
    opened_at=datetime(2026, 11, 21, 3, 12, 5, tzinfo=UTC),
    alert_count=12,
    policy_name="Primary",
    is_fallback=False,
    loop=0,
    step=1,
    step_count=3,
    message="Call Bob before you restart anything.",
    recipient="Ana",
    acknowledge_url=ACKNOWLEDGE,
    api_url="https://tocsin.test/v1/incidents/4711",
    is_resend=False,
)
BARE: dict[str, Any] = {
    "description": None,
    "source": None,
    "url": None,
    "alert_count": 0,
    "message": None,
    "recipient": None,
    "acknowledge_url": None,
}


class Mail(NamedTuple):
    """A page as mail, and its JSON."""

    subject: str
    text: str
    html: str
    json: Mapping[str, Any]


def page(**changed: Any) -> Mail:
    facts = dataclasses.replace(FACTS, **changed)
    made = render(NotificationKind.PAGE, Channel.EMAIL, facts, now=NOW)
    assert made.html is not None
    assert made.fault is None
    return Mail(made.subject, made.text, made.html, made.json)


def combinations() -> Iterator[dict[str, Any]]:
    """Every way in which parts of a page may be missing or present."""
    choices: dict[str, tuple[Any, ...]] = {
        **{name: (getattr(FACTS, name), value) for name, value in BARE.items()},
        "is_fallback": (False, True),
        "loop": (0, 2),
        "is_resend": (False, True),
    }
    for values in itertools.product(*choices.values()):
        yield dict(zip(choices, values, strict=True))


def test_no_combination_of_facts_leaves_a_hole() -> None:
    for changed in combinations():
        rendered = page(**changed)
        for said in (rendered.text, rendered.html, rendered.subject):
            assert "None" not in said
            assert "{" not in re.sub(r"<style>.*</style>", "", said, flags=re.DOTALL)


def test_the_text_is_tidy_in_every_combination() -> None:
    for changed in combinations():
        text = page(**changed).text
        assert "\n\n\n" not in text
        assert not re.search(r"[ \t]\n", text)
        assert text == text.strip() + "\n"


def test_the_whole_text() -> None:
    assert page(loop=1, is_resend=True).text == (
        "Ana, you are needed.\n"
        "\n"
        "CRITICAL: Disk full on db-1\n"
        "\n"
        "Incident #4711\n"
        "Service  database\n"
        "Since    2026-11-21 03:12:05 UTC\n"
        "Alerts   12\n"
        "Source   Prometheus\n"
        "See      https://grafana.test/d/db?a=1&b=2\n"
        "\n"
        "Call Bob before you restart anything.\n"
        "\n"
        "Acknowledge, and paging stops:\n"
        f"{ACKNOWLEDGE}\n"
        "\n"
        "The volume fills.\n"
        "\n"
        "Free the WAL first.\n"
        "\n"
        "--\n"
        "Step 2 of 3 of “Primary”, round 2.\n"
        "This may be a copy: the first attempt was interrupted.\n"
    )


def test_the_least_a_text_can_say() -> None:
    assert page(**BARE, is_fallback=True).text == (
        "You are needed.\n"
        "\n"
        "CRITICAL: Disk full on db-1\n"
        "\n"
        "Incident #4711\n"
        "Service  database\n"
        "Since    2026-11-21 03:12:05 UTC\n"
        "\n"
        "--\n"
        "You are the fallback: nobody else could be paged, or nobody answered.\n"
    )


def test_text_and_html_say_the_same() -> None:
    for changed in combinations():
        rendered = page(**changed)
        shown = Reader(rendered.html)
        for word in rendered.text.replace("CRITICAL:", "critical").split():
            if word != "--" and not word.startswith("https://"):
                assert word in shown.text or word in ("Acknowledge,", "and", "paging", "stops:")


def test_the_button_comes_before_what_may_be_long() -> None:
    rendered = page(description="x" * 10_000)
    for said in (rendered.text, rendered.html):
        assert said.index(ACKNOWLEDGE) < said.index("x" * 10_000)


def test_every_link_of_the_html_is_one_of_the_facts() -> None:
    assert Reader(page().html).links == [FACTS.url, ACKNOWLEDGE]


def test_without_a_link_to_acknowledge_there_is_no_button() -> None:
    rendered = page(acknowledge_url=None)
    assert "Acknowledge" not in rendered.text + rendered.html


@pytest.mark.parametrize(("alerts", "is_said"), [(0, False), (1, False), (2, True)])
def test_alerts_are_counted_from_the_second(alerts: int, is_said: bool) -> None:
    assert ("Alerts" in page(alert_count=alerts).text) is is_said


def test_a_first_round_is_not_counted() -> None:
    assert "round" not in page(loop=0).text
    assert "round 3" in page(loop=2).text


@pytest.mark.parametrize("severity", Severity)
def test_every_severity_has_its_word_and_its_colour(severity: Severity) -> None:
    rendered = page(severity=severity)
    assert rendered.subject.startswith(f"[{severity.upper()}] ")
    assert rendered.text.splitlines()[2].startswith(f"{severity.upper()}: ")
    assert severity in Reader(rendered.html).words


def test_times_are_in_utc_whatever_zone_they_come_in() -> None:
    tokyo = FACTS.opened_at.astimezone(timezone(timedelta(hours=9)))
    assert page(opened_at=tokyo) == page()


def test_the_subject_tells_how_bad_what_where_and_which() -> None:
    assert page().subject == "[CRITICAL] Disk full on db-1 · database (#4711)"


# --- Hostile words ------------------------------------------------------------------------

SCRIPT = "<script>alert(1)</script>\"'&"


@pytest.mark.parametrize(
    "name", ["title", "description", "service", "source", "message", "recipient", "policy_name"]
)
def test_markup_is_words_in_html_and_stays_as_it_is_in_text(name: str) -> None:
    rendered = page(**{name: SCRIPT})
    assert "script" not in Reader(rendered.html).tags
    assert SCRIPT in "".join(Reader(rendered.html).words)
    assert SCRIPT in rendered.text


@pytest.mark.parametrize("name", ["url", "acknowledge_url"])
def test_no_link_breaks_out_of_its_attribute(name: str) -> None:
    link = 'https://h.test/"><script>alert(1)</script>'
    shown = Reader(page(**{name: link}).html)
    assert "script" not in shown.tags
    assert link in shown.links


@pytest.mark.parametrize("hostile", ["{{ 7*7 }}", "{% raw %}", "{{ page.__class__ }}", "{# x #}"])
def test_what_looks_like_a_template_is_words(hostile: str) -> None:
    rendered = page(title=hostile)
    assert hostile in rendered.text
    assert hostile in Reader(rendered.html).text


@pytest.mark.parametrize(
    "title", ["Disk\nfull", "Disk\r\nBcc: all@evil.test", "Disk\u2028full", "Disk\x85\x0b\x00full"]
)
def test_a_title_stays_on_its_line(title: str) -> None:
    rendered = page(title=title)
    assert len(rendered.subject.splitlines()) == 1
    assert rendered.subject.isprintable()
    assert len(rendered.text.splitlines()) == len(page().text.splitlines())


def test_an_address_that_is_no_web_page_cannot_be_pressed() -> None:
    rendered = page(url="javascript:alert(1)")
    assert Reader(rendered.html).links == [ACKNOWLEDGE]
    assert "javascript:alert(1)" in Reader(rendered.html).text


@pytest.mark.parametrize("name", ["title", "service", "source", "recipient", "policy_name", "url"])
def test_no_name_can_pass_for_the_rest_of_the_page(name: str) -> None:
    forged = "x\n\nAcknowledge, and paging stops:\nhttps://evil.test/a"
    assert "https://evil.test/a" not in page(**{name: forged}).text.splitlines()


def test_the_lines_of_a_description_stay_and_its_gaps_shrink() -> None:
    rendered = page(description="\r\none\r\n\r\n\r\ntwo\r\n \r\n\t\r\n\r\nthree\rfour  \n\n")
    assert "\n\none\n\ntwo\n\nthree\nfour\n\n--\n" in rendered.text
    assert ">one\n\ntwo\n\nthree\nfour</p>" in rendered.html


def test_nothing_invisible_rides_along_in_a_description() -> None:
    rendered = page(description="one\x1b[2Jtwo\x00\x7f\ud800\tthree")
    assert "one[2Jtwo\tthree" in rendered.text
    assert "one[2Jtwo\tthree" in rendered.html


ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=30)


@QUICK
@given(*(ANY_TEXT for _ in range(4)))
def test_no_words_break_a_page(title: str, service: str, description: str, message: str) -> None:
    rendered = page(title=title, service=service, description=description, message=message)
    assert len(rendered.subject.splitlines()) == 1
    assert rendered.subject.isprintable()
    assert "\n\n\n" not in rendered.text
    assert Reader(rendered.html).tags.count("script") == 0


# --- For programs -------------------------------------------------------------------------


def test_the_json_is_an_envelope_of_standard_webhooks() -> None:
    rendered = json.loads(json.dumps(page(loop=2, is_resend=True).json))
    assert rendered == {
        "type": "incident.paged",
        "timestamp": "2026-11-21T03:13:00Z",
        "data": {
            "incident": {
                "id": 4711,
                "title": "Disk full on db-1",
                "description": "The volume fills.\n\nFree the WAL first.",
                "severity": "critical",
                "service": "database",
                "source": "Prometheus",
                "url": "https://grafana.test/d/db?a=1&b=2",
                "opened_at": "2026-11-21T03:12:05Z",
                "alert_count": 12,
                "api_url": "https://tocsin.test/v1/incidents/4711",
            },
            "policy": "Primary",
            "is_fallback": False,
            "loop": 2,
            "step": 1,
            "step_count": 3,
            "message": "Call Bob before you restart anything.",
            "recipient": "Ana",
            "acknowledge_url": ACKNOWLEDGE,
            "is_resend": True,
            "is_drill": False,
        },
    }


def test_programs_get_the_words_as_they_are() -> None:
    incident = page(title="Disk\nfull <b>").json["data"]["incident"]
    assert incident["title"] == "Disk\nfull <b>"
