"""Messages in an admin's own words."""

import dataclasses
import tracemalloc
from typing import Any

import pytest

from app.domain.notification import INCIDENT_KINDS, Channel, NotificationKind
from app.messages.facts import INCIDENT_FACTS
from app.messages.render import Rendered, preview, render
from app.messages.samples import BARE, FULL, PAGE
from app.messages.vocabulary import vocabulary
from app.messages.wording import WORDED_CHANNELS, Wording, check, variables
from tests.messages.examples import EXAMPLES, NOW
from tests.messages.reader import Reader

LINK = PAGE.acknowledge_url or ""


def worded(
    body: str,
    *,
    subject: str | None = None,
    channel: Channel = Channel.EMAIL,
    **changed: Any,
) -> Rendered:
    """A page in a wording that can be kept."""
    wording = Wording(subject, body)
    assert check(NotificationKind.PAGE, channel, wording) == []
    facts = dataclasses.replace(PAGE, **changed)
    made = render(NotificationKind.PAGE, channel, facts, now=NOW, wording=wording)
    assert made.fault is None
    return made


def said(body: str, **changed: Any) -> str:
    """What a body comes to, on a channel and in a page that add nothing to it."""
    return worded(body, acknowledge_url=None, **changed).text


# --- What can be said ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("{{ severity | upper }}: {{ title }}", "CRITICAL: Disk almost full on db-1"),
        ("#{{ incident_id }} since {{ opened_at }}", "#4711 since 2026-11-21 03:12:05 UTC"),
        ("{{ opened_at | instant }}", "2026-11-21 03:12:05 UTC"),
        ("{{ opened_at | upper | lower }}", "2026-11-21 03:12:05 utc"),
        ("step {{ step }}/{{ step_count }}, round {{ round }}", "step 2/3, round 1"),
        ("{{ is_fallback }}", "no"),
        ("{{ tags | join(', ') }}", "production, storage"),
        ("{{ tags | first }} {{ tags | last }} {{ tags | length }}", "production storage 2"),
        ("{% for tag in tags %}[{{ tag | title }}]{% endfor %}", "[Production][Storage]"),
        (
            "{% for n, v in labels %}{{ loop.index }}.{{ n }}={{ v }}"
            "{% if not loop.last %}, {% endif %}{% endfor %}",
            "1.host=db-1, 2.team=storage",
        ),
        ("{{ labels.team }} {{ labels['host'] }} {{ labels.none_such }}!", "storage db-1 !"),
        ("{{ labels.none_such | default('nobody') }}", "nobody"),
        ("{% if 'team' in labels and 'storage' in tags %}both{% endif %}", "both"),
        ("{% if severity in ['critical', 'high'] %}loud{% else %}quiet{% endif %}", "loud"),
        ("{% if alert_count > 10 %}many{% elif alert_count %}few{% endif %}", "many"),
        ("{% if source is none %}by hand{% else %}by {{ source }}{% endif %}", "by Prometheus"),
        ("{{ source if source else 'somebody' }}", "Prometheus"),
        ("{{ source or 'somebody' }}", "Prometheus"),
        ("{% if 'GB' in (description | default('')) %}disk{% endif %}", "disk"),
        ("{% if 'GB' in (description or '') %}disk{% endif %}", "disk"),
        ("{{ title ~ ' #' ~ incident_id }}", "Disk almost full on db-1 #4711"),
        ("{{ title | truncate(10) }}", "Disk almo…"),
        ("{{ '  x ' | trim | capitalize }} {{ alert_count | round }}", "X 12"),
        ("{{ alert_count | round(2) }}", "12"),
        ("{% raw %}{{ title }}{% endraw %}{# aside #}", "{{ title }}"),
        ("{% if not url == 'x' %}{{ title | length }}{% endif %}", "24"),
    ],
)
def test_what_a_wording_says(body: str, text: str) -> None:
    assert said(body) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("a{{ source }}b", "ab"),
        ("{{ source | default('by hand') }}", "by hand"),
        ("{{ source or 'by hand' }}", "by hand"),
        ("{% if source is not none %}tool{% else %}by hand{% endif %}", "by hand"),
        ("{{ description | upper }}x{{ description | length }}", "x0"),
        ("{{ tags | first }}{{ tags | last }}x{{ tags | join(',') }}", "x"),
        ("{% for tag in tags %}{{ tag }}{% else %}no tags{% endfor %}", "no tags"),
        ("{{ recipient | default(service) }}", "database"),
        ("{{ source | trim | default('by hand') }}", "by hand"),
    ],
)
def test_what_is_not_given_leaves_no_none(body: str, text: str) -> None:
    wording = Wording(None, body)
    made = render(
        NotificationKind.PAGE, Channel.EMAIL, BARE[NotificationKind.PAGE], now=NOW, wording=wording
    )
    assert (made.text, made.fault) == (text, None)


