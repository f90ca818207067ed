"""The escalation loop: claim what is due, take its step, commit; until nothing is due."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from app.core import telemetry
from app.crud import crud_escalation, crud_ladder
from app.db.session import Database, WriteSession, is_outage, transaction_time
from app.domain.escalation import postponement
from app.services import ladder
from app.services.ladder import Climbed
from app.worker.loop import SKIPPED
from app.worker.watermark import Watermark

log = logging.getLogger(__name__)

BATCH = 200


class Climber:
    """Climbs all ladders, on and on; any number of them may, in any number of processes.

    `on_step` is told of each step how late it was taken.
    """

    def __init__(
        self,
        database: Database,
        *,
        fallback_email: str | None = None,
        batch: int = BATCH,
        watermark: Watermark | None = None,
        on_step: Callable[[timedelta], None] = lambda lateness: None,
    ) -> None:
        self._database = database
        self._fallback_email = fallback_email
        self._batch = batch
        self._watermark = watermark or Watermark()
        self._on_step = on_step

    async def round(self) -> timedelta | None:
        """Take what is due; how long until something is due again."""
        _, lead = await self._climb_all()
        return lead

    async def climb_due(self) -> int:
        """Take every step that is due and free to be taken; say how many."""
        taken, _ = await self._climb_all()
        return taken

    async def _climb_all(self) -> tuple[int, timedelta | None]:
        """Both. To ask when the next step is due costs less than to try for one in vain."""
        self._watermark.begin_round()
        total = 0
        while True:
            if self._watermark.wants_look():
                await self._look()
            taken = await self._climb_batch()
            total += taken
            if taken >= self._batch:
                continue
            now, found = await crud_escalation.next_due(self._database, since=self._watermark.since)
            lead = found.lead(now)
            if lead is None or lead > timedelta():
                return total, self._or_look(lead)
            if taken == 0:  # another holds what is due
                return total, self._or_look(SKIPPED)

    def _or_look(self, lead: timedelta | None) -> timedelta | None:
        owed = self._watermark.owed_look
        if owed is None:
            return lead
        until_look = timedelta(seconds=owed)
        return until_look if lead is None else min(lead, until_look)

    async def _look(self) -> None:
        began = time.monotonic()
        _, found = await crud_escalation.next_due(self._database)
        self._watermark.look(found, took=time.monotonic() - began)

    async def _climb_batch(self) -> int:
        began = time.monotonic()
        try:
            now, climbed = await self._database.write(self._climb)
        except Exception as error:
            if is_outage(error):
                raise
            log.exception("escalation.batch_failed")
            return await self._climb_singly()
        self._watermark.passed(climbed.dues, climbed.nearest, limit=self._batch, now=now)
        for due in climbed.dues:
            lateness = now - due.escalation.next_step_at
            self._on_step(lateness)
            telemetry.note(
                "escalation.step",
                seconds=time.monotonic() - began,
                incident_id=due.incident.id,
                escalation_id=due.escalation.id,
                step=due.escalation.next_step,
                lateness_seconds=lateness.total_seconds(),
            )
        return len(climbed.dues)

    async def _climb(self, session: WriteSession) -> tuple[datetime, Climbed]:
        now = await transaction_time(session)
        climbed = await ladder.climb(
            session,
            now=now,
            limit=self._batch,
            fallback_email=self._fallback_email,
            since=self._watermark.since,
        )
        return now, climbed

    async def _climb_singly(self) -> int:
        """A batch broke: take its steps one by one, so that a bad one holds up none of the rest."""
        taken = 0
        while taken < self._batch and await self._climb_one():
            taken += 1
        return taken

    async def _climb_one(self) -> bool:
        async with self._database.writing() as session:
            now = await transaction_time(session)
            dues = await crud_escalation.claim_due(session, now=now, limit=1)
            if not dues:
                return False
            run = dues[0].escalation
            try:
                async with session.begin_nested():
                    await ladder.take(session, dues, now=now, fallback_email=self._fallback_email)
            except Exception as error:
                if is_outage(error):
                    raise
                log.exception("escalation.step_failed", extra={"escalation_id": run.id})
                await crud_ladder.postpone(
                    session,
                    run.id,
                    until=now + postponement(run.faults + 1),
                    fault=f"{type(error).__name__}: {error}"[:1000],
                    now=now,
                )
        self._on_step(now - run.next_step_at)
        return True


async def climb_due(
    database: Database, *, fallback_email: str | None = None, batch: int = BATCH
) -> int:
    """Take every step that is due and free to be taken; say how many there were."""
    return await Climber(database, fallback_email=fallback_email, batch=batch).climb_due()
