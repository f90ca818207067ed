"""What a calendar file says of a time: each event that comes again told out, one by one. Pure.

An event that cannot be understood is told of and left out; the others count. A file that is too
large is refused as a whole: half a calendar would be a rota with holes.

An end goes by the clock on the wall, as its start does: a shift from ten at night until six ends
at six on every night of the year.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.calendar import MOST_SHIFTS, Entry
from app.domain.calendar_clock import (
    Clocks,
    UnreadableTimeError,
    WallTime,
    read_time,
    read_times,
)
from app.domain.ical import Component, Line, UnreadableCalendarError, read
from app.domain.recurrence import (
    Allowance,
    TooMuchError,
    UnreadableRuleError,
    occurrences,
    read_rule,
)
from app.domain.timeline import Interval

MOST_EVENTS = 10_000
MOST_FAULTS = 20
MOST_PEOPLE = 10  # of one event
STEPS = 500_000  # of a whole calendar
STEPS_OF_EVENT = 60_000
LONGEST_TEXT = 255
READ_TEXT = 2_000  # of a description, in search of a mail address
DAY = timedelta(days=1)
DURATION = re.compile(
    r"\+?P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?",
    re.ASCII | re.IGNORECASE,
)
MAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}")
NO_PERSON = {"ROOM", "RESOURCE"}
GROUP_CALENDAR = "@group.calendar.google.com"  # a calendar's own address, which is nobody's


@dataclass
class Told:
    """What a calendar says within a time, each with its uid, and what could not be understood."""

    entries: dict[Entry, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Length:
    """How long an event lasts: so much on the wall, then so much by the watch."""

    shown: timedelta
    exact: timedelta = timedelta()


def tell(body: bytes, time_zone: str, during: Interval, *, with_people: bool) -> Told:
    """Everything in a file that shares time with `during`."""
    calendar = read(body)
    events = [part for part in calendar.parts if part.name == "VEVENT"]
    if len(events) > MOST_EVENTS:
        raise UnreadableCalendarError(f"The calendar has more than {MOST_EVENTS:,} events.")
    teller = _Teller(calendar, time_zone, during, with_people=with_people)
    for event in events:
        teller.sort(event)
    teller.tell()
    return teller.told


class _Teller:
    """One reading of one calendar."""

    def __init__(
        self, calendar: Component, time_zone: str, during: Interval, *, with_people: bool
    ) -> None:
        self.told = Told()
        self._during = during
        self._with_people = with_people
        self._allowance = Allowance(STEPS)
        self._clocks = Clocks(calendar, time_zone, during, Allowance(STEPS_OF_EVENT))
        self._zone = time_zone
        self._events: dict[str, Component] = {}
        self._changed: dict[str, dict[datetime, Component]] = {}
        self._fault_count = 0

    def sort(self, event: Component) -> None:
        """Events apart from what changes one occurrence of them."""
        uid = _text(event, "UID") or f"line {event.number}"
        changes = event.first("RECURRENCE-ID")
        if changes is None:
            before = self._events.get(uid)
            if before is None or _sequence(before) <= _sequence(event):
                self._events[uid] = event
            return
        try:
            instant = self._clocks.instant(read_time(changes))
        except (UnreadableTimeError, OverflowError) as error:
            self._fault(event, str(error))
            return
        others = self._changed.setdefault(uid, {})
        before = others.get(instant)
        if before is None or _sequence(before) <= _sequence(event):
            others[instant] = event

    def tell(self) -> None:
        """Tell them out, those that come again with what was changed."""
        for uid, event in self._events.items():
            self._event(uid, event, set(self._changed.get(uid, ())))
        for uid, others in self._changed.items():
            for event in others.values():
                self._event(uid, event, set())
        for name in sorted(self._clocks.unknown):
            self._add_fault(
                f"Nobody knows the time zone “{name[:60]}”: its times were taken for those of"
                f" {self._zone}."
            )
        if self._fault_count > MOST_FAULTS:
            self.told.faults.append(f"… and {self._fault_count - MOST_FAULTS} more.")

    def _event(self, uid: str, event: Component, changed: set[datetime]) -> None:
        if _value(event, "STATUS").upper() == "CANCELLED":
            return
        try:
            self._add(uid, event, changed)
        except (UnreadableTimeError, UnreadableRuleError) as error:
            self._fault(event, str(error))
        except OverflowError:
            self._fault(event, "it lies beyond the years 1 to 9999")
        except TooMuchError:
            if self._allowance.is_spent:
                raise UnreadableCalendarError(
                    "The calendar’s recurrences take too much to tell out: leave out some that"
                    " began long ago or come every hour."
                ) from None
            self._fault(event, "its recurrence takes too much to tell out")

    def _add(self, uid: str, event: Component, changed: set[datetime]) -> None:
        begins = event.first("DTSTART")
        if begins is None:
            raise UnreadableTimeError("it has no DTSTART")
        first = read_time(begins)
        length = self._length(event, first)
        summary = _text(event, "SUMMARY")[:LONGEST_TEXT].strip() or "(no title)"
        mails = _people(event) if self._with_people else [None]
        for shown in self._shown(event, first, length):
            at = first._replace(shown=shown)
            starts_at = self._clocks.instant(at)
            if starts_at in changed:
                continue
            ends_at = self._clocks.instant(at._replace(shown=shown + length.shown)) + length.exact
            if not (starts_at < ends_at and self._is_within(starts_at, ends_at)):
                continue
            for mail in mails:
                self.told.entries.setdefault(
                    Entry(starts_at, ends_at, summary, mail), uid[:LONGEST_TEXT]
                )
            if len(self.told.entries) > MOST_SHIFTS:
                raise UnreadableCalendarError(
                    f"The calendar says more than {MOST_SHIFTS:,} times within the next thirteen"
                    " months."
                )

    def _is_within(self, starts_at: datetime, ends_at: datetime) -> bool:
        return starts_at < self._during.ends_at and self._during.starts_at < ends_at

    # --- when

    def _shown(self, event: Component, first: WallTime, length: _Length) -> Iterator[datetime]:
        """On the wall, every time that the event comes, as far as it can matter."""
        without = [at for line in event.all("EXDATE") for at in read_times(line)]
        days = {at.shown.date() for at in without if at.is_day}
        instants = {self._clocks.instant(at) for at in without if not at.is_day}
        told = {first.shown, *self._dates(event, first)}
        for line in event.all("RRULE"):
            told.update(self._repeated(line.value, first, length))
        for shown in sorted(told):
            if shown.date() not in days and (
                not instants or self._clocks.instant(first._replace(shown=shown)) not in instants
            ):
                yield shown

    def _dates(self, event: Component, first: WallTime) -> Iterator[datetime]:
        """Those that are listed, on the same wall."""
        for line in event.all("RDATE"):
            if line.parameters.get("VALUE", "").upper() == "PERIOD":
                raise UnreadableTimeError("its RDATE lists periods, which are not understood")
            for at in read_times(line):
                if at.zone != first.zone or at.is_day != first.is_day:
                    raise UnreadableTimeError("its RDATE is in another zone than its DTSTART")
                yield at.shown

    def _repeated(self, text: str, first: WallTime, length: _Length) -> Iterator[datetime]:
        rule = read_rule(text)
        # Wide enough for every zone: what lies outside is seen to later, by the instant.
        since = self._during.starts_at.replace(tzinfo=None) - length.shown - length.exact - 2 * DAY
        until = self._during.ends_at.replace(tzinfo=None) + 2 * DAY
        last, last_instant = self._until(rule.until, first)
        found = occurrences(
            rule,
            first.shown,
            since=since,
            until=until,
            last=last,
            allowance=Allowance(STEPS_OF_EVENT, of=self._allowance),
        )
        for shown in found:
            at = first._replace(shown=shown)
            if last_instant is not None and self._clocks.instant(at) > last_instant:
                return
            yield shown

    def _until(self, text: str | None, first: WallTime) -> tuple[datetime | None, datetime | None]:
        """The last time on the wall, or the last instant."""
        if text is None:
            return None, None
        at = read_time(Line("UNTIL", {}, text, 0))
        if at.is_day:
            return at.shown + DAY - timedelta.resolution, None
        if at.zone is None or first.is_day:
            return at.shown, None
        return None, self._clocks.instant(at)

    def _length(self, event: Component, first: WallTime) -> _Length:
        ends, lasts = event.first("DTEND"), event.first("DURATION")
        if ends is not None:
            last = read_time(ends)
            if last.zone == first.zone and last.is_day == first.is_day:
                return _lasting(_Length(last.shown - first.shown))
            exact = self._clocks.instant(last) - self._clocks.instant(first)
            return _lasting(_Length(timedelta(), exact))
        if lasts is not None:
            found = DURATION.fullmatch(lasts.value.strip())
            if found is None:
                raise UnreadableTimeError(f"DURATION “{lasts.value[:40]}” is no time to last")
            weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
            return _lasting(
                _Length(
                    timedelta(weeks=weeks, days=days),
                    timedelta(hours=hours, minutes=minutes, seconds=seconds),
                )
            )
        return _lasting(_Length(DAY if first.is_day else timedelta()))

    # --- faults

    def _fault(self, event: Component, why: str) -> None:
        title = _text(event, "SUMMARY")[:60].strip()
        called = f" (“{title}”)" if title else ""
        self._add_fault(f"Line {event.number}{called}: {why}.")

    def _add_fault(self, told: str) -> None:
        self._fault_count += 1
        if self._fault_count <= MOST_FAULTS:
            self.told.faults.append("".join(one if one.isprintable() else " " for one in told))


def _lasting(length: _Length) -> _Length:
    if length.shown + length.exact <= timedelta():
        raise UnreadableTimeError("it lasts no time: it needs a DTEND after its DTSTART")
    return length


def _value(event: Component, name: str) -> str:
    line = event.first(name)
    return "" if line is None else line.value.strip()


def _text(event: Component, name: str) -> str:
    """Text on one line, as far as it can be shown."""
    line = event.first(name)
    if line is None:
        return ""
    words = line.text[:READ_TEXT].split()
    return "".join(one for one in " ".join(words) if one.isprintable())


def _sequence(event: Component) -> int:
    text = _value(event, "SEQUENCE")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _people(event: Component) -> list[str | None]:
    """The mail addresses of those whose time it is: of its guests who did not decline; else one
    in its title, else one in its description, else of whoever made it."""
    guests = [_address(line) for line in event.all("ATTENDEE") if _comes(line)]
    found = list(dict.fromkeys(mail for mail in guests if mail))
    for name in ("SUMMARY", "DESCRIPTION"):
        if not found:
            found = list(dict.fromkeys(MAIL.findall(_text(event, name).lower())))
    if not found:
        found = [mail for line in event.all("ORGANIZER")[:1] if (mail := _address(line))]
    return [*found[:MOST_PEOPLE]] or [None]


def _comes(guest: Line) -> bool:
    says = guest.parameters
    return (
        says.get("PARTSTAT", "").upper() != "DECLINED"
        and says.get("CUTYPE", "").upper() not in NO_PERSON
    )


def _address(line: Line) -> str | None:
    for text in (line.value, line.parameters.get("EMAIL", "")):
        mail = text.strip().lower().removeprefix("mailto:")
        if len(mail) <= LONGEST_TEXT and MAIL.fullmatch(mail) and not mail.endswith(GROUP_CALENDAR):
            return mail
    return None
