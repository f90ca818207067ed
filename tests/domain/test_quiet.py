"""When a service keeps paging waiting: never without an end, never what is critical at night."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import quiet
from app.domain.incident import Severity, Urgency
from app.domain.quiet import Maintenance, Standing, SupportHours, WaitsFor
from app.domain.restriction import Restriction
from app.domain.time_zone import zone

NIGHT = datetime(2027, 1, 29, 22, tzinfo=UTC)
OFFICE = SupportHours("Europe/Berlin", (Restriction(time(9), time(17), frozenset(range(5))),))
ALL_LOW = (Urgency.LOW,) * len(Severity)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def window(key: int, starts: float, ends: float) -> Maintenance:
    return Maintenance(key, f"Window {key}", NIGHT + starts * HOUR, NIGHT + ends * HOUR)


def test_a_service_that_says_nothing_keeps_nobody_waiting() -> None:
    standing = Standing("db")
    for severity in Severity:
        assert standing.urgency(severity) is Urgency.HIGH
        assert quiet.wait(standing, severity, now=NIGHT) is None


@pytest.mark.parametrize("severity", list(Severity))
def test_maintenance_is_half_open_and_for_every_severity(severity: Severity) -> None:
    standing = Standing("db", maintenance=(window(1, 0, 1),))
    found = quiet.wait(standing, severity, now=NIGHT)
    assert found is not None
    assert (found.until, found.reason) == (NIGHT + HOUR, WaitsFor.MAINTENANCE)
    assert quiet.wait(standing, severity, now=NIGHT + HOUR) is None
    assert quiet.wait(standing, severity, now=NIGHT - MINUTE) is None


def test_of_several_windows_the_one_that_ends_last_counts() -> None:
    standing = Standing("db", maintenance=(window(1, 0, 3), window(2, 0, 1), window(3, 2, 9)))
    found = quiet.wait(standing, Severity.HIGH, now=NIGHT)
    assert found is not None
    assert found.until == NIGHT + 3 * HOUR, "the next one is asked about when this one ends"
    assert "“Window 1”" in found.story


def test_maintenance_comes_before_the_morning() -> None:
    standing = Standing(
        "db", urgencies=ALL_LOW, support_hours=OFFICE, maintenance=(window(1, 0, 1),)
    )
    found = quiet.wait(standing, Severity.LOW, now=NIGHT)
    assert found is not None
    assert found.reason is WaitsFor.MAINTENANCE
    after = quiet.wait(standing, Severity.LOW, now=found.until)
    assert after is not None
    assert (after.until, after.reason) == (
        datetime(2027, 2, 1, 8, tzinfo=UTC),
        WaitsFor.SUPPORT_HOURS,
    )


def test_support_hours_that_never_come_keep_nobody_waiting() -> None:
    for hours in ((), (Restriction(time(9), time(17), frozenset()),)):
        standing = Standing("db", urgencies=ALL_LOW, support_hours=SupportHours("UTC", hours))
        assert quiet.wait(standing, Severity.LOW, now=NIGHT) is None


def test_an_hour_that_the_clock_skips_comes_a_day_later() -> None:
    skipped = SupportHours("Europe/Berlin", (Restriction(time(2), time(3)),))
    just_before = datetime(2027, 3, 28, 0, 59, tzinfo=UTC)  # 01:59; then it is 03:00
    assert quiet.next_support(skipped, just_before) == datetime(2027, 3, 29, 0, tzinfo=UTC)


HOURS = st.builds(
    Restriction,
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.frozensets(st.integers(0, 6), min_size=1),
)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
NOWS = st.integers(0, 2 * 366 * 24 * 60).map(lambda minutes: NIGHT + minutes * MINUTE)


@given(ZONES, st.lists(HOURS, min_size=1, max_size=3), NOWS, st.sampled_from(Severity))
def test_a_wait_ends_and_at_its_end_nothing_waits(
    name: str, hours: list[Restriction], now: datetime, severity: Severity
) -> None:
    standing = Standing("db", urgencies=ALL_LOW, support_hours=SupportHours(name, tuple(hours)))
    found = quiet.wait(standing, severity, now=now)
    if severity is Severity.CRITICAL:
        assert found is None
        return
    if found is not None:
        assert now < found.until <= now + timedelta(days=9)
        assert quiet.wait(standing, severity, now=found.until) is None


def is_open(hours: list[Restriction], shown: datetime) -> bool:
    """Minute by minute: whether a wall clock without DST stands in any of the hours."""
    for one in hours:
        for day in (shown.date(), shown.date() - timedelta(days=1)):
            if day.weekday() not in one.days:
                continue
            starts = datetime.combine(day, one.since)
            ends = datetime.combine(day, one.until)
            if ends <= starts:
                ends += timedelta(days=1)
            if starts <= shown < ends:
                return True
    return False


@given(st.lists(HOURS, min_size=1, max_size=3), NOWS)
def test_it_is_the_first_minute_that_a_slow_look_finds(
    hours: list[Restriction], now: datetime
) -> None:
    kathmandu = zone("Asia/Kathmandu")  # its clocks never change
    found = quiet.next_support(SupportHours("Asia/Kathmandu", tuple(hours)), now)
    shown = now.astimezone(kathmandu).replace(tzinfo=None)
    waited = 0
    while not is_open(hours, shown + waited * MINUTE):
        waited += 1
    assert found == (None if waited == 0 else now + waited * MINUTE)
