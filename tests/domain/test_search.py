"""What people type into a search box, as PostgreSQL is asked for it."""

import pytest

from app.domain.search import to_query


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("timeout", '"timeout"'),
        ("ECONNREFUSED db-7", '"ECONNREFUSED" "db 7"'),
        ("db-7.prod.example.org:5432", '"db 7 prod example org 5432"'),
        ('"disk full" -staging', '"disk full" -"staging"'),
        ("disk or memory", '"disk" or "memory"'),
        ('disk "or" memory', '"disk" "or" "memory"'),
        ("db-7 -db-8", '"db 7" -"db 8"'),
        ("http://a/b?c=d", '"http a b c d"'),
        ('left "open quote', '"left" "open quote"'),
        ("it's 100%", '"it s" "100"'),
        ("  Störung  ", '"Störung"'),
        ("a\\b & c | !d:*", '"a b" "c" "d"'),
    ],
)
def test_words_are_parted_as_texts_are(typed: str, asked: str) -> None:
    assert to_query(typed) == asked


@pytest.mark.parametrize("typed", ["", " ", "...", '""', "-", "or", "-staging", "- / -", '"--"'])
def test_what_names_nothing_to_find_is_no_search(typed: str) -> None:
    assert to_query(typed) is None
