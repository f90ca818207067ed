"""When quiet hours end, on clocks that jump twice a year."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.notification import after_quiet_hours
from tests.domain.people import make_rule

QUICK = settings(derandomize=True, max_examples=150, deadline=None, database=None)
BERLIN = "Europe/Berlin"


def delivered(instant: str, since: str, until: str, zone: str = BERLIN) -> str:
    """When a page that is due at a UTC instant goes out, in UTC."""
    rule = make_rule(quiet_from=time.fromisoformat(since), quiet_until=time.fromisoformat(until))
    due = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    after = after_quiet_hours(due, rule, zone)
    assert after.tzinfo is UTC
    return after.strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("due", "after"),
    [
        ("2026-11-20T20:59", "2026-11-20T20:59"),  # 21:59 in Berlin
        ("2026-11-20T21:00", "2026-11-21T06:00"),  # 22:00
        ("2026-11-20T23:30", "2026-11-21T06:00"),  # 00:30 of the next day
        ("2026-11-21T05:59", "2026-11-21T06:00"),  # 06:59
        ("2026-11-21T06:00", "2026-11-21T06:00"),  # 07:00
    ],
)
def test_a_quiet_night_ends_in_the_morning(due: str, after: str) -> None:
    assert delivered(due, "22:00", "07:00") == after


@pytest.mark.parametrize(
    ("due", "after"),
    [
        ("2026-11-21T11:59", "2026-11-21T11:59"),
        ("2026-11-21T12:00", "2026-11-21T14:30"),
        ("2026-11-21T14:29", "2026-11-21T14:30"),
        ("2026-11-21T14:30", "2026-11-21T14:30"),
    ],
)
def test_a_quiet_afternoon_ends_the_same_day(due: str, after: str) -> None:
    assert delivered(due, "13:00", "15:30") == after


def test_quiet_hours_may_end_at_midnight() -> None:
    assert delivered("2026-11-20T22:30", "20:00", "00:00") == "2026-11-20T23:00"


def test_without_quiet_hours_nothing_waits() -> None:
    due = datetime(2026, 11, 21, 3, tzinfo=UTC)
    assert after_quiet_hours(due, make_rule(), BERLIN) == due


def test_half_of_quiet_hours_are_none() -> None:
    due = datetime(2026, 11, 21, 3, tzinfo=UTC)
    for rule in (make_rule(quiet_from=time(2)), make_rule(quiet_until=time(6))):
        assert after_quiet_hours(due, rule, BERLIN) == due


def test_quiet_hours_that_begin_when_they_end_are_none() -> None:
    assert delivered("2026-11-21T03:00", "04:00", "04:00") == "2026-11-21T03:00"


# --- Summer time begins: 2026-03-29, 02:00 becomes 03:00 in Berlin ------------------------


def test_a_night_in_which_summer_time_begins_ends_an_hour_sooner() -> None:
    assert delivered("2026-03-28T22:00", "22:00", "07:00") == "2026-03-29T05:00"


def test_an_end_that_the_clock_skips_comes_after_the_jump() -> None:
    assert delivered("2026-03-28T22:00", "22:00", "02:30") == "2026-03-29T01:30"  # 03:30 there


# --- Summer time ends: 2026-10-25, 03:00 becomes 02:00 in Berlin --------------------------


def test_a_night_in_which_summer_time_ends_ends_an_hour_later() -> None:
    assert delivered("2026-10-24T22:00", "22:00", "07:00") == "2026-10-25T06:00"


def test_an_end_that_the_clock_shows_twice_counts_the_first_time() -> None:
    assert delivered("2026-10-24T22:00", "22:00", "02:30") == "2026-10-25T00:30"


def test_within_the_repeated_hour_the_end_is_the_second_one() -> None:
    # 01:10 UTC is 02:10 for the second time; the first 02:30 is over, and nothing goes back.
    assert delivered("2026-10-25T01:10", "22:00", "02:30") == "2026-10-25T01:30"


def test_quiet_hours_that_the_repeated_hour_interrupts_end_there() -> None:
    # Quiet from 02:30 round to 02:00: the clock shows 02:00 again at 01:00 UTC.
    assert delivered("2026-10-25T00:40", "02:30", "02:00") == "2026-10-25T01:00"


@QUICK
@given(
    minute=st.integers(0, 400 * 24 * 60),
    since=st.times(),
    until=st.times(),
    zone=st.sampled_from(
        [
            *("UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "America/St_Johns"),
            *("Asia/Kathmandu", "Africa/Casablanca", "Pacific/Chatham", "America/Santiago"),
        ]
    ),
)
def test_no_page_goes_out_early_or_gets_lost_or_waits_two_days(
    minute: int, since: time, until: time, zone: str
) -> None:
    due = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    after = after_quiet_hours(due, make_rule(quiet_from=since, quiet_until=until), zone)
    assert due <= after < due + timedelta(days=2)
    clock = after.astimezone(ZoneInfo(zone)).time()
    is_quiet = since <= clock < until if since <= until else clock >= since or clock < until
    assert not is_quiet


@pytest.mark.parametrize(("since", "until"), [("02:40", "02:30"), ("00:00:01", "00:00")])
def test_somebody_who_is_always_quiet_is_still_paged(since: str, until: str) -> None:
    rule = make_rule(quiet_from=time.fromisoformat(since), quiet_until=time.fromisoformat(until))
    due = datetime(2026, 3, 28, 12, tzinfo=UTC)
    for hour in range(48):
        moment = due + timedelta(hours=hour)
        assert moment <= after_quiet_hours(moment, rule, BERLIN) <= moment + timedelta(days=2)


def test_a_whole_day_that_a_zone_skipped_loses_no_page() -> None:
    # Samoa had no 2011-12-30.
    assert delivered("2011-12-30T09:30", "22:00", "07:00", "Pacific/Apia") == "2011-12-30T17:00"
