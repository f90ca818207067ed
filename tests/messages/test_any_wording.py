"""Whatever an admin writes: it is refused with a reason, or it renders for every incident."""

import dataclasses
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.notification import INCIDENT_KINDS, Channel, NotificationKind
from app.messages.facts import PageFacts
from app.messages.render import render
from app.messages.samples import BARE, FULL, PAGE
from app.messages.wording import WORDED_CHANNELS, Wording, check
from tests.messages.examples import NOW
from tests.messages.reader import Reader

QUICK = settings(derandomize=True, max_examples=150, deadline=None, database=None)
PIECES = [
    "{{ ", " }}", "{% ", " %}", "{%- ", " -%}", "{% raw %}", "{% endraw %}", "{#", "#}", "\n",
    "{% if url %}", "{% else %}", "{% elif tags %}", "{% endif %}", "{% for tag in tags %}",
    "{% for n, v in labels %}", "{% endfor %}", "{{ tag }}", "{{ n }}", "loop.index", "loop.last",
    "title", "description", "source", "alert_count", "opened_at", "tags", "labels", "labels.team",
    "labels['x']", "is_fallback", "round", "'text'", '"', "1", "none", "true", "nobody",
    " | ", "|upper", "|title", "|truncate(5)", "|default('x')", "|default(source)", "|length",
    "|first", "|join(', ')", "|instant", "|round", "|center(9)", "(", ")", "[", "]", ",", ".",
    " ~ ", " + ", " * ", " == ", " < ", " in ", " not ", " and ", " or ", " is none", " if ",
    " else ", "<b>", "é", "\ud800", "\x00", "\\", " ",
]  # fmt: skip
VALUES = ["title", "description", "source", "alert_count", "opened_at", "is_fallback", "tags",
          "labels", "labels.team", "'text'", "1", "none", "true", "url", "step"]  # fmt: skip
FILTERS = ["upper", "title", "truncate(5)", "default('x')", "default(url)", "length", "first",
           "join('-')", "instant", "round(1)", "trim", "capitalize", "last"]  # fmt: skip
OPERATORS = ["==", "!=", "<", ">=", "in", "not in", "and", "or", "~"]


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions made of expressions, most of them of a wrong type."""
    return st.one_of(
        st.builds("{} | {}".format, inner, st.sampled_from(FILTERS)),
        st.builds("({} {} {})".format, inner, st.sampled_from(OPERATORS), inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("not {}".format, inner),
        st.builds("{} is none".format, inner),
    )


EXPRESSIONS = st.recursive(st.sampled_from(VALUES), nested, max_leaves=5)
SENTENCES = st.lists(
    st.one_of(
        st.builds("{{{{ {} }}}}".format, EXPRESSIONS),
        st.builds("{{% if {} %}}x{{% else %}}{{{{ {} }}}}{{% endif %}}".format, EXPRESSIONS,
                  EXPRESSIONS),
        st.builds("{{% for tag in tags %}}{{{{ {} }}}}{{% endfor %}}".format, EXPRESSIONS),
    ),
    min_size=1,
    max_size=3,
).map("".join)  # fmt: skip
SOUP = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)
ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=200)
BODIES = st.one_of(SENTENCES, SOUP, ANYTHING)

HOSTILE = dataclasses.replace(
    PAGE,
    title="ŉ\n\x00<script>{{ 7 }}" * 12,
    description="ŉ\ud800\u2028" * 3000,
    message="İ" * 2000,
    tags=tuple("ŉ" * 100 for _ in range(64)),
    labels={f"team{number}": "ß" * 1000 for number in range(64)},
)
ROUND = (FULL[NotificationKind.PAGE], BARE[NotificationKind.PAGE], HOSTILE)


def renders(channel: Channel, facts: PageFacts, wording: Wording, *, is_fine: bool) -> None:
    made = render(NotificationKind.PAGE, channel, facts, now=NOW, wording=wording)
    came_to_nothing = made.fault is not None and "came out empty" in made.fault
    assert (made.fault is None) == is_fine or came_to_nothing, (wording, made.fault)
    assert made.text.strip()
    assert made.subject.replace("\u200b", "").isprintable()
    made.text.encode()
    if facts.acknowledge_url and channel is not Channel.PUSH:
        assert facts.acknowledge_url in made.text.split()
    if made.html is not None:
        assert "script" not in Reader(made.html).tags


@QUICK
@given(BODIES, st.none() | BODIES, st.sampled_from(WORDED_CHANNELS))
def test_a_wording_is_refused_or_renders(body: str, subject: str | None, channel: Channel) -> None:
    wording = Wording(subject, body)
    is_fine = check(NotificationKind.PAGE, channel, wording) == []
    for facts in ROUND:
        assert isinstance(facts, PageFacts)
        renders(channel, facts, wording, is_fine=is_fine)


@QUICK
@given(SENTENCES, st.sampled_from(INCIDENT_KINDS))
def test_whatever_is_accepted_works_for_every_kind(body: str, kind: NotificationKind) -> None:
    wording = Wording(None, "x" + body)
    if check(kind, Channel.EMAIL, wording) == []:
        for facts in (FULL[kind], BARE[kind]):
            made = render(kind, Channel.EMAIL, facts, now=NOW, wording=wording)
            assert made.fault is None


def test_the_dearest_wordings_that_are_accepted_cost_little() -> None:
    dear = [
        "{{url}}" * 1428,
        "{{description|upper|lower|upper|lower|length}}" * 210,
        "{% for n, v in labels %}"
        + "{{description|upper|lower|upper|length}}" * 8
        + "{% endfor %}",
        "{{" + "~".join(["policy_name"] * 800) + "}}",
        "{% for n, v in labels %}" + "y" * 9000 + "{{ v }}{% endfor %}",
        "{% if title in title %}{% endif %}" * 110 + "x",
    ]
    for body in dear:
        wording = Wording(None, body)
        assert check(NotificationKind.PAGE, Channel.EMAIL, wording) == []
        began = time.perf_counter()
        made = render(NotificationKind.PAGE, Channel.EMAIL, HOSTILE, now=NOW, wording=wording)
        assert time.perf_counter() - began < 1.0
        assert made.fault is None
        assert len(made.text) <= 20_000
