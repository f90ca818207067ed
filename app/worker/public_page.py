"""The loop of the status page: maintenances begin and end by themselves, people are reminded.

All of it is rows with a due time, so any number of replicas may run it and each is done once. Its
cost follows what is due, and what is going on for the public just now.
"""

from datetime import datetime, timedelta

from app.crud import crud_public_incident, crud_public_maintenance
from app.db.session import Database, ReadSession, WriteSession, transaction_time
from app.services import public_maintenance, public_reminder
from app.worker.loop import SKIPPED


class PublicPages:
    """Does what is due, whichever replica comes first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def round(self) -> timedelta | None:
        """Do some of what is due; how long until more is, or None when nothing is in sight."""
        async with self._database.reading() as session:
            now = await transaction_time(session)
            first = await _first(session, now)
        if first is None:
            return None
        if first > now:
            return first - now
        # What is due and not done is held by another replica, which will do it.
        return timedelta() if await self._database.write(_round) else SKIPPED


async def _first(session: ReadSession, now: datetime) -> datetime | None:
    """When the next maintenance turns, or the next reminder is due."""
    if await crud_public_incident.is_any_ended(session):
        return now
    turn_at = await crud_public_maintenance.next_at(session)
    remind_at = await crud_public_incident.next_reminder(session)
    return min((at for at in (turn_at, remind_at) if at is not None), default=None)


async def _round(session: WriteSession) -> int:
    now = await transaction_time(session)
    reminded = await public_reminder.remind_due(session, now=now)
    reminded += await public_reminder.remind_of_ends(session, now=now)
    if reminded:  # those are held: whoever holds the page might wait for them
        return reminded
    turn_at = await crud_public_maintenance.next_at(session)
    if turn_at is None or turn_at > now:
        return 0
    return int(await public_maintenance.turn_one(session, now=now))
