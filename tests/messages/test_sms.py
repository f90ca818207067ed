"""Text messages: short, in letters that the network sends whole, the link at the end."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.notification import Channel, NotificationKind
from app.messages.render import CHANNELS, render, render_bundle
from app.messages.samples import PAGE
from tests.messages.examples import EXAMPLES, NOW, bundle, item

# 3GPP TS 23.038, the default alphabet and its extension table.
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("^{}\\[~]|€")
QUICK = settings(derandomize=True, max_examples=100, deadline=None, database=None)


def letters(text: str) -> int:
    """How many of the 160 letters of one text message a text takes."""
    return sum(2 if letter in EXTENDED else 1 for letter in text)


def sms(kind: NotificationKind = NotificationKind.PAGE, **changed: Any) -> str:
    facts = dataclasses.replace(EXAMPLES[kind], **changed)
    return render(kind, Channel.SMS, facts, now=NOW).text


def test_the_whole_page() -> None:
    assert sms() == (
        "CRITICAL: Disk almost full on db-1 (database) #4711\n"
        "Ack: https://tocsin.example.org/a/MTIz.kM3nVb8xQ2"
    )
    assert sms(acknowledge_url=None) == "CRITICAL: Disk almost full on db-1 (database) #4711"


@pytest.mark.parametrize("kind", [kind for kind in CHANNELS if Channel.SMS in CHANNELS[kind]])
def test_our_own_words_are_in_the_alphabet(kind: NotificationKind) -> None:
    assert set(sms(kind)) <= BASIC | EXTENDED


def test_a_bundle_is_in_the_alphabet_and_in_one_message() -> None:
    text = render_bundle(Channel.SMS, bundle(200, 1234), now=NOW).text
    assert set(text) <= BASIC
    assert letters(text) <= 160


TYPOGRAPHY = "“Disk” full – it’s bad… → see „logs“"


def test_typography_does_not_cost_a_second_message() -> None:
    text = sms(title=TYPOGRAPHY)
    assert set(text) <= BASIC | EXTENDED
    assert '"Disk" full - it\'s bad... -> see "logs"' in text


@QUICK
@given(st.text(max_size=300), st.text(max_size=120), st.text(max_size=120))
def test_no_title_makes_it_longer(title: str, service: str, actor: str) -> None:
    page = sms(title=title, service=service)
    assert letters(page.removesuffix(str(PAGE.acknowledge_url))) <= 160
    for kind in (
        NotificationKind.ACKNOWLEDGED,
        NotificationKind.RESOLVED,
        NotificationKind.ASSIGNED,
    ):
        text = sms(kind, title=title, service=service, actor=actor)
        assert letters(text) <= 160
        assert text.endswith("#4711")


def test_a_long_title_is_cut_and_everything_else_stays() -> None:
    text = sms(title="A" * 300)
    assert text.startswith("CRITICAL: AAAA")
    assert "A... (database) #4711\nAck: https://" in text
    assert letters(text.partition("https")[0]) == 160


def test_a_bundle_tells_what_fits_and_counts_the_rest() -> None:
    facts = bundle(3)
    short = dataclasses.replace(
        facts, items=(item(1, title="A"), item(3, title="B"), item(5, title="C"))
    )
    assert render_bundle(Channel.SMS, short, now=NOW).text == (
        "3 incidents: CRITICAL A #4701; CRITICAL C #4705; HIGH B #4703."
    )
    more = dataclasses.replace(short, total=50)
    assert render_bundle(Channel.SMS, more, now=NOW).text.endswith("HIGH B #4703; 47 more.")


@QUICK
@given(st.lists(st.text("ab^", max_size=60), min_size=1, max_size=8), st.integers(0, 10**6))
def test_a_bundle_is_never_longer_than_one_message(titles: list[str], more: int) -> None:
    items = tuple(item(number, title=title) for number, title in enumerate(titles))
    facts = dataclasses.replace(bundle(1), items=items, total=len(items) + more)
    assert letters(render_bundle(Channel.SMS, facts, now=NOW).text) <= 160


def test_a_code_comes_first() -> None:
    assert sms(NotificationKind.VERIFICATION).startswith("042917 ")


def test_a_minute_is_not_minutes() -> None:
    assert "1 minute." in sms(NotificationKind.VERIFICATION, minutes=1)
