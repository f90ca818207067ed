"""What a calendar file says: zones, nights on which clocks change, what was changed or is left
out, whose it is, and files that nobody wrote for us."""

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from app.domain.calendar import window
from app.domain.calendar_entry import Told, tell
from app.domain.ical import UnreadableCalendarError
from tests.calendar_files import ics

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CUSTOM = """BEGIN:VTIMEZONE
TZID:Our own
BEGIN:STANDARD
DTSTART:16010101T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
"""


def read(*events: str, extra: str = "", now: datetime = NOW) -> Told:
    return tell(ics(*events, extra=extra), "Europe/Berlin", window(now), with_people=True)


def when(told: Told) -> list[str]:
    assert told.faults == []
    return [f"{at.starts_at:%m-%dT%H:%M}/{at.ends_at:%m-%dT%H:%M}" for at in sorted(told.entries)]


def test_a_day_is_one_in_the_zone_of_the_calendar() -> None:
    told = read("UID:1\nDTSTART;VALUE=DATE:20261225\nSUMMARY:Christmas\\, at last")
    assert when(told) == ["12-24T23:00/12-25T23:00"]
    assert [entry.summary for entry in told.entries] == ["Christmas, at last"]


@pytest.mark.parametrize(
    ("zone", "begins"),
    [("", "08:00"), (";TZID=America/New_York", "14:00"), (";TZID=Tokyo Standard Time", "00:00"),
     (";TZID=/freeassociation.sourceforge.net/Asia/Tokyo", "00:00"),
     (';TZID="/x.org/20070129_1/America/Argentina/Ushuaia"', "12:00"),
     (";TZID=UTC", "09:00"), (";TZID=Our own", "08:00")],
)  # fmt: skip
def test_a_time_is_one_in_its_zone(zone: str, begins: str) -> None:
    told = read(f"UID:1\nDTSTART{zone}:20261201T090000\nDTEND{zone}:20261201T100000", extra=CUSTOM)
    assert when(told)[0][6:11] == begins


def test_a_zone_that_nobody_knows_is_told_of() -> None:
    told = read("UID:1\nDTSTART;TZID=Mars:20261201T090000\nDURATION:PT1H")
    assert [entry.starts_at.hour for entry in told.entries] == [8]
    assert told.faults == [
        "Nobody knows the time zone “Mars”: its times were taken for those of Europe/Berlin."
    ]


def test_the_files_own_rules_count_for_its_own_zone_alone() -> None:
    """A file that says that Berlin is where Honolulu is does not move anybody's hand-off."""
    wrong = CUSTOM.replace("Our own", "Europe/Berlin").replace("+0", "-1")
    told = read("UID:1\nDTSTART;TZID=Europe/Berlin:20261201T090000\nDURATION:PT1H", extra=wrong)
    assert when(told) == ["12-01T08:00/12-01T09:00"]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Our own"])
def test_shifts_meet_on_the_night_that_clocks_change(zone: str) -> None:
    """A rota of weeks has neither gap nor overlap, whoever's rules the zone has."""
    now = datetime(2026, 10, 20, tzinfo=UTC)
    events = [
        f"UID:{number}\nDTSTART;TZID={zone}:202610{day:02}T023000\n"
        f"DTEND;TZID={zone}:202610{day + 7:02}T023000\nRRULE:FREQ=WEEKLY;INTERVAL=2"
        for number, day in enumerate((11, 18))
    ]
    told = sorted(read(*events, extra=CUSTOM, now=now).entries)
    assert all(one.ends_at == other.starts_at for one, other in pairwise(told))
    assert told[-1].ends_at - told[0].starts_at > timedelta(days=390)
    assert {one.starts_at.hour for one in told} == {0, 1}


def test_what_repeats_ends_skips_and_moves_as_it_says() -> None:
    zone = "TZID=Europe/Berlin"
    told = read(
        f"UID:1\nDTSTART;{zone}:20261201T090000\nDURATION:PT8H\nRRULE:FREQ=DAILY;"
        f"UNTIL=20261205T080000Z\nEXDATE;{zone}:20261202T090000\nRDATE;{zone}:20261220T090000",
        f"UID:1\nRECURRENCE-ID;{zone}:20261203T090000\nDTSTART;{zone}:20261203T120000\nDURATION:PT1H",
        f"UID:1\nRECURRENCE-ID:20261204T080000Z\nSTATUS:CANCELLED\nDTSTART;{zone}:20261204T090000",
    )
    assert when(told) == [
        "12-01T08:00/12-01T16:00", "12-03T11:00/12-03T12:00", "12-05T08:00/12-05T16:00",
        "12-20T08:00/12-20T16:00",
    ]  # fmt: skip


