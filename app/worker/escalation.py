"""The escalation loop: claim what is due, take its step, commit; until nothing is due."""

import logging
from datetime import timedelta

from app.crud import crud_escalation
from app.db.session import Database, WriteSession, is_outage, transaction_time
from app.domain.escalation import postponement
from app.services import ladder
from app.worker.loop import SKIPPED

log = logging.getLogger(__name__)

BATCH = 100


async def climb_due(
    database: Database, *, fallback_email: str | None = None, batch: int = BATCH
) -> int:
    """Take every step that is due and free to be taken, in batches; say how many there were."""
    total = 0
    while True:
        taken = await _climb_batch(database, fallback_email, batch)
        total += taken
        if taken == 0:
            return total


async def next_lead(database: Database) -> timedelta | None:
    """How long until the next step is due; a moment if one is due that another holds."""
    async with database.reading() as session:
        now = await transaction_time(session)
        due_at = await crud_escalation.next_due_at(session)
    if due_at is None:
        return None
    return due_at - now if due_at > now else SKIPPED


async def _climb_batch(database: Database, fallback_email: str | None, limit: int) -> int:
    async def climb(session: WriteSession) -> int:
        now = await transaction_time(session)
        return await ladder.climb(session, now=now, limit=limit, fallback_email=fallback_email)

    try:
        return await database.write(climb)
    except Exception as error:
        if is_outage(error):
            raise
        log.exception("escalation.batch_failed")
        return await _climb_singly(database, fallback_email, limit)


async def _climb_singly(database: Database, fallback_email: str | None, limit: int) -> int:
    """A batch broke: take its steps one by one, so that a bad one holds up none of the rest."""
    taken = 0
    while taken < limit and await _climb_one(database, fallback_email):
        taken += 1
    return taken


async def _climb_one(database: Database, fallback_email: str | None) -> bool:
    async with database.writing() as session:
        now = await transaction_time(session)
        dues = await crud_escalation.claim_due(session, now=now, limit=1)
        if not dues:
            return False
        escalation_id, faults = dues[0].escalation.id, dues[0].escalation.faults + 1
        try:
            async with session.begin_nested():
                await ladder.take(session, dues, now=now, fallback_email=fallback_email)
        except Exception as error:
            if is_outage(error):
                raise
            log.exception("escalation.step_failed", extra={"escalation_id": escalation_id})
            await crud_escalation.postpone(
                session,
                escalation_id,
                until=now + postponement(faults),
                fault=f"{type(error).__name__}: {error}"[:1000],
                now=now,
            )
    return True
