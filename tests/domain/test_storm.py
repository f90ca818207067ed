"""Which incidents of a storm wait, until when, and what is said about it."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.storm import MINUTE, Newcomer, ServiceLimit, beyond, story, whole_minute

THREE = ServiceLimit(3, timedelta(minutes=5))


def newcomers(*services: str, first: int = 1, critical: tuple[int, ...] = ()) -> list[Newcomer]:
    return [
        Newcomer(number, service, is_critical=number in critical)
        for number, service in enumerate(services, first)
    ]


def test_the_first_of_a_service_do_not_wait_and_the_others_do() -> None:
    assert list(beyond(newcomers(*["db"] * 5), {"db": 0}, THREE)) == [4, 5]


def test_what_came_before_counts() -> None:
    assert list(beyond(newcomers("db", "db"), {"db": 2}, THREE)) == [2]
    assert list(beyond(newcomers("db", "db"), {"db": 3}, THREE)) == [1, 2]
    assert list(beyond(newcomers("db"), {"db": 2}, THREE)) == []


def test_each_service_counts_for_itself() -> None:
    came = newcomers("db", "web", "db", "db", "web", "db")
    assert list(beyond(came, {"web": 3}, THREE)) == [2, 5, 6]


def test_what_is_critical_never_waits_and_counts_all_the_same() -> None:
    assert list(beyond(newcomers(*["db"] * 5, critical=(1, 2, 5)), {}, THREE)) == [4]


NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (NOON, NOON),
        (NOON + timedelta(microseconds=1), NOON + MINUTE),
        (NOON + timedelta(seconds=59, microseconds=999_999), NOON + MINUTE),
        (NOON + MINUTE, NOON + MINUTE),
        (datetime(2026, 12, 31, 23, 59, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_storm_meets_at_the_next_whole_minute(at: datetime, until: datetime) -> None:
    assert whole_minute(at) == until
    assert timedelta() <= until - at < MINUTE


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (ServiceLimit(30, timedelta(minutes=5)), "more than 30 incidents in 5 minutes"),
        (ServiceLimit(1, timedelta(minutes=1)), "more than an incident in a minute"),
        (ServiceLimit(2, timedelta(seconds=90)), "more than 2 incidents in 1.5 minutes"),
    ],
)
def test_the_story_says_why_it_waits_and_until_when(limit: ServiceLimit, said: str) -> None:
    assert story("payments", limit, NOON + 5 * MINUTE) == (
        f"Service “payments” opened {said}; its paging waits until 12:05 UTC and goes out as one."
    )
