"""Rules of what comes again: those of RFC 5545's own examples, another program's answer to any
rule, and what a stranger may write."""

import warnings
from datetime import datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.recurrence import (
    WEEKDAYS,
    Allowance,
    TooMuchError,
    UnreadableRuleError,
    occurrences,
    read_rule,
)

FIRST = datetime(1997, 9, 2, 9)  # noqa: DTZ001  # on the wall, as in all the RFC's examples
FOREVER = datetime(2030, 1, 1)  # noqa: DTZ001
LAST = datetime(9999, 12, 31)  # noqa: DTZ001


def told(
    text: str, first: datetime = FIRST, *, until: datetime = FOREVER, count: int = 6
) -> list[str]:
    found = occurrences(
        read_rule(text), first, since=first, until=until, allowance=Allowance(1_000_000)
    )
    return [at.strftime("%Y-%m-%d %H") for at, _ in zip(found, range(count), strict=False)]


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=DAILY;COUNT=3", "1997-09-02 1997-09-03 1997-09-04"),
        ("FREQ=DAILY;INTERVAL=10;COUNT=3", "1997-09-02 1997-09-12 1997-09-22"),
        ("FREQ=WEEKLY;COUNT=4;WKST=SU;BYDAY=TU,TH", "1997-09-02 1997-09-04 1997-09-09 1997-09-11"),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=1FR", "1997-09-05 1997-10-03 1997-11-07"),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=-2MO", "1997-09-22 1997-10-20 1997-11-17"),
        ("FREQ=MONTHLY;COUNT=3;BYMONTHDAY=-3", "1997-09-28 1997-10-29 1997-11-28"),
        ("FREQ=YEARLY;COUNT=3;BYMONTH=6,7", "1998-06-02 1998-07-02 1999-06-02"),
        ("FREQ=YEARLY;BYDAY=20MO;COUNT=2", "1998-05-18 1999-05-17"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=2", "1998-05-11 1999-05-17"),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=TH;COUNT=3", "1998-03-05 1998-03-12 1998-03-19"),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=3", "1998-02-13 1998-03-13 1998-11-13"),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04 1997-10-07 1997-11-06"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=2", "1997-09-29 1997-10-30"),
        ("FREQ=YEARLY;INTERVAL=3;COUNT=2;BYYEARDAY=1,100,200", "1998-01-01 1998-04-10"),
    ],
)
def test_the_examples_of_the_standard_come_as_it_says(rule: str, days: str) -> None:
    first = FIRST.replace(year=1998, month=1, day=1) if "BYYEARDAY" in rule else FIRST
    assert [at[:10] for at in told(rule, first)] == days.split()


def test_a_week_begins_when_the_rule_says_so() -> None:
    first = datetime(1997, 8, 5, 9)  # noqa: DTZ001
    rule = "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST="
    monday = [at[5:10] for at in told(rule + "MO", first)]
    sunday = [at[5:10] for at in told(rule + "SU", first)]
    assert monday == ["08-05", "08-10", "08-19", "08-24"]
    assert sunday == ["08-05", "08-17", "08-19", "08-31"]


def test_hours_are_counted_on_the_wall() -> None:
    assert told("FREQ=HOURLY;INTERVAL=12;COUNT=3") == [
        "1997-09-02 09", "1997-09-02 21", "1997-09-03 09"
    ]  # fmt: skip
    assert told("FREQ=HOURLY;BYHOUR=9;COUNT=2") == ["1997-09-02 09", "1997-09-03 09"]


@pytest.mark.parametrize(
    "rule",
    ["", "FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;COUNT=-1",
     "FREQ=DAILY;BYDAY=XX", "FREQ=DAILY;BYDAY=1MO", "FREQ=YEARLY;BYMONTH=13", "NONSENSE",
     "FREQ=DAILY;BYHOUR=24", "FREQ=MONTHLY;BYMONTHDAY=²", "FREQ=DAILY;COUNT=99999999999",
     "FREQ=DAILY;BYEASTER=1"],
)  # fmt: skip
def test_a_rule_that_is_none_is_refused(rule: str) -> None:
    with pytest.raises(UnreadableRuleError):
        read_rule(rule)


