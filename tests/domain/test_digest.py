"""When summaries are due: on each reader's own clock, whatever that clock does."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.digest import DigestFrequency, Wanted, due_at, latest_day, next_day, told_by

DAILY = Wanted(DigestFrequency.DAILY, hour=9)
WEEKLY = Wanted(DigestFrequency.WEEKLY, hour=9, weekday=0)
BERLIN = "Europe/Berlin"
ZONES = ("UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Africa/Cairo")
QUICK = settings(derandomize=True, max_examples=150, deadline=None, database=None)
START = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.integers(0, 2 * 365 * 24 * 60).map(lambda count: START + timedelta(minutes=count))
wishes = st.builds(
    Wanted,
    st.sampled_from([DigestFrequency.DAILY, DigestFrequency.WEEKLY]),
    st.integers(0, 23),
    st.integers(0, 6),
)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type]  # a year and so on


def test_it_comes_at_the_hour_of_the_readers_clock() -> None:
    assert due_at(date(2027, 1, 15), 9, BERLIN) == utc(2027, 1, 15, 8)
    assert due_at(date(2027, 7, 15), 9, BERLIN) == utc(2027, 7, 15, 7)


def test_an_hour_that_is_skipped_comes_at_the_jump_and_one_that_comes_twice_once() -> None:
    assert due_at(date(2027, 3, 28), 2, BERLIN) == utc(2027, 3, 28, 1)
    assert due_at(date(2027, 10, 31), 2, BERLIN) == utc(2027, 10, 31, 0)


def test_the_day_on_which_clocks_change_is_told_whole() -> None:
    spring = told_by(date(2027, 3, 28), DAILY, BERLIN)
    autumn = told_by(date(2027, 10, 31), DAILY, BERLIN)
    assert spring.ends_at - spring.starts_at == timedelta(hours=23)
    assert autumn.ends_at - autumn.starts_at == timedelta(hours=25)


def test_a_weekly_one_comes_on_its_day() -> None:
    assert next_day(WEEKLY, BERLIN, after=utc(2027, 1, 13, 12)) == date(2027, 1, 18)
    assert next_day(WEEKLY, BERLIN, after=utc(2027, 1, 18, 8)) == date(2027, 1, 25)
    assert next_day(WEEKLY, BERLIN, after=utc(2027, 1, 18, 7, 59)) == date(2027, 1, 18)
    week = told_by(date(2027, 1, 18), WEEKLY, BERLIN)
    assert week == (utc(2027, 1, 11, 8), utc(2027, 1, 18, 8))


def test_of_several_that_were_missed_the_last_is_told() -> None:
    assert latest_day(DAILY, BERLIN, now=utc(2027, 1, 18, 7)) == date(2027, 1, 17)
    assert latest_day(DAILY, BERLIN, now=utc(2027, 1, 18, 8)) == date(2027, 1, 18)
    assert latest_day(WEEKLY, BERLIN, now=utc(2027, 1, 24, 8)) == date(2027, 1, 18)


def test_another_hour_leaves_nothing_out_and_tells_nothing_twice() -> None:
    told_until = due_at(date(2027, 1, 17), 9, BERLIN)
    later = told_by(
        date(2027, 1, 18), Wanted(DigestFrequency.DAILY, hour=17), BERLIN, told_until=told_until
    )
    assert later.starts_at == told_until
    # Long ago is long ago.
    old = told_by(date(2027, 2, 18), DAILY, BERLIN, told_until=told_until)
    assert old.ends_at - old.starts_at == timedelta(days=1)


@QUICK
@given(wishes, st.sampled_from(ZONES), moments)
def test_the_next_is_always_ahead_and_the_latest_is_not(
    wanted: Wanted, zone: str, now: datetime
) -> None:
    day = next_day(wanted, zone, after=now)
    latest = latest_day(wanted, zone, now=now)
    assert due_at(latest, wanted.hour, zone) <= now < due_at(day, wanted.hour, zone)
    assert day - latest == wanted.every  # nothing lies between them


@QUICK
@given(wishes, st.sampled_from(ZONES), moments)
def test_one_begins_where_the_one_before_it_ended(wanted: Wanted, zone: str, now: datetime) -> None:
    day = latest_day(wanted, zone, now=now)
    before = told_by(day - wanted.every, wanted, zone)
    assert told_by(day, wanted, zone).starts_at == before.ends_at
