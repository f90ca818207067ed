"""What a subscription wants, and when a delivery comes again."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.domain.event import Audience, EventType
from app.domain.webhook import MOST_TRIES, WAITS, Filters, Heard, envelope, next_wait

CREATED = EventType.INCIDENT_CREATED
FAILED = Heard(500, "It answered 500.")


def test_whatever_is_empty_narrows_nothing() -> None:
    assert all(Filters().want(kind, service="a", severity="low") for kind in EventType)


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        (Filters(event_types=[CREATED]), True),
        (Filters(event_types=[EventType.INCIDENT_UPDATED]), False),
        (Filters(services=["checkout"]), True),
        (Filters(services=["Checkout"]), False),
        (Filters(severities=["low", "high"]), True),
        (Filters(severities=["low"]), False),
        (Filters([CREATED], ["checkout"], ["high"]), True),
        (Filters([CREATED], ["checkout"], ["low"]), False),
    ],
)
def test_every_filter_must_let_it_pass(filters: Filters, wanted: bool) -> None:
    assert filters.want(CREATED, service="checkout", severity="high") is wanted


def test_what_has_no_service_passes_no_filter_by_service() -> None:
    assert not Filters(services=["a"]).want(CREATED, severity="high")
    assert not Filters(severities=["high"]).want(CREATED, service="a")


def test_what_the_console_was_told_is_not_told_again_in_the_words_for_the_public() -> None:
    public = Audience.PUBLIC
    assert not Filters().want(CREATED, audience=public)
    assert not Filters(event_types=[CREATED]).want(CREATED, audience=public)
    assert Filters().want(EventType.UPDATE_POSTED, audience=public)


def test_the_schedule_is_the_standard_one() -> None:
    waits = [next_wait(tries, FAILED, chance=0.0) for tries in range(1, MOST_TRIES)]
    assert waits == list(WAITS)
    hours = [wait / timedelta(hours=1) for wait in WAITS[3:]]
    assert hours == [2, 5, 10, 14, 20, 24]
    assert next_wait(MOST_TRIES, FAILED, chance=0.0) is None


def test_jitter_only_ever_adds_a_little() -> None:
    for tries in range(1, MOST_TRIES):
        wait = next_wait(tries, FAILED, chance=1.0)
        assert wait is not None
        assert WAITS[tries - 1] < wait <= WAITS[tries - 1] * 1.1


def test_a_wish_counts_where_it_is_later() -> None:
    later = Heard(429, "Slow down.", timedelta(minutes=2))
    assert next_wait(1, later, chance=0.0) == timedelta(minutes=2)
    assert next_wait(2, later, chance=0.0) == timedelta(minutes=5)


def test_the_body_says_its_time_in_utc() -> None:
    east = datetime(2026, 11, 21, 12, 13, tzinfo=timezone(timedelta(hours=9)))
    body = envelope("ping", east, {"a": 1})
    assert body == {"type": "ping", "timestamp": "2026-11-21T03:13:00Z", "data": {"a": 1}}
    assert datetime.fromisoformat(body["timestamp"]).tzinfo == UTC
