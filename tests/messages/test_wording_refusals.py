"""What a wording may not say, and that it is told so quickly and in a sentence."""

import time

import pytest

from app.domain.notification import Channel, NotificationKind
from app.messages.wording import Fault, Wording, check

UNEXPECTED = "write it more simply"  # what is said where nothing better is known
PATIENCE = 2.0  # seconds; the slowest takes a twentieth of one


def faults(body: str, channel: Channel = Channel.EMAIL, subject: str | None = None) -> list[Fault]:
    return check(NotificationKind.PAGE, channel, Wording(subject, body))


def refusal(body: str) -> str:
    """The first thing that is said against a body."""
    began = time.perf_counter()
    found = faults(body)
    assert time.perf_counter() - began < PATIENCE
    assert found, body
    assert len(found) <= 20
    for fault in found:
        assert fault.field == "body"
        assert fault.line >= 1
        assert len(fault.message) < 1000
        assert fault.message[0].isupper() or fault.message[0] == "“" or fault.message[0] == "{"
        assert fault.message.endswith(".")
    return found[0].message


# --- Whatever makes much of little --------------------------------------------------------


@pytest.mark.parametrize(
    "expression",
    [
        "'x' * 1000000000",
        "title * 1000000",
        "10 ** 10 ** 10",
        "1 + 1",
        "title + title",
        "1 - 1",
        "-alert_count",
        "+alert_count",
        "4 / 2",
        "4 // 2",
        "4 % 2",
        "'%1000000000d' % 1",
        "range(1000000000)",
        "'{:>1000000000}'.format(1)",
        "title.upper()",
        "title.__class__",
        "title.center",
        "''.join(tags)",
        "labels.items()",
        "labels.__class__.__mro__",
        "labels._values",
        "cycler('a')",
        "joiner(',')",
        "lipsum(n=100000)",
        "namespace(a=1)",
        "dict(a=1)",
        "self",
        "super()",
        "self._TemplateReference__context",
        "tags[0]",
        "tags[0:1]",
        "title[0]",
        "title[::-1]",
        "labels[title]",
        "labels.a.b",
        "['x'] | join",
        "['x', 'y']",
        "{'a': 1}",
        "('a', 'b')",
        "(title ~ title) | upper",
        "(title ~ title) | length",
        "(title ~ title) ~ title",
        "title if (title ~ title) == 'x' else ''",
        "title | default(title ~ title)",
        "title ~ description",
        "tags ~ tags",
        "tags",
        "labels",
        "tags or 'none'",
        "labels if url else 'x'",
        "title if url",
        "1.5",
        "1e400 | round",
        "9999999999",
        "'" + "x" * 201 + "'",
        "title < 'm'",
        "severity >= 'high'",
        "alert_count > '1'",
        "alert_count > source",
        "opened_at > 5",
        "alert_count in title",
        "'disk' in description",
        "'a' in 5",
        "title in [service]",
        "title is divisibleby(3)",
        "title is sameas(title)",
        "title is none(1)",
        "title is defined('x')",
        "alert_count is even",
    ],
)
def test_an_expression_that_is_refused(expression: str) -> None:
    assert UNEXPECTED not in refusal(f"{{{{ {expression} }}}}")


@pytest.mark.parametrize(
    "filtered",
    [
        "title | center(1000000000)",
        "title | indent(1000000000)",
        "title | replace('a', 'aaaaaaaaaa')",
        "title | wordwrap(1)",
        "title | format(title)",
        "'%s%s' | format(title, title)",
        "title | pprint",
        "title | tojson",
        "title | urlize",
        "title | xmlattr",
        "title | escape",
        "title | forceescape",
        "title | safe",
        "title | striptags",
        "title | string",
        "title | list",
        "title | reverse",
        "title | map('upper')",
        "tags | map('center', 1000000)",
        "tags | select('defined')",
        "tags | sort",
        "tags | batch(1, 'x')",
        "tags | slice(1000000000)",
        "tags | groupby('x')",
        "tags | sum",
        "labels | dictsort",
        "labels | items",
        "title | attr('__class__')",
        "alert_count | filesizeformat",
        "title | random",
        "title | unique",
        "tags | join",
        "tags | join(title)",
        "tags | join('" + "x" * 21 + "')",
        "tags | join(', ', 'name')",
        "tags | join(d=', ')",
        "tags | join(*tags)",
        "title | join(',')",
        "labels | join(',')",
        "title | truncate",
        "title | truncate(1001)",
        "title | truncate(0)",
        "title | truncate(true)",
        "title | truncate(alert_count)",
        "title | truncate(10, true)",
        "title | truncate(length=10)",
        "title | default(other)",
        "title | default(tags)",
        "title | default",
        "tags | default('x')",
        "tags | upper",
        "labels | first",
        "title | first",
        "title | round",
        "alert_count | round(7)",
        "alert_count | round(1, 'floor')",
        "title | instant",
        "source | instant",
        "title | upper(1)",
        "title | upper(value=1)",
        "title | upper(*tags)",
        "title | upper(**labels)",
        "title | truncate(10, end='')",
        "title | truncate(10, *tags)",
        "tags | join(', ', **labels)",
        "source | default(tags) | length",
        "source | default(labels) | length",
        "source | default(5) in title",
        "'a' in (source | default(5))",
        "opened_at | length",
    ],
)
def test_a_filter_that_is_refused(filtered: str) -> None:
    assert UNEXPECTED not in refusal(f"{{{{ {filtered} }}}}")


