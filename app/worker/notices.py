"""The notices: people are told when their duty begins, ends, comes soon, or was changed, and when
something that they promised is due.

Each round looks at the schedules whose time has come, then tells what is due, a few of each: its
cost follows what is due and not how many schedules there are. Rows hold all of it, so any number
of replicas may run it, and each notice is made once.
"""

from datetime import datetime, timedelta

from app.crud import crud_action_item, crud_on_call_notice, crud_shift_request
from app.db.session import Database, ReadSession, WriteSession, transaction_time
from app.services import action_item, on_call_look, on_call_notice, shift_request
from app.worker.loop import SKIPPED

MOST_EXPIRED = 50


class Notices:
    """Looks and tells, whichever replica comes first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def round(self) -> timedelta | None:
        """Do some of what is due; how long until more is, or None when nothing is in sight."""
        async with self._database.reading() as session:
            now = await transaction_time(session)
            first = await _first(session)
        if first is None:
            return None
        if first > now:
            return first - now
        # What is due and not done is held by another replica, which will do it.
        return timedelta() if await self._database.write(_round) else SKIPPED


async def _first(session: ReadSession) -> datetime | None:
    """When the next look, notice or expiry is due."""
    notice_at = await crud_on_call_notice.next_at(session)
    expires_at = await crud_shift_request.next_expiry(session)
    reminder_at = await crud_action_item.next_reminder(session)
    return min((at for at in (notice_at, expires_at, reminder_at) if at is not None), default=None)


async def _round(session: WriteSession) -> int:
    now = await transaction_time(session)
    looked = await on_call_look.look(session, now=now)
    expired = await shift_request.expire(session, now=now, limit=MOST_EXPIRED)
    told = await on_call_notice.tell_due(session, now=now)
    reminded = await action_item.tell_due(session, now=now)
    return looked + expired + told + reminded
