"""Shifts as an iCalendar file (RFC 5545), for the calendars that people look at. Pure.

Whoever subscribes asks again and again, and is told the same of the same shift: its UID is made of
its schedule, its person and its start, so that a shift whose end moves is still that shift. All
times are in UTC: no program has to know our rules.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from app.domain.ical import escaped, written
from app.domain.schedule import Schedule, render
from app.domain.timeline import Interval, Shift, shifts

BACK = timedelta(days=30)
AHEAD = timedelta(days=180)
LOOK_BACK = timedelta(days=400)  # for the start of a shift that runs when the feed begins
MOST_EVENTS = 5_000
MOST_FEEDS = 20  # of one person
REFRESH = "PT1H"
USE_NOTED_EVERY = timedelta(hours=1)
HINT = 8  # characters of a token by which people tell feeds apart
PRODUCT = "-//Tocsin//On call//EN"
EVER = "ever"


class FeedShift(NamedTuple):
    """A shift as a feed shows it; without `began_at`, nobody can tell when it began."""

    starts_at: datetime
    ends_at: datetime
    user_id: int
    schedule_id: int
    summary: str
    began_at: datetime | None


@dataclass(frozen=True)
class Drawn:
    """A shift within the time of a feed, and when it really began."""

    shift: Shift
    began_at: datetime | None


def span(now: datetime) -> Interval:
    """The time that a feed shows: whole days, so that it says the same all day."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Interval(today - BACK, today + AHEAD)


def whole_span(now: datetime) -> Interval:
    """The time that must be known of a schedule for it."""
    shown = span(now)
    return Interval(shown.starts_at - LOOK_BACK, shown.ends_at)


def drawn(schedule: Schedule, now: datetime) -> Iterator[Drawn]:
    """The shifts of a schedule in a feed, each with its own start, whenever that was."""
    shown = span(now)
    found = shifts(render(schedule, shown))
    if not any(shift.starts_at == shown.starts_at for shift in found):
        yield from (Drawn(shift, shift.starts_at) for shift in found)
        return
    earlier = whole_span(now)
    began = {
        (shift.user_id, shift.ends_at): shift.starts_at
        for shift in shifts(render(schedule, earlier))
    }
    for shift in found:
        starts_at = began.get((shift.user_id, shift.ends_at), shift.starts_at)
        yield Drawn(shift, None if starts_at == earlier.starts_at else starts_at)


def uid(shift: FeedShift, host: str) -> str:
    """The name of a shift, for ever."""
    began = EVER if shift.began_at is None else _utc(shift.began_at)
    return f"{shift.schedule_id}-{shift.user_id}-{began}@{host}"


def write(name: str, found: Iterable[FeedShift], *, host: str, now: datetime) -> bytes:
    """The whole file."""
    stamp = _utc(span(now).starts_at + BACK)
    lines = [
        ("BEGIN", "VCALENDAR"),
        ("VERSION", "2.0"),
        ("PRODID", PRODUCT),
        ("CALSCALE", "GREGORIAN"),
        ("METHOD", "PUBLISH"),
        ("NAME", escaped(name)),
        ("X-WR-CALNAME", escaped(name)),
        ("REFRESH-INTERVAL;VALUE=DURATION", REFRESH),
        ("X-PUBLISHED-TTL", REFRESH),
    ]
    for shift in sorted(found)[:MOST_EVENTS]:
        lines += [
            ("BEGIN", "VEVENT"),
            ("UID", uid(shift, host)),
            ("DTSTAMP", stamp),
            ("DTSTART", _utc(shift.began_at or shift.starts_at)),
            ("DTEND", _utc(shift.ends_at)),
            ("SUMMARY", escaped(shift.summary)),
            ("STATUS", "CONFIRMED"),
            ("TRANSP", "TRANSPARENT"),
            ("END", "VEVENT"),
        ]
    lines.append(("END", "VCALENDAR"))
    return b"".join(written(*line) for line in lines)


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