BERLIN = "TZID=Europe/Berlin"
DAILY = (
    f"UID:1\nDTSTART;{BERLIN}:20261201T090000\nDURATION:PT8H\nATTENDEE:mailto:a@x.org\n"
    "RRULE:FREQ=DAILY;COUNT=6"
)


def test_a_change_of_this_and_all_that_follow_changes_them_all() -> None:
    """Up to the next such change; what is changed alone is changed alone."""
    told = read(
        DAILY,
        f"UID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE;{BERLIN}:20261203T090000\n"
        f"DTSTART;{BERLIN}:20261203T110000\nDURATION:PT1H\nATTENDEE:mailto:b@x.org",
        f"UID:1\nRECURRENCE-ID;{BERLIN}:20261204T090000\nDTSTART;{BERLIN}:20261204T200000\n"
        "DURATION:PT1H",
        "UID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261206T080000Z\nSTATUS:CANCELLED",
    )
    assert when(told) == [
        "12-01T08:00/12-01T16:00", "12-02T08:00/12-02T16:00", "12-03T10:00/12-03T11:00",
        "12-04T19:00/12-04T20:00", "12-05T10:00/12-05T11:00",
    ]  # fmt: skip
    assert [entry.mail for entry in sorted(told.entries)] == [
        "a@x.org", "a@x.org", "b@x.org", None, "b@x.org"
    ]  # fmt: skip


@pytest.mark.parametrize("was", [f";{BERLIN}:20260316T090000", ":20260316T080000Z"])
def test_what_moves_from_long_ago_on_moves_on_the_wall(was: str) -> None:
    """Its first occurrence is out of sight, and summer time has come and gone since."""
    told = read(
        f"UID:1\nDTSTART;{BERLIN}:20260105T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY",
        f"UID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE{was}\nDTSTART;{BERLIN}:20260326T103000\n"
        "DURATION:PT2H",
    )
    starts = [entry.starts_at.astimezone(ZoneInfo("Europe/Berlin")) for entry in told.entries]
    assert {f"{at:%a %H:%M}" for at in starts} == {"Thu 10:30"}
    assert told.faults == []
    assert len(starts) > 52


@pytest.mark.parametrize(
    ("moves", "why"),
    [
        ("DTSTART;TZID=Asia/Tokyo:20261203T200000\nDURATION:PT1H", "changes the zone"),
        ("DTSTART;VALUE=DATE:20261203", "changes the zone"),
        (f"DTSTART;{BERLIN}:20291203T090000\nDURATION:PT1H", "by more than a year"),
        (f"DTSTART;{BERLIN}:20261203T090000", "it lasts no time"),
        ("SUMMARY:When?", "it has no DTSTART"),
    ],
)
def test_a_change_of_all_that_follow_which_cannot_be_told_is_said_to_be_so(
    moves: str, why: str
) -> None:
    """And what follows stays as it was."""
    change = f"UID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE;{BERLIN}:20261203T090000\n{moves}"
    told = read(DAILY, change)
    assert why in told.faults[0]
    starts = {f"{entry.starts_at:%m-%dT%H:%M}" for entry in told.entries}
    assert {"12-02T08:00", "12-04T08:00", "12-05T08:00"} <= starts
    assert "12-03T08:00" not in starts