@pytest.mark.parametrize(
    "rule",
    ["FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;COUNT=999999;BYMONTH=2;BYMONTHDAY=30",
     "FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24))) + ";BYMINUTE="
     + ",".join(map(str, range(60))) + ";BYSECOND=" + ",".join(map(str, range(60)))],
)  # fmt: skip
def test_a_rule_that_takes_too_much_is_given_up(rule: str) -> None:
    found = occurrences(
        read_rule(rule),
        datetime(1900, 1, 1),  # noqa: DTZ001
        since=datetime(1900, 1, 1),  # noqa: DTZ001
        until=datetime(9999, 1, 1),  # noqa: DTZ001
        allowance=Allowance(5_000),
    )
    with pytest.raises(TooMuchError):
        list(found)


def test_how_long_ago_a_rule_began_costs_nothing() -> None:
    since = datetime(2026, 1, 1)  # noqa: DTZ001
    found = occurrences(
        read_rule("FREQ=DAILY"),
        datetime(1, 1, 1, 9),  # noqa: DTZ001
        since=since,
        until=since + timedelta(days=10),
        allowance=Allowance(100),
    )
    assert len(list(found)) == 10


def test_the_end_of_all_time_is_an_end() -> None:
    last = datetime(9999, 12, 30)  # noqa: DTZ001
    for rule in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY", "HOURLY"):
        told(f"FREQ={rule};INTERVAL=9", last, until=LAST)


def numbers(least: int, most: int) -> st.SearchStrategy[str]:
    some = st.lists(st.integers(least, most), min_size=1, max_size=4)
    return some.map(lambda found: ",".join(map(str, found)))


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Rules that the other program reads as we do: where it does not, it is not as the RFC says."""
    frequency = draw(st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"]))
    optional = {"INTERVAL": st.integers(1, 5).map(str), "BYMONTH": numbers(1, 12),
                "BYHOUR": numbers(0, 23), "BYMINUTE": numbers(0, 59),
                "WKST": st.sampled_from(WEEKDAYS)}  # fmt: skip
    if frequency != "WEEKLY":
        optional["BYMONTHDAY"] = numbers(1, 31) | numbers(-31, -1)
    if frequency == "YEARLY":
        optional["BYYEARDAY"] = numbers(1, 366) | numbers(-366, -1)
    parts = {"FREQ": frequency}
    for name, values in optional.items():
        if draw(st.integers(0, 2)) == 0:
            parts[name] = draw(values)
    if draw(st.booleans()):
        days = draw(st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=4, unique=True))
        n = draw(st.sampled_from(["", "1", "2", "-1", "5"]))
        nth = n if frequency in ("YEARLY", "MONTHLY") else ""
        parts["BYDAY"] = ",".join(nth + day for day in days)
    return ";".join(f"{name}={value}" for name, value in parts.items())


@settings(max_examples=300, deadline=None)
@given(rule=rules(), hour=st.integers(0, 24 * 900), later=st.integers(-50, 500))
def test_any_rule_means_what_it_means_to_others(rule: str, hour: int, later: int) -> None:
    first = datetime(2019, 1, 1) + timedelta(hours=hour)  # noqa: DTZ001
    since = first + timedelta(days=later)
    until = since + timedelta(days=200)
    found = occurrences(
        read_rule(rule), first, since=since, until=until, allowance=Allowance(10_000_000)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            theirs = list(rrulestr(f"{rule};UNTIL={until:%Y%m%dT%H%M%S}", dtstart=first))
        except ValueError:  # it finds out beforehand that there is nothing
            theirs = []
    assert list(found) == [at for at in theirs if since <= at < until]
