"""Calendars of others that schedules follow: holidays, and who is on call.

A calendar comes from a URL, which is asked again and again, or as a file that somebody uploads.
What it says is told out into rows, and only differences are written: what it says no longer is
marked with the time, and what is over stays as it was last seen. So it can be told what was known
at any time. A copy that cannot be had or read changes nothing.

Locking: whoever writes what a calendar says holds its row.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.core.errors import ConflictError, InvalidInputError, NotFoundError
from app.crud import crud_calendar, crud_calendar_shift
from app.crud.crud_calendar import LeasedCalendar
from app.crud.crud_calendar_shift import Unmatched
from app.db.session import ReadSession, WriteSession, wake_after_commit
from app.domain.calendar import (
    MOST_CALENDARS,
    READ_ANEW_EVERY,
    REFRESH_PAUSE,
    USUAL_PERIOD,
    CalendarKind,
    Copy,
    Failed,
    wait,
    window,
)
from app.domain.calendar_entry import Told, tell
from app.domain.ical import UnreadableCalendarError
from app.models import Calendar, User
from app.services.target import Objection, require_callable

CALENDARS = "calendars"  # the loop that fetches them


class TooManyCalendarsError(ConflictError):
    """Each is fetched again and again."""

    code = "TOO_MANY_CALENDARS"


class CalendarInUseError(ConflictError):
    """A schedule follows it."""

    code = "CALENDAR_IN_USE"


class CalendarUnreadableError(InvalidInputError):
    """What was uploaded is no calendar; `details.errors` names the place."""

    code = "CALENDAR_UNREADABLE"

    def __init__(self, why: str) -> None:
        super().__init__(f"ical: {why}", errors=[{"path": "ical", "message": why}])


@dataclass(frozen=True)
class Detail:
    """A calendar, and what people may have to mend."""

    calendar: Calendar
    entries_ahead: int
    unmatched: list[Unmatched]


async def require(session: ReadSession, calendar_id: int) -> Calendar:
    return _there(await crud_calendar.get(session, calendar_id), calendar_id)


async def detail(session: ReadSession, calendar_id: int, *, now: datetime) -> Detail:
    """A calendar with what it says of the time to come, as far as nobody here answers to it."""
    calendar = await require(session, calendar_id)
    ahead = await crud_calendar_shift.count_current(session, calendar_id, now=now)
    if calendar.kind is CalendarKind.HOLIDAYS:
        return Detail(calendar, ahead, [])
    unmatched = await crud_calendar_shift.unmatched(session, calendar_id, now=now)
    return Detail(calendar, ahead, list(unmatched))


async def create(
    session: WriteSession,
    fields: Mapping[str, Any],
    objection: Objection,
    *,
    by: User,
    now: datetime,
) -> Calendar:
    """A calendar at a URL, which is fetched at once, or an uploaded one, which is read now."""
    if await crud_calendar.count(session) >= MOST_CALENDARS:
        raise TooManyCalendarsError(
            f"There are {MOST_CALENDARS} calendars already; delete one that no schedule follows."
        )
    body = _body(fields)
    if fields.get("url") is not None:
        require_callable(fields["url"], objection)
    told = None if body is None else await _told(body, fields["time_zone"], fields["kind"], now)
    made = await crud_calendar.add(
        session,
        Calendar(
            name=fields["name"],
            kind=fields["kind"],
            url=fields.get("url"),
            time_zone=fields["time_zone"],
            body=body,
            next_fetch_at=now,
            faults=[],
            failures=0,
            created_by=by.id,
            revision=1,
            created_at=now,
            updated_at=now,
        ),
    )
    if told is not None:
        made.next_fetch_at = now + READ_ANEW_EVERY
        await _take(session, made, told, now=now)
    wake_after_commit(session, CALENDARS)
    return made


async def update(
    session: WriteSession,
    calendar_id: int,
    fields: Mapping[str, Any],
    objection: Objection,
    *,
    now: datetime,
) -> Calendar:
    """Write the named fields. Another URL or file takes the place of the one before: what that
    said counts until the new one was read."""
    calendar = await _held(session, calendar_id)
    named = {name: value for name, value in fields.items() if name != "ical"}
    body = _body(fields)
    if body is not None:
        zone = fields.get("time_zone", calendar.time_zone)
        told = await _told(body, zone, calendar.kind, now)
        calendar.revise({**named, "url": None, "body": body}, now=now)
        _forget_source(calendar)
        calendar.next_fetch_at = now + READ_ANEW_EVERY
        await _take(session, calendar, told, now=now)
        return calendar
    if named.get("url") is not None:
        require_callable(named["url"], objection)
    changed = calendar.revise(named, now=now)
    if "url" in changed:
        _forget_source(calendar)
    if "url" in changed or "time_zone" in changed:
        calendar.read_at = None
        calendar.next_fetch_at = now
        wake_after_commit(session, CALENDARS)
    return calendar


async def refresh(session: WriteSession, calendar_id: int, *, now: datetime) -> Calendar:
    """Have it fetched at once, unless that was done a moment ago."""
    calendar = await _held(session, calendar_id)
    is_fresh = calendar.fetched_at is not None and now - calendar.fetched_at < REFRESH_PAUSE
    if not is_fresh:
        calendar.next_fetch_at = now
        wake_after_commit(session, CALENDARS)
    return calendar


async def remove(session: WriteSession, calendar_id: int, *, now: datetime) -> None:
    """Ask it no more, and forget its URL. What it said stays for those who look back."""
    calendar = await _held(session, calendar_id)
    followers = await crud_calendar.followers(session, calendar_id, now=now)
    if followers:
        raise CalendarInUseError(
            f"The schedule “{followers[0].name}” follows this calendar; take it out there first.",
            schedule_ids=[schedule.id for schedule in followers],
        )
    calendar.revise({"deleted_at": now, "url": None, "body": None}, now=now)
    calendar.next_fetch_at = None


async def record(
    session: WriteSession,
    lease: LeasedCalendar,
    copy: Copy | Failed,
    told: Told | None,
    *,
    period: timedelta = USUAL_PERIOD,
    chance: float,
    now: datetime,
) -> bool:
    """Write down what came of a fetch; whether it counted.

    `told` is None where the copy need not be told out anew. What was fetched before
    somebody changed the calendar counts for nothing.
    """
    calendar = await crud_calendar.lock_whole(session, lease.id)
    if calendar is None or (calendar.url, calendar.time_zone) != (lease.url, lease.time_zone):
        return False
    is_mine = calendar.next_fetch_at == lease.until  # else somebody asked for another look
    if isinstance(copy, Failed):
        calendar.failures += 1
        calendar.failing_since = calendar.failing_since or now
        calendar.last_error = copy.error
    else:
        _keep(calendar, copy)
        if told is not None:
            await _take(session, calendar, told, now=now)
        else:
            await _match(session, calendar, now=now)
            _is_well(calendar, now=now)
    if is_mine:
        usual = READ_ANEW_EVERY if calendar.url is None else period
        calendar.next_fetch_at = now + wait(calendar.failures, period=usual, chance=chance)
    return True


def must_be_read(calendar: Calendar, copy: Copy, *, now: datetime) -> bool:
    """Whether what came has to be told out: it is another, or the time that it is read for has
    moved on."""
    is_other = copy.body is not None and copy.body != calendar.body
    return is_other or calendar.read_at is None or now - calendar.read_at >= READ_ANEW_EVERY


async def _told(body: bytes, time_zone: str, kind: CalendarKind, now: datetime) -> Told:
    try:
        return await asyncio.to_thread(
            tell, body, time_zone, window(now), with_people=kind is CalendarKind.ON_CALL
        )
    except UnreadableCalendarError as error:
        raise CalendarUnreadableError(str(error)) from None


async def _take(session: WriteSession, calendar: Calendar, told: Told, *, now: datetime) -> None:
    """Make the rows say what the calendar says: of what is over, only the first time."""
    is_first = calendar.fetched_at is None
    since = window(now).starts_at if is_first else now
    said = await crud_calendar_shift.current(session, calendar.id, since=since)
    new = [
        (uid, entry)
        for entry, uid in told.entries.items()
        if entry not in said and entry.ends_at > since
    ]
    # What lies beyond the time that was read, nothing was said of.
    until = window(now).ends_at
    gone = [
        key
        for entry, keys in said.items()
        if entry not in told.entries and entry.starts_at < until
        for key in keys
    ]
    await crud_calendar_shift.take_back(session, gone, now=now)
    await crud_calendar_shift.add(session, calendar.id, new, now=now)
    await _match(session, calendar, now=now, is_first=is_first)
    calendar.faults, calendar.read_at = told.faults, now
    _is_well(calendar, now=now)


async def _match(
    session: WriteSession, calendar: Calendar, *, now: datetime, is_first: bool = False
) -> None:
    if calendar.kind is CalendarKind.ON_CALL:
        since = window(now).starts_at if is_first else now
        await crud_calendar_shift.match(session, calendar.id, since=since, now=now)


def _is_well(calendar: Calendar, *, now: datetime) -> None:
    calendar.fetched_at = now
    calendar.failures = 0
    calendar.failing_since = calendar.last_error = None


def _keep(calendar: Calendar, copy: Copy) -> None:
    if copy.body is not None:
        calendar.etag, calendar.last_modified = copy.etag, copy.last_modified
        if copy.body != calendar.body:
            calendar.body = copy.body


def _forget_source(calendar: Calendar) -> None:
    calendar.etag = calendar.last_modified = None
    calendar.failing_since = calendar.last_error = None
    calendar.failures = 0


def _body(fields: Mapping[str, Any]) -> bytes | None:
    text = fields.get("ical")
    return None if text is None else str(text).encode()


async def _held(session: WriteSession, calendar_id: int) -> Calendar:
    return _there(await crud_calendar.lock_whole(session, calendar_id), calendar_id)


def _there(found: Calendar | None, calendar_id: int) -> Calendar:
    if found is None:
        raise NotFoundError("calendar", calendar_id)
    return found
