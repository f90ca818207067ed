"""The monitors' loop: opens incidents about those that were not heard of in time.

What it reads is what is due, however many monitors there are. Any number of replicas may look:
each claims monitors that nobody holds, and opening an incident, noting it and the next look are one
transaction.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from app.crud import crud_heartbeat_ping
from app.db.session import Database, WriteSession, is_outage, transaction_time
from app.domain.heartbeat_monitor import OutageCause
from app.domain.storm import USUAL_SERVICE_LIMIT, ServiceLimit
from app.services import heartbeat_ping as heartbeat_ping_service
from app.services.heartbeat_ping import Looked
from app.worker.loop import SKIPPED

log = logging.getLogger(__name__)

BATCH = 200
AFTER_FAULT = timedelta(minutes=1)


class Monitors:
    """Looks at every monitor that is due; `on_outage` is told of each that went down."""

    def __init__(
        self,
        database: Database,
        *,
        limit: ServiceLimit = USUAL_SERVICE_LIMIT,
        batch: int = BATCH,
        on_outage: Callable[[OutageCause, int], None] = lambda cause, count: None,
    ) -> None:
        self._database = database
        self._limit = limit
        self._batch = batch
        self._on_outage = on_outage

    async def round(self) -> timedelta | None:
        """Look at what is due; how long until something is due again."""
        while await self._look_batch():
            pass
        async with self._database.reading() as session:
            now = await transaction_time(session)
            if not await heartbeat_ping_service.is_listening(session, now=now):
                return None
            due_at = await crud_heartbeat_ping.next_due(session)
        if due_at is None:
            return None
        return due_at - now if due_at > now else SKIPPED

    async def _look_batch(self) -> int:
        async def look(session: WriteSession) -> Looked:
            now = await transaction_time(session)
            return await heartbeat_ping_service.look(
                session, now=now, batch=self._batch, limit=self._limit
            )

        try:
            looked = await self._database.write(look)
        except Exception as error:
            if is_outage(error):
                raise
            log.exception("monitors.batch_failed")
            return await self._look_singly()
        self._on_outage(OutageCause.MISSED, looked.missed)
        return looked.count

    async def _look_singly(self) -> int:
        """A batch broke: look at its monitors one by one, so that a bad one holds up none of the
        rest."""
        count = 0
        while count < self._batch and await self._look_at_one():
            count += 1
        return count

    async def _look_at_one(self) -> bool:
        async with self._database.writing() as session:
            now = await transaction_time(session)
            dues = await crud_heartbeat_ping.claim_due(session, now=now, limit=1)
            if not dues:
                return False
            monitor_id = dues[0].monitor.id
            try:
                async with session.begin_nested():
                    looked = await heartbeat_ping_service.look(
                        session, now=now, batch=1, limit=self._limit
                    )
            except Exception as error:
                if is_outage(error):
                    raise
                log.exception("monitors.look_failed", extra={"heartbeat_id": monitor_id})
                await crud_heartbeat_ping.put_off(session, monitor_id, until=now + AFTER_FAULT)
                return True
        self._on_outage(OutageCause.MISSED, looked.missed)
        return True
