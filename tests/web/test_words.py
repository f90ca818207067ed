"""How pages say times, spans, people and addresses."""

from datetime import UTC, datetime, timedelta

import pytest

from app.web.deps import local
from app.web.templating import duration, environment, hue, initials, instant, relative

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (86_400, "1 d"),
        (93_600, "1 d 2 h"),
    ],
)
def test_a_span_is_said_by_its_two_largest_units(seconds: int, words: str) -> None:
    assert duration(seconds) == duration(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("past", "words"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(minutes=12, seconds=30), "12 min ago"),
        (timedelta(hours=2, minutes=5), "2 h 5 min ago"),
        (timedelta(days=3, hours=7), "3 d ago"),
        (timedelta(days=30), "23 Oct 2026"),
        (-timedelta(seconds=30), "in less than a minute"),
        (-timedelta(minutes=5), "in 5 min"),
    ],
)
def test_how_long_ago(past: timedelta, words: str) -> None:
    assert relative(NOW - past, NOW) == words


def test_a_time_has_its_exact_instant_for_whoever_wants_it() -> None:
    shown = environment.filters["ago"](NOW)
    assert 'datetime="2026-11-22T05:00:00Z"' in shown
    assert f'title="{instant(NOW)}"' in shown
    assert instant(NOW) == "2026-11-22 05:00 UTC"


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ana Díaz", "AD"),
        ("ana.diaz@example.org", "AD"),
        ("Ana", "A"),
        ("Ana Maria de Souza", "AS"),
        ("🔥 Team", "🔥T"),
        ("محمد علي", "مع"),
        ("", "?"),
        ("@", "?"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert initials(name) == letters
    assert hue(name) in range(8)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/incidents?q=a%20b&page=2", "/incidents?q=a%20b&page=2"),
        ("/", "/"),
        (None, "/"),
        ("", "/"),
        ("//x", "/"),
        ("/x\\y", "/"),
        ("/%0d%0aSet-Cookie", "/%0d%0aSet-Cookie"),
        ("/ü", "/"),
        ("/" + "x" * 2000, "/"),
    ],
)
def test_only_a_path_of_ours_is_gone_back_to(given: str | None, kept: str) -> None:
    assert local(given) == kept


def test_a_query_keeps_what_is_given_and_changes_what_is_named() -> None:
    query = environment.filters["query"]
    given = {"q": "a&b", "status": ["open", "resolved"], "page": 3}
    assert query(given, page=None) == "?q=a%26b&status=open&status=resolved"
    assert query({}, page=None) == "?"
