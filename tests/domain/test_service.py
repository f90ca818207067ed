"""What a service says of itself, as it is kept."""

from datetime import UTC, datetime, time

from app.domain.incident import Severity, Urgency
from app.domain.quiet import next_support
from app.domain.restriction import EVERY_DAY, Restriction
from app.domain.service import read_support_hours, urgencies

HOURS = {
    "time_zone": "Europe/Berlin",
    "hours": [
        {"since": "09:00", "until": "17:00", "days": ["mon", "fri"]},
        {"since": "22:00", "until": "06:00"},
    ],
}


def test_a_severity_that_is_not_named_is_of_high_urgency() -> None:
    assert set(urgencies({})) == {Urgency.HIGH}
    found = urgencies({"low": "low", "high": "high"})
    assert [found[severity.rank] for severity in Severity] == ["high", "high", "high", "low"]
    assert urgencies({"medium": "low"})[Severity.MEDIUM.rank] is Urgency.LOW


def test_hours_are_read_with_their_days_and_without() -> None:
    hours = read_support_hours(HOURS)
    assert hours.time_zone == "Europe/Berlin"
    assert hours.hours == (
        Restriction(time(9), time(17), frozenset({0, 4})),
        Restriction(time(22), time(6), EVERY_DAY),
    )


def test_hours_that_were_read_are_on_the_clock_of_their_zone() -> None:
    hours = read_support_hours({**HOURS, "hours": HOURS["hours"][:1]})
    friday_evening = datetime(2026, 3, 27, 17, tzinfo=UTC)
    # The clocks go forward on the Sunday between.
    assert next_support(hours, friday_evening) == datetime(2026, 3, 30, 7, tzinfo=UTC)