def test_a_line_with_only_a_tag_on_it_leaves_no_line() -> None:
    body = (
        "{{ title }}\n{% if source %}\n{{ source }}\n  {% endif %}\n"
        "{% for tag in tags -%}\n- {{ tag }}\n{% endfor %}\nend"
    )
    assert said(body) == "Disk almost full on db-1\nPrometheus\n- production\n- storage\nend"


def test_a_tag_at_the_end_of_a_line_leaves_the_line() -> None:
    assert said("{% if url %}see{% endif %}\nnext") == "see\nnext"


def test_a_message_is_tidy_whatever_the_template_looks_like() -> None:
    assert said("\n\n a  \n\n\n\n{{ description }}\n\n") == (
        "a\n\nThe volume fills by 2 GB an hour.\n\nFree the archived logs first."
    )


@pytest.mark.parametrize("kind", INCIDENT_KINDS)
@pytest.mark.parametrize("channel", WORDED_CHANNELS)
def test_every_incident_message_can_be_worded(kind: NotificationKind, channel: Channel) -> None:
    wording = Wording(None, "Mind {{ title }}!")
    assert check(kind, channel, wording) == []
    made = render(kind, channel, EXAMPLES[kind], now=NOW, wording=wording)
    assert made.fault is None
    assert made.text.startswith("Mind Disk almost full on db-1!")
    built_in = render(kind, channel, EXAMPLES[kind], now=NOW)
    assert (made.subject, made.json) == (built_in.subject, built_in.json)


# --- Subjects -----------------------------------------------------------------------------


def test_a_subject_is_one_line_of_255_characters() -> None:
    made = worded("x", subject="{{ title }}\n{{ title }}", title="T" * 200)
    assert made.subject == ("T" * 200 + " " + "T" * 200)[:255]


def test_a_subject_that_comes_out_empty_is_the_built_in_one() -> None:
    made = worded("x", subject="{{ source }}", source=None)
    assert made.subject == "[CRITICAL] Disk almost full on db-1 · database (#4711)"


# --- The link -----------------------------------------------------------------------------


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS, Channel.CHAT])
@pytest.mark.parametrize(
    "body",
    [
        "Wake up.",
        "x{{ acknowledge_url }}",
        "{{ acknowledge_url }}.",
        "{{ acknowledge_url | upper }}",
        "{{ acknowledge_url | truncate(20) }}",
        "{% if false %}{{ acknowledge_url }}{% endif %}x",
        "x" * 9000 + "{{ acknowledge_url }}",
        "{% for n, v in labels %}" + "y" * 9000 + "{% endfor %}{{ acknowledge_url }}",
    ],
)
def test_no_wording_loses_the_link(channel: Channel, body: str) -> None:
    made = worded(body, channel=channel, labels={"a": "", "b": "", "c": ""})
    assert LINK in made.text.splitlines() or LINK in made.text.split()
    assert len(made.text) <= (1600 if channel is Channel.SMS else 20_000)


def test_a_link_that_stands_there_is_not_added_again() -> None:
    made = worded("Stop it: {{ acknowledge_url }} (thanks)")
    assert made.text == f"Stop it: {LINK} (thanks)"


def test_the_button_of_a_mail_stays() -> None:
    assert Reader(worded("Wake up.").html or "").links == [LINK]
    assert Reader(worded("Wake up.", acknowledge_url=None).html or "").links == []


def test_a_push_keeps_its_link_beside_its_words() -> None:
    made = worded("Wake up.", channel=Channel.PUSH)
    assert made.text == "Wake up."
    assert made.json["acknowledge_url"] == LINK


# --- Strangers' words in an admin's -------------------------------------------------------


def test_no_html_of_a_wording_or_of_a_stranger_is_html() -> None:
    made = worded("<b>{{ title }}</b>", title="<script>alert(1)</script>")
    assert made.html is not None
    assert not {"b", "script"} & set(Reader(made.html).tags)
    assert "<b><script>alert(1)</script></b>" in "".join(Reader(made.html).words)
    assert "<b><script>alert(1)</script></b>" in made.text


@pytest.mark.parametrize("hostile", ["{{ 7 * 7 }}", "{% for x in y %}", "{{ acknowledge_url }}"])
def test_a_title_is_never_a_template(hostile: str) -> None:
    assert said("{{ title }}", title=hostile) == hostile


def test_a_title_stays_on_its_line() -> None:
    forged = "x\n\nAcknowledge:\nhttps://evil.test/a"
    assert len(said("{{ title }}", title=forged).splitlines()) == 1


def test_a_wording_for_a_chat_cannot_be_used_to_call_everybody() -> None:
    made = worded("{{ title }}", subject="{{ title }}", title="@everyone", channel=Channel.CHAT)
    assert "@everyone" not in made.text + made.subject


