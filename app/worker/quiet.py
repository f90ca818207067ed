"""The quiet loop: asks again who waits for a service that has changed, and resolves what has
fallen silent.

Both are rows that any replica may take; each costs what is due, however much waits.
"""

import logging
from datetime import timedelta

from app.crud import crud_quiet, crud_silence
from app.db.session import Database, WriteSession, is_outage, transaction_time
from app.services import quiet, silence
from app.worker.loop import SKIPPED

log = logging.getLogger(__name__)

BATCH = 100
POSTPONED = timedelta(minutes=1)


class Quiet:
    """Works off what has become due, in any number of processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def round(self) -> timedelta | None:
        """Do what is due; how long until something is due again."""
        while await self._database.write(_ask_again):
            pass
        while await self._look():
            pass
        async with self._database.reading() as session:
            if await crud_quiet.is_any_review_left(session):
                return SKIPPED
            now = await transaction_time(session)
            due_at = await crud_silence.next_due(session)
        return None if due_at is None else max(due_at - now, SKIPPED)

    async def _look(self) -> int:
        """How many incidents were looked at. One that breaks holds up none of the others."""
        try:
            return await self._database.write(_look)
        except Exception as error:
            if is_outage(error):
                raise
            log.exception("quiet.batch_failed")
        looked = 0
        while looked < BATCH and await self._look_at_one():
            looked += 1
        return looked

    async def _look_at_one(self) -> bool:
        async with self._database.writing() as session:
            now = await transaction_time(session)
            claimed = await crud_silence.claim_due(session, now=now, most=1)
            try:
                async with session.begin_nested():
                    await silence.look(session, now=now, most=1)
            except Exception as error:
                if is_outage(error):
                    raise
                log.exception("quiet.look_failed", extra={"incidents": list(claimed)})
                await crud_silence.move(session, dict.fromkeys(claimed, now + POSTPONED))
        return bool(claimed)


async def _ask_again(session: WriteSession) -> bool:
    return await quiet.ask_some_again(session, now=await transaction_time(session))


async def _look(session: WriteSession) -> int:
    return len(await silence.look(session, now=await transaction_time(session), most=BATCH))