@pytest.mark.parametrize(
    "body",
    [
        "{% set x = title %}",
        "{% set x %}{{ title }}{% endset %}",
        "{% macro m() %}{% endmacro %}",
        "{% call m() %}{% endcall %}",
        "{% include 'page.txt' %}",
        "{% extends 'page.txt' %}",
        "{% import 'page.txt' as p %}",
        "{% from 'page.txt' import p %}",
        "{% block b %}{% endblock %}",
        "{% filter upper %}x{% endfilter %}",
        "{% with a = title %}{{ a }}{% endwith %}",
        "{% autoescape true %}x{% endautoescape %}",
        "{% do title %}",
        "{% for a in range(10) %}{% endfor %}",
        "{% for a in title %}{% endfor %}",
        "{% for a in 'xxxxxxxx' %}{% endfor %}",
        "{% for a in [1, 2, 3] %}{% endfor %}",
        "{% for a in tags | sort %}{% endfor %}",
        "{% for a in labels %}{% endfor %}",
        "{% for a, b in tags %}{% endfor %}",
        "{% for a, b, c in labels %}{% endfor %}",
        "{% for a, (b, c) in labels %}{% endfor %}",
        "{% for a in tags %}{% for b in tags %}{% endfor %}{% endfor %}",
        "{% for a in tags %}{% if a %}{% for b, c in labels %}{% endfor %}{% endif %}{% endfor %}",
        "{% for a in tags recursive %}{{ loop(tags) }}{% endfor %}",
        "{% for a in tags if a %}{% endfor %}",
        "{% for title in tags %}{% endfor %}",
        "{% for loop in tags %}{% endfor %}",
        "{% for ﬁ in tags %}{% endfor %}",
        "{% for a in tags %}{% break %}{% endfor %}",
        "{% for a in tags %}{{ loop.cycle('a', 'b') }}{% endfor %}",
        "{% for a in tags %}{{ loop.changed }}{% endfor %}",
        "{% for a in tags %}{{ loop }}{% endfor %}",
        "{% for a in tags %}{{ loop.__class__ }}{% endfor %}",
        "{% for a in tags %}{% endfor %}{{ a }}",
        "{% for a in tags %}{% else %}{{ a }}{% endfor %}",
        "{{ loop.index }}",
        "{% if tags | sort %}{% endif %}",
        "{% if",
        "{{ title",
        "{{",
        "{{ }}",
        "{{ title }",
        "{% endif %}",
        "{% if title %}",
        "{% nonsense %}",
        "{# never closed",
        "{{ title ! }}",
        "{{ '\\d }}",
    ],
)
def test_a_construct_that_is_refused(body: str) -> None:
    assert UNEXPECTED not in refusal(body)


@pytest.mark.parametrize(
    "body",
    [
        "{{" + "(" * 4900 + "1" + ")" * 4900 + "}}",
        "{{" + "(" * 9900,
        "{{" + "[" * 9900,
        "{{" + "not " * 2400 + "url}}",
        "{{" + "-" * 9900 + "1}}",
        "{{" + " or ".join(["url"] * 1400) + "}}",
        "{{" + " and ".join(["url"] * 1200) + "}}",
        "{{" + "1 if 1 else " * 800 + "1}}",
        "{{url" + "|upper" * 1600 + "}}",
        "{{labels" + ".a" * 4900 + "}}",
        "{{labels" + "['a']" * 1900 + "}}",
        "{{" + "==".join(["url"] * 1900) + "}}",
        "{{url in [" + "1," * 4900 + "]}}",
        "{%if 1%}" * 1200,
        "{%if 1%}" * 550 + "{%endif%}" * 550,
        "{%if 0%}" + "{%elif 0%}" * 990 + "{%endif%}",
        "{% for a in tags %}" + "{{a}}" * 100 + "{% endfor %}",
        "{% for a in tags %}{% endfor %}{% for a in tags %}{% if a in title %}{% endif %}"
        "{% if a in title %}{% endif %}{% if a in title %}{% endif %}{% endfor %}",
        "{% if title in title %}{% endif %}" * 150,
        "{{" + "9" * 9900 + "}}",
        "{{" + "1_" * 4900 + "1}}",
        "{{" + "1" * 5000 + "." + "1" * 4900 + "}}",
        "{{'" + "\\'" * 4900,
        "{#" * 4900,
        "{% raw %}" + "{%  " * 2400,
        "{%" + " " * 9900,
        ("{%" + " " * 50) * 190,
        "{{x}}" * 2000,
        "".join(f"{{{{x{number}}}}}" for number in range(1000)),
        "\n" * 9000 + "{{ x }}",
    ],
)
def test_what_is_too_deep_too_much_or_too_odd(body: str) -> None:
    refusal(body[:10_000])