def test_many_changes_of_all_that_follow_cost_no_more_than_many_events() -> None:
    """A file of strangers: each occurrence looks for its change, and each event is read once."""
    guests = "\n".join(f"ATTENDEE:mailto:{number}@x.org" for number in range(2_000))
    changes = [
        f"UID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE:{at:%Y%m%dT%H%M%SZ}\n"
        f"DTSTART:{at:%Y%m%dT%H%M%SZ}\nDURATION:PT1H"
        for at in (datetime(2026, 12, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(4_000))
    ]
    series = "UID:1\nDTSTART:20261201T000000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY;COUNT=4500"
    began = time.process_time()
    told = read(f"{series}\n{guests}", *changes)
    assert time.process_time() - began < 10
    assert len({entry.starts_at for entry in told.entries}) == 4_500


def test_the_last_word_on_an_event_counts() -> None:
    told = read(
        "UID:1\nSEQUENCE:2\nDTSTART:20261202T090000Z\nDURATION:PT1H",
        "UID:1\nSEQUENCE:1\nDTSTART:20261201T090000Z\nDURATION:PT1H",
        "UID:2\nSTATUS:CANCELLED\nDTSTART:20261203T090000Z\nDURATION:PT1H",
    )
    assert when(told) == ["12-02T09:00/12-02T10:00"]


@pytest.mark.parametrize(
    ("said", "people"),
    [
        ('ATTENDEE;CN="Ana; A, B: C":MAILTO:Ana@Example.org', ["ana@example.org"]),
        ("ATTENDEE:mailto:a@x.org\nATTENDEE:mailto:b@x.org", ["a@x.org", "b@x.org"]),
        ("ATTENDEE;PARTSTAT=DECLINED:mailto:a@x.org\nSUMMARY:b@x.org is it", ["b@x.org"]),
        ("ATTENDEE;CUTYPE=ROOM:mailto:a@x.org\nDESCRIPTION:Call b@x.org.", ["b@x.org"]),
        ("ATTENDEE;EMAIL=a@x.org:urn:uuid:7", ["a@x.org"]),
        ("SUMMARY:Ana\nORGANIZER:mailto:o@x.org", ["o@x.org"]),
        ("SUMMARY:Ana\nORGANIZER:mailto:x@group.calendar.google.com", [None]),
        ("SUMMARY:Ana", [None]),
    ],
)
def test_whose_time_it_is_goes_by_mail(said: str, people: list[str | None]) -> None:
    told = read(f"UID:1\nDTSTART:20261201T090000Z\nDURATION:PT1H\n{said}")
    assert [entry.mail for entry in told.entries] == people


def test_what_cannot_be_understood_is_told_of_and_the_rest_counts() -> None:
    good = "UID:{}\nDTSTART:20261201T090000Z\nDURATION:PT1H\nSUMMARY:Good"
    told = read(
        good.format(1),
        "UID:2\nSUMMARY:No time",
        "UID:3\nDTSTART:20261301T000000Z\nDURATION:PT1H\nSUMMARY:No month",
        "UID:4\nDTSTART:20261201T090000Z\nSUMMARY:No end",
        "UID:5\nDTSTART:20261201T090000Z\nDURATION:PT1H\nRRULE:FREQ=SECONDLY",
        good.format(6).replace("01T", "02T"),
    )
    assert len(told.entries) == 2
    assert [fault.split(": ")[0] for fault in told.faults] == [
        "Line 10 (“No time”)", "Line 14 (“No month”)", "Line 20 (“No end”)", "Line 25"
    ]  # fmt: skip
    assert "it has no DTSTART" in told.faults[0]


def test_letters_that_a_fold_breaks_are_put_together() -> None:
    body = ics("UID:1\nDTSTART:20261201T090000Z\nDURATION:PT1H\nSUMMARY:Über")
    broken = body.replace("Ü".encode(), b"\xc3\r\n \x9c")
    told = tell(broken, "UTC", window(NOW), with_people=False)
    assert [entry.summary for entry in told.entries] == ["Über"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "no iCalendar file"),
        (b"<html>Log in</html>", "asks for a login"),
        (ics("UID:1")[:-20], "closes nothing"),
        (ics("UID:1").split(b"END:VCALENDAR")[0], "was cut off"),
        (b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\n" * 50, "nested deeper"),
        (b"\n" * 200_000, "more than 100,000 lines"),
    ],
)
def test_what_is_no_calendar_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(UnreadableCalendarError, match=why):
        tell(body, "UTC", window(NOW), with_people=True)


HOURLY = (
    "UID:{}\nDTSTART:19000101T000000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30"
)


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ([HOURLY.format(number) for number in range(50)], "take too much to tell out"),
        (["UID:1\nDTSTART:20260101T000000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY"], "more than 5,000"),
        ([f"UID:{number}" for number in range(10_001)], "more than 10,000 events"),
    ],
)
def test_more_than_any_rota_needs_is_refused(events: list[str], why: str) -> None:
    """Half of a calendar would be a rota with holes."""
    with pytest.raises(UnreadableCalendarError, match=why):
        read(*events)


def test_one_event_that_asks_too_much_does_not_spoil_the_others() -> None:
    good = "UID:g\nDTSTART:20261201T090000Z\nDURATION:PT1H"
    told = read(HOURLY.format(1).replace("HOURLY;", "HOURLY;COUNT=9999;"), good)
    assert len(told.entries) == 1
    assert "takes too much to tell out" in told.faults[0]
