"""What a calendar file says of a time: each event that comes again told out, one by one. Pure.

An event that cannot be understood is told of and left out; the others count. A file that is too
large is refused as a whole: half a calendar would be a rota with holes.

An end goes by the clock on the wall, as its start does: a shift from ten at night until six ends
at six on every night of the year.
"""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
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
from app.domain.calendar_people import LONGEST_TEXT, people_of, text_of
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
STEPS = 500_000  # of a whole calendar
STEPS_OF_EVENT = 60_000
NOBODYS: list[str | None] = [None]
LONGEST_MOVE = timedelta(days=366)
DAY = timedelta(days=1)
DURATION = re.compile(
    r"\+?P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?",
    re.ASCII | re.IGNORECASE,
)


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


@dataclass(frozen=True)
class _Onwards:
    """From one occurrence on all are others: so much later on the wall, and as this event says."""

    since: datetime  # the instant of that occurrence, as it was
    event: Component
    later: timedelta = timedelta()
    length: _Length | None = None  # None: they come no more


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
        self._onwards: dict[str, dict[datetime, Component]] = {}
        self._said: dict[int, tuple[str, list[str | None]]] = {}  # by the event's line
        self._fault_count = 0

    def sort(self, event: Component) -> None:
        """Events apart from what changes one occurrence of them, or one and all that follow."""
        uid = text_of(event, "UID") or f"line {event.number}"
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
        is_onwards = changes.parameters.get("RANGE", "").upper() == "THISANDFUTURE"
        others = (self._onwards if is_onwards else self._changed).setdefault(uid, {})
        before = others.get(instant)
        if before is None or _sequence(before) <= _sequence(event):
            others[instant] = event

    def tell(self) -> None:
        """Tell them out, those that come again with what was changed."""
        for uid, event in self._events.items():
            onwards = [
                change
                for _, other in sorted(self._onwards.pop(uid, {}).items())
                if (change := self._change(uid, event, other)) is not None
            ]
            self._event(uid, event, set(self._changed.get(uid, ())), onwards)
        for changes in (self._changed, self._onwards):
            for uid, others in changes.items():
                for event in others.values():
                    self._event(uid, event)
        for name in sorted(self._clocks.unknown):
            self._add_fault(
                f"Nobody knows the time zone “{name[:60]}”: its times were taken for those of"
                f" {self._zone}."
            )
        if self._fault_count > MOST_FAULTS:
            self.told.faults.append(f"… and {self._fault_count - MOST_FAULTS} more.")

    def _event(
        self,
        uid: str,
        event: Component,
        changed: Collection[datetime] = (),
        onwards: Sequence[_Onwards] = (),
    ) -> None:
        if _is_cancelled(event):
            return
        try:
            self._add(uid, event, changed, onwards)
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

    def _add(
        self,
        uid: str,
        event: Component,
        changed: Collection[datetime],
        onwards: Sequence[_Onwards],
    ) -> None:
        first = _begins(event)
        length = self._length(event, first)
        turns = [one.since for one in onwards]
        reach = max((abs(one.later) for one in onwards), default=timedelta())
        for shown in self._shown(event, first, length, reach):
            at = first._replace(shown=shown)
            starts_at = self._clocks.instant(at)
            if starts_at in changed:
                continue
            place = bisect_right(turns, starts_at)
            if place == 0:
                self._put(uid, event, at, length)
                continue
            ruling = onwards[place - 1]
            if ruling.length is not None:
                later = at._replace(shown=shown + ruling.later)
                self._put(uid, ruling.event, later, ruling.length)

    def _put(self, uid: str, event: Component, at: WallTime, length: _Length) -> None:
        """One time that it comes, of everybody whose time it is."""
        starts_at = self._clocks.instant(at)
        ends_at = self._clocks.instant(at._replace(shown=at.shown + length.shown)) + length.exact
        if not (starts_at < ends_at and self._is_within(starts_at, ends_at)):
            return
        if event.number not in self._said:
            summary = text_of(event, "SUMMARY")[:LONGEST_TEXT].strip() or "(no title)"
            mails = people_of(event) if self._with_people else NOBODYS
            self._said[event.number] = summary, mails
        summary, mails = self._said[event.number]
        for mail in mails:
            self.told.entries.setdefault(
                Entry(starts_at, ends_at, summary, mail), uid[:LONGEST_TEXT]
            )
        if len(self.told.entries) > MOST_SHIFTS:
            raise UnreadableCalendarError(
                f"The calendar says more than {MOST_SHIFTS:,} times within the next thirteen"
                " months."
            )

    def _change(self, uid: str, event: Component, other: Component) -> _Onwards | None:
        """What an occurrence changes for all that follow it. If that cannot be told it is said so,
        and counts as a change of that occurrence alone."""
        changes = other.first("RECURRENCE-ID")
        assert changes is not None  # it was sorted by that
        was = read_time(changes)
        since = self._clocks.instant(was)
        if _is_cancelled(other):
            return _Onwards(since, other)
        try:
            first, begins = _begins(event), _begins(other)
            length, later = self._length(other, begins), self._later(was, begins, first)
        except (UnreadableTimeError, OverflowError) as error:
            self._fault(other, str(error))
            self._changed.setdefault(uid, {}).setdefault(since, other)
            return None
        return _Onwards(since, other, later, length)

    def _later(self, was: WallTime, begins: WallTime, first: WallTime) -> timedelta:
        """By how much later all come, on the wall of the event."""
        if begins.is_day != first.is_day or begins.zone not in (was.zone, first.zone):
            raise UnreadableTimeError(
                "its RANGE=THISANDFUTURE changes the zone, which is not understood"
            )
        shown = was.shown
        if begins.zone != was.zone:  # what that was on the other wall
            instant = self._clocks.instant(was)
            shown = begins.shown - (self._clocks.instant(begins) - instant)
            shown += instant - self._clocks.instant(begins._replace(shown=shown))
        later = begins.shown - shown
        if abs(later) > LONGEST_MOVE:
            raise UnreadableTimeError("its RANGE=THISANDFUTURE moves all by more than a year")
        return later

    def _is_within(self, starts_at: datetime, ends_at: datetime) -> bool:
        return starts_at < self._during.ends_at and self._during.starts_at < ends_at

    # --- when

    def _shown(
        self, event: Component, first: WallTime, length: _Length, reach: timedelta
    ) -> Iterator[datetime]:
        """On the wall, every time that the event comes, as far as it can matter."""
        without = [at for line in event.all("EXDATE") for at in read_times(line)]
        days = {at.shown.date() for at in without if at.is_day}
        instants = {self._clocks.instant(at) for at in without if not at.is_day}
        told = {first.shown, *self._dates(event, first)}
        for line in event.all("RRULE"):
            told.update(self._repeated(line.value, first, length, reach))
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

    def _repeated(
        self, text: str, first: WallTime, length: _Length, reach: timedelta
    ) -> Iterator[datetime]:
        rule = read_rule(text)
        # Wide enough for every zone: what lies outside is seen to later, by the instant.
        before = length.shown + length.exact + reach + 2 * DAY
        since = self._during.starts_at.replace(tzinfo=None) - before
        until = self._during.ends_at.replace(tzinfo=None) + reach + 2 * DAY
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
        title = text_of(event, "SUMMARY")[:60].strip()
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


def _begins(event: Component) -> WallTime:
    begins = event.first("DTSTART")
    if begins is None:
        raise UnreadableTimeError("it has no DTSTART")
    return read_time(begins)


def _is_cancelled(event: Component) -> bool:
    return _value(event, "STATUS").upper() == "CANCELLED"


def _value(event: Component, name: str) -> str:
    line = event.first(name)
    return "" if line is None else line.value.strip()


def _sequence(event: Component) -> int:
    text = _value(event, "SEQUENCE")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
