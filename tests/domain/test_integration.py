"""The dedup key of a sender that names none."""

from app.domain.integration import UNREADABLE_KEY, derived_key


def test_equal_parts_are_the_same_problem() -> None:
    assert derived_key("alerts", "db", "Disk full") == derived_key("alerts", "db", "Disk full")


def test_a_part_that_is_missing_is_like_an_empty_one() -> None:
    assert derived_key("alerts", None, "Disk full") == derived_key("alerts", "", "Disk full")


def test_other_parts_are_another_problem() -> None:
    alerts: list[tuple[str | None, ...]] = [
        ("a", "b"),
        ("b", "a"),
        ("ab",),
        ("a", "b", None),
        ("a\x1fb",),
        ("a", "\x1fb"),
        ('a", "b',),
        ("\ud800",),
        ("\ud801",),
        ("?",),
        (),
    ]
    assert len({derived_key(*parts) for parts in alerts}) == len(alerts)


def test_a_derived_key_is_short_and_plain_whatever_it_stands_for() -> None:
    key = derived_key("ü" * 100_000)
    assert key.isascii()
    assert key.isprintable()
    assert len(key) == len("derived:") + 32


def test_a_derived_key_never_meets_the_one_of_unreadable_alerts() -> None:
    assert not UNREADABLE_KEY.startswith("derived:")
