"""Which instants a calendar file means by its times. Pure.

IANA’s names mean the rules of our pinned data, whatever the file says of them. So do the names
that Windows has, and those that programs wrap around IANA’s. Only a name that nobody knows is
taken at the file’s word, by the VTIMEZONE that comes with it. A time without a zone, and a day,
are those of the zone that the calendar was given here.

A time that comes twice is the first, as for a hand-off: what ends then and what begins then meet.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import NamedTuple

from app.domain.ical import Component, Line
from app.domain.recurrence import Allowance, UnreadableRuleError, occurrences, read_rule
from app.domain.time_zone import is_time_zone, zone
from app.domain.timeline import Interval
from app.domain.wall_clock import first_instant
from app.domain.windows_zones import WINDOWS_ZONES

DATE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
DATE_TIME = re.compile(r"(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})(Z?)", re.ASCII)
OFFSET = re.compile(r"([+-])(\d{2})(\d{2})(\d{2})?", re.ASCII)
YEAR = timedelta(days=366)
IANA_PARTS = 3  # America/Argentina/Ushuaia
UTC_NAMES = {"UTC", "GMT", "Z"}

Clock = Callable[[datetime], datetime]  # from the time on the wall to the instant


class UnreadableTimeError(ValueError):
    """It says no time; the text completes a sentence that begins with the property’s name."""


class WallTime(NamedTuple):
    """A time as a file says it: on the wall of a zone, or a whole day."""

    shown: datetime
    zone: str | None  # as the file calls it; None: that of the calendar
    is_day: bool


class _Onset(NamedTuple):
    """When the clock is set, as it is shown then, and by how much it is ahead of UTC."""

    shown: datetime
    before: timedelta
    after: timedelta


class Clocks:
    """The clocks that a file names, each looked for once."""

    def __init__(
        self, calendar: Component, usual: str, during: Interval, allowance: Allowance
    ) -> None:
        self.unknown: set[str] = set()  # taken for the usual one
        self._usual: Clock = partial(first_instant, zone=zone(usual))
        self._during = during
        self._allowance = allowance
        self._found: dict[str, Clock] = {}
        self._told = {
            line.value.strip(): part
            for part in calendar.parts
            if part.name == "VTIMEZONE" and (line := part.first("TZID")) is not None
        }

    def instant(self, at: WallTime) -> datetime:
        """The instant of a time on the wall."""
        return self._clock(at.zone)(at.shown)

    def _clock(self, name: str | None) -> Clock:
        if name is None:
            return self._usual
        if name not in self._found:
            self._found[name] = self._look_for(name)
        return self._found[name]

    def _look_for(self, name: str) -> Clock:
        told = self._told.get(name)
        known = _known(name, told)
        if known is not None:
            return partial(first_instant, zone=zone(known))
        if told is not None:
            onsets = sorted(self._onsets(told))
            if onsets:
                return partial(_by_onsets, onsets=onsets)
        self.unknown.add(name)
        return self._usual

    def _onsets(self, told: Component) -> Iterator[_Onset]:
        since = self._during.starts_at.replace(tzinfo=None) - 2 * YEAR
        until = self._during.ends_at.replace(tzinfo=None) + YEAR
        for part in told.parts:
            begins = part.first("DTSTART")
            before, after = _offset(part.first("TZOFFSETFROM")), _offset(part.first("TZOFFSETTO"))
            if begins is None or before is None or after is None:
                continue
            try:
                first = read_time(begins).shown
                shown = {
                    first,
                    *(at.shown for line in part.all("RDATE") for at in read_times(line)),
                }
                for line in part.all("RRULE"):
                    shown.update(
                        occurrences(
                            read_rule(line.value),
                            first,
                            since=since,
                            until=until,
                            last=_last(line, before),
                            allowance=self._allowance,
                        )
                    )
            except (UnreadableTimeError, UnreadableRuleError):
                continue
            yield from (_Onset(at, before, after) for at in shown)


def read_time(line: Line) -> WallTime:
    """The time that a property says."""
    return _read(line, line.value.strip())


def read_times(line: Line) -> list[WallTime]:
    """The times that a property lists."""
    return [_read(line, part.strip()) for part in line.value.split(",") if part.strip()]


def _read(line: Line, text: str) -> WallTime:
    if (found := DATE.fullmatch(text)) is not None:
        return WallTime(_datetime(line, *map(int, found.groups())), None, is_day=True)
    if (found := DATE_TIME.fullmatch(text)) is None:
        raise UnreadableTimeError(f"{line.name} “{text[:40]}” is no time")
    *parts, is_utc = found.groups()
    numbers = [int(part) for part in parts]
    numbers[5] = min(numbers[5], 59)  # a leap second is the end of its minute
    named = "UTC" if is_utc else line.parameters.get("TZID")
    return WallTime(_datetime(line, *numbers), named, is_day=False)


def _datetime(
    line: Line, year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0
) -> datetime:
    try:
        return datetime.combine(date(year, month, day), time(hour, minute, second))
    except ValueError:
        raise UnreadableTimeError(f"{line.name} “{line.value[:40]}” is no time") from None


def _known(name: str, told: Component | None) -> str | None:
    """The zone of our data that is meant, if there is one."""
    names = [name]
    if told is not None and (place := told.first("X-LIC-LOCATION")) is not None:
        names.append(place.value.strip())
    for one in names:
        if one.upper() in UTC_NAMES:
            return "UTC"
        parts = one.strip("/").split("/")
        wrapped = ["/".join(parts[-count:]) for count in range(IANA_PARTS, 0, -1)]
        for candidate in (one, WINDOWS_ZONES.get(one, ""), *wrapped):
            if is_time_zone(candidate):
                return candidate
    return None


def _offset(line: Line | None) -> timedelta | None:
    found = None if line is None else OFFSET.fullmatch(line.value.strip())
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    span = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if span >= timedelta(days=1):
        return None
    return -span if found[1] == "-" else span


def _last(line: Line, before: timedelta) -> datetime | None:
    """What UNTIL of a VTIMEZONE means on the wall: it is said in UTC."""
    until = read_rule(line.value).until
    if until is None:
        return None
    at = read_time(line._replace(value=until, parameters={}))
    return at.shown if at.zone is None else at.shown + before


def _by_onsets(shown: datetime, onsets: list[_Onset]) -> datetime:
    ahead = onsets[0].before
    for onset in onsets:
        # What the clock skips still goes by the time before.
        if shown < onset.shown + max(onset.after - onset.before, timedelta()):
            break
        ahead = onset.after
    return (shown - ahead).replace(tzinfo=UTC)
