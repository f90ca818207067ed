"""The days of the status page and its percentage, by the formula that is written down."""

import itertools
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.status_component import ComponentStatus, worst
from app.domain.time_zone import zone
from app.domain.uptime import days, uptime

UP, DOWN = ComponentStatus.OPERATIONAL, ComponentStatus.MAJOR_OUTAGE
PARTLY, SLOW = ComponentStatus.PARTIAL_OUTAGE, ComponentStatus.DEGRADED_PERFORMANCE
WORKED_ON = ComponentStatus.UNDER_MAINTENANCE
HOUR = 3600.0
QUICK = settings(derandomize=True, max_examples=100, deadline=None, database=None)


def test_a_major_outage_counts_in_full_and_a_partial_one_by_three_tenths() -> None:
    assert uptime([{UP: 9 * HOUR, DOWN: HOUR}]) == 90.0
    assert uptime([{UP: 9 * HOUR, PARTLY: HOUR}]) == 97.0
    assert uptime([{UP: 9 * HOUR, SLOW: HOUR}]) == 100.0


def test_maintenance_counts_neither_way() -> None:
    assert uptime([{UP: 9 * HOUR, DOWN: HOUR, WORKED_ON: 90 * HOUR}]) == 90.0
    assert uptime([{WORKED_ON: HOUR}]) is None
    assert uptime([]) is None


def test_what_was_down_for_a_moment_was_never_up_all_the_time() -> None:
    assert uptime([{UP: 90 * 24 * HOUR, DOWN: 1.0}]) == 99.9999


SECONDS = st.dictionaries(st.sampled_from(ComponentStatus), st.floats(0, 86_400), max_size=5)


@QUICK
@given(st.lists(SECONDS, max_size=10))
def test_it_is_a_percentage_and_worse_when_more_was_down(spent: list[dict]) -> None:  # type: ignore[type-arg]
    found = uptime(spent)
    if found is None:
        return
    assert 0 <= found <= 100
    worse = uptime([*spent, {DOWN: HOUR}])
    assert worse is not None
    assert worse <= found


def test_there_are_as_many_days_as_are_asked_for_and_they_touch() -> None:
    now = datetime(2026, 11, 2, 15, 30, tzinfo=UTC)
    found = days(now, zone("Europe/Berlin"), count=30)
    assert (found[0].on, found[-1].on) == (date(2026, 10, 4), date(2026, 11, 2))
    assert all(one.ends_at == two.starts_at for one, two in itertools.pairwise(found))
    assert found[-1].ends_at == now
    lengths = {day.on: day.ends_at - day.starts_at for day in found}
    # The night in which summer time ended.
    assert lengths[date(2026, 10, 25)] == timedelta(hours=25)
    assert lengths[date(2026, 10, 26)] == timedelta(hours=24)


def test_the_worst_wins_and_an_outage_is_worse_than_maintenance() -> None:
    assert worst([]) is UP
    assert worst([WORKED_ON, UP]) is WORKED_ON
    assert worst([WORKED_ON, SLOW]) is SLOW
    assert worst(ComponentStatus) is DOWN
