"""How a maintenance window stands, and which times it may have."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.maintenance_window import (
    FURTHEST_AHEAD,
    LONGEST,
    WindowStatus,
    begins_too_early,
    fault_of,
    status_at,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)


def stands(at: datetime, **said: datetime) -> WindowStatus:
    ended, cancelled = said.get("ended_at"), said.get("cancelled_at")
    return status_at(NOW, NOW + HOUR, ended_at=ended, cancelled_at=cancelled, now=at)


def test_a_window_is_on_from_its_start_up_to_its_end() -> None:
    assert stands(NOW - TICK) is WindowStatus.SCHEDULED
    assert stands(NOW) is WindowStatus.RUNNING
    assert stands(NOW + HOUR - TICK) is WindowStatus.RUNNING
    assert stands(NOW + HOUR) is WindowStatus.OVER


def test_what_somebody_ended_or_cancelled_stays_so() -> None:
    assert stands(NOW, ended_at=NOW) is WindowStatus.OVER
    for at in (NOW - HOUR, NOW, NOW + 2 * HOUR):
        assert stands(at, cancelled_at=NOW - 2 * HOUR) is WindowStatus.CANCELLED


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "field"),
    [
        (NOW, NOW + LONGEST, None),
        (NOW, NOW + LONGEST + TICK, "ends_at"),
        (NOW + FURTHEST_AHEAD, NOW + FURTHEST_AHEAD + HOUR, None),
        (NOW + FURTHEST_AHEAD + TICK, NOW + FURTHEST_AHEAD + HOUR, "starts_at"),
        (NOW + HOUR, NOW + HOUR, "ends_at"),
        (NOW - HOUR, NOW, "ends_at"),
        (NOW - HOUR, NOW + TICK, None),  # one that is on is made longer
    ],
)
def test_times_that_a_window_may_have(
    starts_at: datetime, ends_at: datetime, field: str | None
) -> None:
    fault = fault_of(starts_at, ends_at, now=NOW)
    assert (fault and fault.field) == field


def test_a_new_start_may_have_passed_by_as_much_as_clocks_differ() -> None:
    assert not begins_too_early(NOW - timedelta(minutes=5), now=NOW)
    assert begins_too_early(NOW - timedelta(minutes=5) - TICK, now=NOW)
