"""Words from anywhere, made fit for one place in a message."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.messages.plain import block, counted, cut, instant, line, zulu


@pytest.mark.parametrize(
    ("text", "on_a_line"),
    [
        ("  a   b ", "a b"),
        ("a\n\r\tb", "a b"),
        ("a\x00\x1b\u2028\u202e\ud800b", "a b"),
        ("né – 語 🔥", "né – 語 🔥"),
        ("\n", ""),
    ],
)
def test_a_line_is_printable_words(text: str, on_a_line: str) -> None:
    assert line(text) == on_a_line


def test_a_block_keeps_its_lines_and_nothing_unseen() -> None:
    assert block("\n\n a\tb \r\n\n\n\x07\n\x1bc\ud800\n") == "a\tb\n\nc"


@pytest.mark.parametrize(("room", "text"), [(4, "abcd"), (3, "ab…"), (1, "…")])
def test_a_cut_shows(room: int, text: str) -> None:
    assert cut("abcd", room) == text


def test_moments_are_in_utc() -> None:
    tokyo = datetime(2026, 11, 21, 12, 12, 5, tzinfo=timezone(timedelta(hours=9)))
    assert instant(tokyo) == "2026-11-21 03:12:05 UTC"
    assert zulu(tokyo) == zulu(tokyo.astimezone(UTC)) == "2026-11-21T03:12:05Z"


def test_one_is_not_many() -> None:
    assert [counted(number, "hour") for number in (0, 1, 2)] == ["0 hours", "1 hour", "2 hours"]
