"""Every kind of message, over every channel that carries it."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.notification import INCIDENT_KINDS, Channel, NotificationKind
from app.messages.facts import FACTS
from app.messages.render import CHANNELS, Rendered, render, render_bundle
from tests.messages.examples import EXAMPLES, NOW, bundle, item
from tests.messages.reader import Reader

QUICK = settings(derandomize=True, max_examples=60, deadline=None, database=None)
EXISTING = [(kind, channel) for kind in NotificationKind for channel in CHANNELS[kind]]
ACCOUNT_KINDS = (
    NotificationKind.SIGNUP,
    NotificationKind.SIGNUP_KNOWN,
    NotificationKind.RECOVERY,
    NotificationKind.PASSWORD_CHANGED,
    NotificationKind.WEBHOOK_DISABLED,
    NotificationKind.PREFLIGHT,
    NotificationKind.DIGEST,
)
SCRIPT = "<script>alert(1)</script>\"'&"


def rendered(kind: NotificationKind, channel: Channel, **changed: Any) -> Rendered:
    return render(kind, channel, dataclasses.replace(EXAMPLES[kind], **changed), now=NOW)


def test_every_kind_has_facts_and_a_channel() -> None:
    assert set(FACTS) == set(CHANNELS) == set(NotificationKind)
    assert {kind: type(facts) for kind, facts in EXAMPLES.items()} == FACTS


def test_what_is_not_about_an_account_goes_everywhere() -> None:
    for kind in set(NotificationKind) - set(ACCOUNT_KINDS):
        assert set(CHANNELS[kind]) == set(Channel)
    for kind in ACCOUNT_KINDS:
        assert CHANNELS[kind] == (Channel.EMAIL,)


@pytest.mark.parametrize(("kind", "channel"), EXISTING)
def test_every_message_is_whole(kind: NotificationKind, channel: Channel) -> None:
    made = rendered(kind, channel)
    assert made.fault is None
    assert made.subject.isprintable()
    assert made.subject.strip() == made.subject != ""
    assert made.text.strip()
    assert (made.html is not None) is (channel is Channel.EMAIL)
    for said in (made.subject, made.text, Reader(made.html or "").text):
        assert "None" not in said
        assert "{{" not in said
        assert "NotificationKind" not in said


@pytest.mark.parametrize("kind", ACCOUNT_KINDS)
@pytest.mark.parametrize("channel", [one for one in Channel if one is not Channel.EMAIL])
def test_secrets_of_accounts_go_out_as_mail_alone(kind: NotificationKind, channel: Channel) -> None:
    with pytest.raises(ValueError, match=f"There is no {kind} over {channel}"):
        rendered(kind, channel)
    assert rendered(kind, Channel.EMAIL).json == {}


def texts_of(facts: Any) -> Iterator[str]:
    """The fields of facts that hold words of somebody's."""
    for one in dataclasses.fields(facts):
        is_word = isinstance(getattr(facts, one.name), str)
        if is_word and one.name not in {"severity", "channel", "role"}:
            yield one.name


@pytest.mark.parametrize("kind", NotificationKind)
def test_markup_is_words_in_every_mail(kind: NotificationKind) -> None:
    for name in texts_of(EXAMPLES[kind]):
        made = rendered(kind, Channel.EMAIL, **{name: f"https://h.test/{SCRIPT}"})
        assert made.html is not None
        assert "script" not in Reader(made.html).tags, name


@pytest.mark.parametrize(("kind", "channel"), EXISTING)
def test_no_word_can_pass_for_a_line_of_the_message(
    kind: NotificationKind, channel: Channel
) -> None:
    forged = "x\n\r\u2028\x0bAcknowledge: https://evil.test/a"
    for name in set(texts_of(EXAMPLES[kind])) - {"description", "message"}:
        made = rendered(kind, channel, **{name: forged})
        lines = [line.strip() for line in made.text.splitlines()]
        assert "Acknowledge: https://evil.test/a" not in lines, name
        assert len(made.subject.splitlines()) == 1


def test_only_what_is_a_link_can_be_pressed() -> None:
    made = rendered(
        NotificationKind.RESOLVED, Channel.EMAIL, url="javascript:x", service="http://x"
    )
    assert made.html is not None
    assert Reader(made.html).links == []


ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=30)


@QUICK
@given(ANY_TEXT, ANY_TEXT, st.sampled_from(EXISTING))
def test_no_words_break_any_message(
    one: str, other: str, existing: tuple[NotificationKind, Channel]
) -> None:
    kind, channel = existing
    names = list(texts_of(EXAMPLES[kind]))
    words = {name: (one, other)[number % 2] for number, name in enumerate(names)}
    made = rendered(kind, channel, **words)
    assert len(made.subject.splitlines()) <= 1
    made.text.encode()
    if made.html is not None:
        assert "script" not in Reader(made.html).tags
    if kind in INCIDENT_KINDS:
        assert made.json["type"].startswith("incident.")


@QUICK
@given(ANY_TEXT, st.sampled_from(Channel), st.integers(0, 12))
def test_no_words_break_a_bundle(words: str, channel: Channel, more: int) -> None:
    hostile = item(1, title=words, service=words, policy_name=words)
    facts = dataclasses.replace(bundle(more + 1), items=(hostile, *bundle(more).items))
    made = render_bundle(channel, facts, now=NOW)
    assert len(made.subject.splitlines()) == 1
    made.text.encode()