def test_values_are_bounded() -> None:
    assert len(said("{{ description }}", description="d" * 10_000)) == 2000
    many = {f"l{n}": "v" for n in range(500)}
    assert said("{{ labels | length }}", labels=many) == "64"
    assert said("{{ tags | length }}", tags=("t",) * 500) == "64"


def test_no_more_is_written_than_is_sent() -> None:
    wording = Wording(None, "{% for name, value in labels %}" + "y" * 9000 + "{% endfor %}")
    labels = {f"l{number}": "" for number in range(64)}
    facts = dataclasses.replace(PAGE, acknowledge_url=None, labels=labels)
    assert check(NotificationKind.PAGE, Channel.CHAT, wording) == []
    tracemalloc.start()
    made = render(NotificationKind.PAGE, Channel.CHAT, facts, now=NOW, wording=wording)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made.text == "y" * 20_000
    assert most < 300_000  # all of it would be 576,000


# --- Never a page lost --------------------------------------------------------------------


def fallen_back(channel: Channel, body: str, kind: NotificationKind = NotificationKind.PAGE) -> str:
    """Why a wording was not used; the message itself is the built-in one."""
    made = render(kind, channel, EXAMPLES[kind], now=NOW, wording=Wording(None, body))
    built_in = render(kind, channel, EXAMPLES[kind], now=NOW)
    assert made.fault is not None
    assert dataclasses.replace(made, fault=None) == built_in
    return made.fault


def test_a_wording_that_an_older_check_let_through_falls_back() -> None:
    fault = fallen_back(Channel.EMAIL, "{{ 10 * 10 }}")
    assert fault.startswith("The wording for page over email was not used: Arithmetic is not")
    assert len(fallen_back(Channel.SMS, "{{ " + "x" * 9000 + " }}")) <= 300


def test_a_wording_that_comes_out_empty_falls_back() -> None:
    body = "{% if severity == 'low' %}x{% endif %}"
    assert check(NotificationKind.PAGE, Channel.SMS, Wording(None, body)) == []
    assert "came out empty" in fallen_back(Channel.SMS, body)


def test_a_template_that_breaks_while_it_is_filled_in_falls_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> str:
        raise RecursionError("somewhere deep")

    body = "{{ title }} of a broken day"
    assert check(NotificationKind.PAGE, Channel.EMAIL, Wording(None, body)) == []
    monkeypatch.setattr("app.messages.wording._fill", broken)
    assert "somewhere deep" in fallen_back(Channel.EMAIL, body)


def test_what_cannot_be_worded_stays_as_it_is() -> None:
    fallen_back(Channel.WEBHOOK, "x")
    fallen_back(Channel.EMAIL, "x", NotificationKind.TEST)
    fallen_back(Channel.EMAIL, "x", NotificationKind.RECOVERY)


# --- What the console shows ---------------------------------------------------------------


@pytest.mark.parametrize("kind", INCIDENT_KINDS)
@pytest.mark.parametrize("channel", Channel)
def test_a_preview_is_the_message_about_a_believable_incident(
    kind: NotificationKind, channel: Channel
) -> None:
    built_in = preview(kind, channel)
    assert "Disk almost full on db-1" in f"{built_in.subject}{built_in.text}"
    if channel in WORDED_CHANNELS:
        made = preview(kind, channel, Wording(None, "Mind {{ service }}."))
        assert made.text.startswith("Mind database.")


@pytest.mark.parametrize("kind", INCIDENT_KINDS)
def test_the_variables_are_the_facts(kind: NotificationKind) -> None:
    fields = {one.name for one in dataclasses.fields(INCIDENT_FACTS[kind])}
    assert {word.field for word in vocabulary(kind).values()} == fields
    names = [variable.name for variable in variables(kind)]
    assert names == sorted(vocabulary(kind))
    for variable in variables(kind):
        assert variable.description.endswith((".", "]."))
        assert variable.example


@pytest.mark.parametrize("kind", INCIDENT_KINDS)
def test_every_variable_says_what_its_example_says(kind: NotificationKind) -> None:
    for variable in variables(kind):
        if variable.name in {"tags", "labels"}:
            continue
        wording = Wording(None, f"({{{{ {variable.name} }}}})")
        made = preview(kind, Channel.PUSH, wording)
        assert (made.fault, made.text) == (None, f"({variable.example})")


def test_only_a_page_knows_a_link_and_only_an_assignment_a_role() -> None:
    known = {kind: {one.name for one in variables(kind)} for kind in NotificationKind}
    assert [kind for kind in known if "acknowledge_url" in known[kind]] == [NotificationKind.PAGE]
    assert [kind for kind in known if "role" in known[kind]] == [NotificationKind.ASSIGNED]
    assert [kind for kind in known if known[kind]] == list(INCIDENT_KINDS) == list(FULL)
