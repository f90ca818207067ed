"""Shifts as calendar programs read them: every rule of the standard, and the same shift under
the same name whatever happens around it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import icalendar
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendar_feed import FeedShift, drawn, span, uid, write
from app.domain.ical import escaped, written
from app.domain.rotation import Rotation, RotationKind
from app.domain.schedule import Layer, Override, Schedule
from tests.calendar_files import read_strictly

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOST = "tocsin.test"
MONDAY = datetime(2026, 1, 5, 9)  # noqa: DTZ001  # on the wall


def weekly(*people: int, **fields: object) -> Schedule:
    layer = Layer(Rotation(RotationKind.WEEKLY, MONDAY, people))
    return Schedule("Europe/Berlin", (layer,), **fields)  # type: ignore[arg-type]


def feed(schedule: Schedule, now: datetime = NOW, summary: str = "On call") -> list[FeedShift]:
    return [FeedShift(*one.shift, 7, summary, one.began_at) for one in drawn(schedule, now)]


def test_a_feed_keeps_every_rule_and_says_every_shift() -> None:
    found = feed(weekly(3, 5))
    events = read_strictly(write("Primary", found, host=HOST, now=NOW))
    assert len(events) == len(found) > 25
    assert all(one["DTEND"] == other["DTSTART"] for one, other in pairwise(events))
    assert {event["UID"].partition("@")[2] for event in events} == {HOST}


def test_another_program_reads_what_was_meant() -> None:
    name = "Wächter, die; „Nacht“ \\ 日本 🔥 " * 5
    found = feed(weekly(3, 5), summary=name)
    body = write(name, found, host=HOST, now=NOW)
    read_strictly(body)
    calendar = icalendar.Calendar.from_ical(body)
    events = calendar.walk("VEVENT")
    assert str(calendar["NAME"]) == escaped(name)
    assert calendar["METHOD"] == "PUBLISH"
    assert str(calendar["REFRESH-INTERVAL"].to_ical(), "ascii") == "PT1H"
    assert [(event.start, event.end) for event in events] == [
        (shift.began_at, shift.ends_at) for shift in found
    ]
    assert {str(event["SUMMARY"]) for event in events} == {name}
    assert not any(part.errors for part in calendar.walk())


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_any_text_is_written_in_short_lines_and_read_back(text: str) -> None:
    lines = written("SUMMARY", escaped(text))
    assert all(len(line) <= 75 for line in lines.split(b"\r\n"))
    unfolded = lines.replace(b"\r\n ", b"").removesuffix(b"\r\n").decode()
    assert "\r" not in unfolded
    assert "\n" not in unfolded
    kept = "".join(one for one in text if one.isprintable() or one == "\n")
    event = icalendar.Event.from_ical(b"BEGIN:VEVENT\r\n" + lines + b"END:VEVENT\r\n")
    assert event["SUMMARY"] == kept


def test_a_shift_keeps_its_name_while_time_goes_on() -> None:
    """Else it would stand in the calendar once for every time that it was fetched."""
    names = [
        {uid(one, HOST) for one in feed(weekly(3, 5), NOW + timedelta(days=days))}
        for days in range(0, 60, 3)
    ]
    assert all(len(one & other) >= len(other) - 2 for one, other in pairwise(names))


def test_a_shift_that_runs_as_the_feed_begins_has_its_own_start() -> None:
    found = feed(weekly(3, 5))
    assert found[0].began_at is not None
    assert found[0].began_at < span(NOW).starts_at < found[0].ends_at
    assert found[0].began_at.weekday() == 0


def test_whoever_is_always_on_call_has_one_shift_for_ever() -> None:
    long_ago = Layer(Rotation(RotationKind.WEEKLY, MONDAY.replace(year=2020), (3,)))
    schedule = Schedule("Europe/Berlin", (long_ago,))
    names = {
        uid(one, HOST) for days in range(100) for one in feed(schedule, NOW + timedelta(days=days))
    }
    assert names == {"7-3-ever@tocsin.test"}


def test_a_shift_whose_end_moves_is_still_that_shift() -> None:
    now_on = next(shift for shift in feed(weekly(3, 5)) if shift.starts_at > NOW)
    cover = Override(now_on.ends_at - timedelta(hours=3), now_on.ends_at, 9)
    found = feed(weekly(3, 5, overrides=(cover,)))
    same = [shift for shift in found if uid(shift, HOST) == uid(now_on, HOST)]
    assert [shift.ends_at for shift in same] == [cover.starts_at]


def test_a_feed_says_the_same_all_day() -> None:
    bodies = {
        write("Primary", feed(weekly(3, 5), at), host=HOST, now=at)
        for at in (NOW, NOW + timedelta(hours=11))
    }
    assert len(bodies) == 1
