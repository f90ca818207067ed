"""The bounds and the cleaning that every parser shares."""

import pytest

from app.domain.integration import UNREADABLE_KEY, Unreadable
from app.integrations import fields
from app.integrations.json_body import Json, parse


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'"two\nlines"', "two\nlines"),
        ("\u00dcberlast".encode("latin-1").join([b'"', b'"']), "\u00dcberlast"),
        (b"9" * 400, "9" * 400),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
    ],
)
def test_what_senders_really_send_is_read(body: bytes, value: Json) -> None:
    assert parse(body) == value


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "The body is empty."),
        (b" \n", "The body is empty."),
        (b"{", "The body is not JSON: Expecting property name enclosed in double quotes"),
        (b"[" * 100_000, "The body is nested too deeply to be read."),
    ],
)
def test_what_is_not_json_says_why(body: bytes, reason: str) -> None:
    unreadable = parse(body)
    assert isinstance(unreadable, Unreadable)
    assert unreadable.reason.startswith(reason)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("a\x00b\x1b[31m\x7f", "ab[31m"),
        ("\ud800 x", "\ufffd x"),
        (" a\r\n\tb\rc ", "a\n\tb\nc"),
        (5, "5"),
        (0, "0"),
        (False, "false"),
        (float("inf"), "Infinity"),
        ({"a": ["ü"]}, '{"a": ["ü"]}'),
        ("", None),
        ("\x00", None),
        (None, None),
        ([], None),
        ({}, None),
        ("x" * 20, "x" * 20),
        ("x" * 21, "x" * 19 + "…"),
        ("x" * 1_000_000, "x" * 19 + "…"),
    ],
)
def test_a_text_is_clean_and_keeps_its_bound(value: Json, said: str | None) -> None:
    assert fields.text(value, 20) == said


def test_a_line_has_no_breaks() -> None:
    assert fields.line(" a\r\nb\u2028c\t d ", 20) == "a b c d"


def test_a_value_nested_too_deeply_is_named_as_such() -> None:
    deep: Json = 1
    for _ in range(100_000):
        deep = [deep]
    assert fields.text(deep, 50) == "(nested too deeply)"


@pytest.mark.parametrize("whole", ["k" * 255, "a b", '{}:{a="b"}', "ü"])
def test_a_fit_key_stays_as_it_is(whole: str) -> None:
    assert fields.key(whole) == whole


@pytest.mark.parametrize(
    ("one", "other"),
    [("k" * 256, "k" * 257), ("a\x00", "a"), ("a\nb", "a b"), ("a\ud800", "a\ud801")],
)
def test_keys_that_are_cut_or_cleaned_stay_different(one: str, other: str) -> None:
    found = fields.key(one), fields.key(other)
    assert found[0] != found[1]
    assert all(key and len(key) <= 255 and key.isprintable() for key in found)
    assert found == (fields.key(one), fields.key(other))


def test_a_sender_cannot_use_the_key_that_is_ours() -> None:
    assert fields.key(UNREADABLE_KEY) != UNREADABLE_KEY


@pytest.mark.parametrize(
    ("value", "link"),
    [
        ("https://a.example/x?y=1#z", "https://a.example/x?y=1#z"),
        ("HTTP://a.example:8080/", "HTTP://a.example:8080/"),
        ('https://a.example/a b"<>', "https://a.example/a%20b%22%3C%3E"),
        ("http://[::1]:9090/graph", "http://[::1]:9090/graph"),
        ("https://a.example/p?q=" + "x" * 2000, "https://a.example/p"),
        ("https://a.example/" + "x" * 2000, None),
        ("javascript:alert(1)", None),
        ("ftp://a.example/", None),
        ("/app/apm", None),
        ("https://", None),
        ("http://[", None),
        ("http:\\\\a.example", None),
        (5, None),
        (None, None),
    ],
)
def test_a_link_is_one_that_a_browser_may_follow(value: Json, link: str | None) -> None:
    assert fields.url(value) == link


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("a,b", ("a", "b")),
        ("a b  a", ("a", "b")),
        (["a b", None, 1, "", "a b", ["c"]], ("a b", "1")),
        ({"env": "prod", "hosts": ["h1"]}, ("env:prod",)),
        (5, ("5",)),
        (None, ()),
        ("", ()),
        (["t" * 200], ("t" * 99 + "…",)),
        ([str(n) for n in range(50)], tuple(str(n) for n in range(32))),
    ],
)
def test_tags_come_in_any_shape(value: Json, tags: tuple[str, ...]) -> None:
    assert fields.tags(value) == tags


def test_labels_are_few_short_and_the_first_of_a_name_stands() -> None:
    first: dict[str, Json] = {"a": 1, "": "x", "gone": None, "n" * 101: "v" * 2000}
    found = fields.labels(first, {"a": 2}, {f"l{n}": n for n in range(100)})
    assert found["a"] == "1"
    assert len(found) == 64
    assert all(0 < len(name) <= 100 and 0 < len(value) <= 1000 for name, value in found.items())
