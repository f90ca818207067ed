"""The loop of calendars: asks those that are due again, and reads what they say.

It has connections of its own, and few: no calendar, however slow, delays a page, and none delays
more than a few others. A calendar is leased, fetched and read with no transaction open, and
written down. Reading is work, and is done beside the event loop.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from app.channels.plain import one_line
from app.crud import crud_calendar
from app.crud.crud_calendar import LeasedCalendar
from app.db.session import Database, WriteSession, transaction_time
from app.domain.calendar import USUAL_PERIOD, CalendarKind, Copy, Failed, window
from app.domain.calendar_entry import Told, tell
from app.domain.ical import UnreadableCalendarError
from app.services import calendar as calendar_service
from app.worker.loop import SKIPPED

log = logging.getLogger(__name__)

AT_ONCE = 4
MARGIN = timedelta(seconds=60)  # after its time-out whoever fetches is taken for dead


class Fetcher(Protocol):
    """The way out. Every fetch ends within `timeout`."""

    timeout: timedelta

    async def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None
    ) -> Copy | Failed: ...

    async def close(self) -> None: ...


class Calendars:
    """What one process does for calendars."""

    def __init__(
        self,
        database: Database,
        fetcher: Fetcher,
        *,
        period: timedelta = USUAL_PERIOD,
        chance: Callable[[], float] = random.random,  # the jitter between fetches
    ) -> None:
        self._database = database
        self._fetcher = fetcher
        self._period = period
        self._chance = chance
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_over = False

    async def round(self) -> timedelta | None:
        """Fetch all that are due; how long until the next one is."""
        while not self._is_over and (leased := await self._database.write(self._lease)):
            self._under_way = {asyncio.create_task(self._renew(lease)) for lease in leased}
            await asyncio.gather(*self._under_way, return_exceptions=True)
        return await self._next_lead()

    def break_off(self) -> None:
        """Wait for no calendar any more: the leases run out, and others fetch them then."""
        self._is_over = True
        for task in self._under_way:
            task.cancel()

    async def close(self) -> None:
        """End the connections of this way out, to calendars and to the database."""
        await self._fetcher.close()
        await self._database.close()

    async def _lease(self, session: WriteSession) -> list[LeasedCalendar]:
        now = await transaction_time(session)
        until = now + self._fetcher.timeout + MARGIN
        return list(await crud_calendar.lease_due(session, now=now, until=until, limit=AT_ONCE))

    async def _next_lead(self) -> timedelta | None:
        async with self._database.reading() as session:
            now = await transaction_time(session)
            due_at = await crud_calendar.next_fetch_at(session)
        if due_at is None:
            return None
        return due_at - now if due_at > now else SKIPPED

    async def _renew(self, lease: LeasedCalendar) -> None:
        """Whatever goes wrong with one calendar is its own matter: its lease runs out."""
        try:
            copy = await self._fetched(lease)
            told: Told | None = None
            if isinstance(copy, Copy):
                told, failed = await self._told(lease, copy)
                copy = failed or copy
            await self._record(lease, copy, told)
        except Exception:
            log.exception("calendar.failed", extra={"calendar_id": lease.id})

    async def _fetched(self, lease: LeasedCalendar) -> Copy | Failed:
        if lease.url is None:
            return Copy()  # it was uploaded: there is nothing but what we have
        return await self._fetcher.fetch(
            lease.url, etag=lease.etag, last_modified=lease.last_modified
        )

    async def _told(self, lease: LeasedCalendar, copy: Copy) -> tuple[Told | None, Failed | None]:
        """What a copy says, if it has to be read, or why it cannot be."""
        async with self._database.reading() as session:
            now = await transaction_time(session)
            calendar = await crud_calendar.whole(session, lease.id)
            if calendar is None or not calendar_service.must_be_read(calendar, copy, now=now):
                return None, None
            body = copy.body if copy.body is not None else calendar.body
        if body is None:
            return None, Failed("It says that nothing has changed, but it never said anything.")
        with_people = lease.kind is CalendarKind.ON_CALL
        try:
            told = await asyncio.to_thread(
                tell, body, lease.time_zone, window(now), with_people=with_people
            )
        except UnreadableCalendarError as error:
            return None, Failed(one_line(str(error)))
        return told, None

    async def _record(self, lease: LeasedCalendar, copy: Copy | Failed, told: Told | None) -> None:
        async def record(session: WriteSession) -> bool:
            return await calendar_service.record(
                session,
                lease,
                copy,
                told,
                period=self._period,
                chance=self._chance(),
                now=await transaction_time(session),
            )

        counted = await self._database.write(record)
        if isinstance(copy, Failed):
            extra = {"calendar_id": lease.id, "error": copy.error, "counted": counted}
            log.warning("calendar.not_read", extra=extra)
