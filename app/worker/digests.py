"""The summaries: each made when its reader's own clock says so.

One transaction makes one, so what breaks holds up nobody else's: it is put off and tried again.
Rows hold all of it; any number of replicas may run it, and none makes one that is made.
"""

import logging
from datetime import timedelta

from app.crud import crud_digest
from app.db.session import Database, is_outage, transaction_time
from app.domain.timeline import Interval
from app.services import digest as digest_service
from app.services.digest import News
from app.worker.loop import SKIPPED

log = logging.getLogger(__name__)

AFTER_FAULT = timedelta(minutes=15)
BATCH = 50  # of one round


class Digests:
    """Makes what is due, whichever replica comes first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def round(self) -> timedelta | None:
        """Make some of what is due; how long until more is, or None when nobody wants one."""
        # Readers of one hour and zone are told of the same time, which is counted once.
        known: dict[Interval, News] = {}
        made = 0
        while made < BATCH and await self._make_one(known):
            made += 1
        async with self._database.reading() as session:
            now = await transaction_time(session)
            due_at = await crud_digest.next_at(session)
        if due_at is None:
            return None
        return due_at - now if due_at > now else SKIPPED

    async def _make_one(self, known: dict[Interval, News]) -> bool:
        async with self._database.writing() as session:
            now = await transaction_time(session)
            row = await crud_digest.lock_due(session, now=now)
            if row is None:
                return False
            user_id = row.user_id
            try:
                async with session.begin_nested():
                    await digest_service.make(session, row, known, now=now)
            except Exception as error:
                if is_outage(error):
                    raise
                log.exception("digests.failed", extra={"user_id": user_id})
                await crud_digest.put_off(session, user_id, until=now + AFTER_FAULT)
            return True
