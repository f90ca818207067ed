"""What the audit log shows of a value: no secret that is known by its looks, nothing endless."""

from datetime import UTC, datetime, time

import pytest

from app.domain.audit_log import LEFT_OUT, LONGEST_TEXT, cleaned, place, shown
from app.domain.user import Role


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://ana:hunter2@db.example.org/x", f"https://{LEFT_OUT}@db.example.org/x"),
        ("see postgres://u:p%40ss@h:5432/db now", f"see postgres://{LEFT_OUT}@h:5432/db now"),
        ("https://x.example/a?token=hunter2#top", f"https://x.example/a?{LEFT_OUT}#top"),
        ("Authorization: Bearer abcdefgh12345", f"Authorization: Bearer {LEFT_OUT}"),
        ("authorization: basic YW5hOmh1bnRlcjI=", f"authorization: basic {LEFT_OUT}"),
        ("key tik_4fXqAbCdEfGh is lost", f"key {LEFT_OUT} is lost"),
        ("toc_" + "a" * 48, LEFT_OUT),
        ("trt_Vb2nVb2nVb2n", LEFT_OUT),
        ("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", LEFT_OUT),
        ("eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl", LEFT_OUT),
        # What only looks a little like one stays.
        ("Why? Because. https://x.example/a/b", "Why? Because. https://x.example/a/b"),
        ("a basic question", "a basic question"),
        ("stomach_ache tic_tac", "stomach_ache tic_tac"),
        ("mail ana@example.org", "mail ana@example.org"),
    ],
)
def test_a_text_is_kept_without_the_secrets_in_it(text: str, kept: str) -> None:
    assert cleaned(text) == kept


def test_a_long_text_is_cut_and_says_so() -> None:
    text = cleaned("ä" * 5_000)
    assert text.startswith("ä" * LONGEST_TEXT + "…")
    assert "5,000" in text


def test_a_secret_at_the_cut_is_gone_before_it() -> None:
    assert "hunter2" not in cleaned("x" * (LONGEST_TEXT - 10) + " https://ana:hunter2@x.example/")


def test_of_an_address_the_path_is_not_told() -> None:
    assert (
        place("https://u:p@hooks.example.org/services/T0/B1/zzz?x=1")
        == "https://hooks.example.org/…"
    )
    assert place("ana@example.org") == "ana@example.org"
    assert place("+49301234567") == "+49301234567"


def test_values_of_every_kind_are_json() -> None:
    at = datetime(2027, 1, 31, 8, tzinfo=UTC)
    assert shown(
        {"a": [1, 2.5, True, None], "role": Role.ADMIN, "at": at, "t": time(22), "b": b"secret"}
    ) == {
        "a": [1, 2.5, True, None],
        "role": "admin",
        "at": "2027-01-31T08:00:00+00:00",
        "t": "22:00:00",
        "b": LEFT_OUT,
    }
    assert shown({"https://u:hunter2@x/": ["Bearer abcdefgh123"]}) == {
        f"https://{LEFT_OUT}@x/": [f"Bearer {LEFT_OUT}"]
    }


def test_cleaning_takes_no_longer_for_a_hostile_text() -> None:
    """Ten times the text takes about ten times the steps: nothing here backtracks."""
    for hostile in ("://" * 3_000, "a" * 10_000, "eyJ" + "a." * 5_000, "://a?" * 2_000):
        cleaned(hostile)