def test_brackets_without_end_are_called_that() -> None:
    assert refusal("{{" + "(" * 9900) == "This is nested too deep; use fewer brackets."


def test_eight_deep_is_deep_enough() -> None:
    deep = "{{ title" + " | upper" * 8 + " }}"
    assert faults(deep) == []
    assert refusal(deep.replace(" }}", " | upper }}")) == "This is nested more than 8 deep."
    ifs = "{% if url %}" * 8 + "x" + "{% endif %}" * 8
    assert faults(ifs) == []
    assert "more than 8 deep" in refusal(f"{{% if url %}}{ifs}{{% endif %}}")


# --- What is said about it ----------------------------------------------------------------


def test_every_fault_has_its_line() -> None:
    found = faults("fine\n{{ nobody }}\n\n{{ title | centre }}\n{% set x = 1 %}")
    assert [fault.line for fault in found] == [2, 4, 5]
    assert found[0].message.startswith("“nobody” is not known here. Known are: acknowledge_url, ")
    assert found[0].message.endswith("title, url.")
    assert found[1].message.startswith("“centre” is no filter here. Filters are: capitalize, ")
    assert found[2].message.startswith("{% set %} is not allowed in a wording. Allowed are ")


def test_lines_stay_where_they_are_though_some_of_them_vanish() -> None:
    assert [one.line for one in faults("{% if url %}\nx\n{% endif %}\n{{ nobody }}")] == [4]
    assert [one.line for one in faults("a\nb\n{{ title")] == [3]


def test_in_a_loop_its_own_names_are_known() -> None:
    body = "{% for name, value in labels %}{{ nobody }}{% endfor %}"
    assert "Known are: name, value, acknowledge_url" in faults(body)[0].message


def test_a_list_is_told_how_to_be_printed() -> None:
    assert '{{ tags | join(", ") }}' in refusal("{{ tags }}")
    assert "{{ labels.team }}" in refusal("{{ labels }}")


def test_faults_of_subject_and_body_are_told_apart() -> None:
    found = faults("{{ a }}", subject="{{ b }}")
    assert [(one.field, "“b”" in one.message) for one in found] == [
        ("subject", True),
        ("body", False),
    ]


@pytest.mark.parametrize(
    ("subject", "body", "field"),
    [
        ("s" * 256, "x", "subject"),
        (" \n", "x", "subject"),
        ("", "x", "subject"),
        (None, "x" * 10_001, "body"),
        (None, "", "body"),
        (None, " \n\t", "body"),
    ],
)
def test_what_is_too_long_or_says_nothing(subject: str | None, body: str, field: str) -> None:
    assert [one.field for one in faults(body, subject=subject)] == [field]


def test_the_longest_that_is_allowed() -> None:
    assert faults("x" * 10_000, subject="s" * 255) == []


def test_a_text_message_has_no_subject() -> None:
    assert [one.field for one in faults("x", Channel.SMS, subject="x")] == ["subject"]


@pytest.mark.parametrize(
    ("kind", "channel", "field"),
    [
        (NotificationKind.PAGE, Channel.WEBHOOK, "channel"),
        (NotificationKind.TEST, Channel.EMAIL, "kind"),
        (NotificationKind.VERIFICATION, Channel.SMS, "kind"),
        (NotificationKind.RECOVERY, Channel.EMAIL, "kind"),
    ],
)
def test_what_has_no_wording(kind: NotificationKind, channel: Channel, field: str) -> None:
    assert [one.field for one in check(kind, channel, Wording(None, "x"))] == [field]


def test_what_one_kind_knows_another_may_not() -> None:
    wording = Wording(None, "{{ actor }}")
    assert check(NotificationKind.RESOLVED, Channel.EMAIL, wording) == []
    assert check(NotificationKind.PAGE, Channel.EMAIL, wording) != []
