"""The delivery lanes: lease, send with no transaction open, record. One lane per channel.

A lane leases only as many notifications as it has free senders, so nothing waits in memory
where an acknowledgement could not stop it; and a slow provider fills its own lane only.
If the outcome cannot be recorded, the lease runs out and the page is sent again under the
same mark. A bundle is one message with one lease and one outcome, whatever number of pages it
tells.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import timedelta

from app.channels.base import GaveUp, Outcome, ReceiptReader, RetryLater, Sender, Sent
from app.crud import crud_outbox
from app.crud.crud_outbox import Leasing, Term
from app.db.session import Database, WriteSession, is_outage, transaction_time
from app.domain.bundle import USUAL_LIMIT, PageLimit
from app.domain.lease import Leased, StepKey
from app.domain.notification import MAX_ATTEMPTS
from app.services import escalation as escalation_service
from app.services import notification as notification_service
from app.services import outbox
from app.worker.compose import Compose, UnsendableError
from app.worker.loop import SKIPPED

log = logging.getLogger(__name__)

LEASE_MARGIN = timedelta(seconds=15)
RECORD_RETRIES = (0.2, 1.0, 3.0)


class Lane:
    """One channel's way out."""

    def __init__(
        self,
        database: Database,
        sender: Sender,
        compose: Compose,
        *,
        limit: PageLimit = USUAL_LIMIT,
        chance: Callable[[], float] = random.random,  # the jitter between attempts
    ) -> None:
        self.sender = sender
        self.freed: Callable[[], None] = lambda: None  # rings the loop of this lane
        self._database = database
        self._compose = compose
        self._limit = limit
        self._has_receipts = isinstance(sender, ReceiptReader)
        self._chance = chance
        self._sending: set[asyncio.Task[None]] = set()

    @property
    def is_sending(self) -> bool:
        return bool(self._sending)

    async def deliver_due(self) -> timedelta | None:
        """Start sending everything that is due and fits; how long until there is more."""
        while free := self.sender.concurrency - len(self._sending):
            if not await self._lease(free):
                return await self._next_lead()
        return None  # full: whoever finishes rings

    async def drain(self) -> None:
        """Wait until nothing is under way."""
        while self._sending:
            await asyncio.wait(self._sending)

    async def abandon(self) -> None:
        """Stop waiting: what is under way now may or may not go out, and its lease says so."""
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    async def _lease(self, free: int) -> int:
        async def lease(session: WriteSession) -> Leasing:
            now = await transaction_time(session)
            until = now + self.sender.timeout + LEASE_MARGIN
            term = Term(self.sender.channel, now, until)
            return await outbox.lease(session, term, limit=self._limit, free=free)

        leasing = await self._database.write(lease)
        for leased in leasing.leased:
            task = asyncio.create_task(self._deliver(leased), name=f"send {leased.id}")
            self._sending.add(task)
            task.add_done_callback(self._done)
        for step in leasing.cancelled:
            await self._hurry(step)
        return leasing.moved

    def _done(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self.freed()

    async def _hurry(self, step: StepKey) -> None:
        async with self._database.writing() as session:
            now = await transaction_time(session)
            await escalation_service.hurry_if_lost(session, step, now=now)

    async def _next_lead(self) -> timedelta | None:
        async with self._database.reading() as session:
            now = await transaction_time(session)
            ready_at = await crud_outbox.next_ready_at(session, self.sender.channel)
        if ready_at is None:
            return None
        return ready_at - now if ready_at > now else SKIPPED

    async def _deliver(self, lease: Leased) -> None:
        outcome, note = await self._send(lease)
        for pause in (*RECORD_RETRIES, None):
            try:
                await self._record(lease, outcome, note)
                return
            except Exception as error:
                if not is_outage(error) or pause is None:
                    log.exception("delivery.not_recorded", extra={"notification_id": lease.id})
                    return
                await asyncio.sleep(pause)

    async def _send(self, lease: Leased) -> tuple[Outcome, str | None]:
        """How it went, and what was odd about the message."""
        if lease.tries > MAX_ATTEMPTS:
            return GaveUp("Every sender that tried it vanished in mid-send."), None
        note = None
        try:
            composed = self._compose(lease)
            note = composed.note
            outcome = await self.sender.send(composed.message)
        except UnsendableError as error:
            return GaveUp(str(error)), None
        except Exception as error:
            log.exception("delivery.failed", extra={"notification_id": lease.id})
            outcome = RetryLater(f"Tocsin itself failed: {type(error).__name__}: {error}"[:300])
        if isinstance(outcome, RetryLater) and lease.is_last_try:
            return GaveUp(f"Gave up after {lease.tries} attempts: {outcome.error}"), None
        return outcome, note

    async def _record(self, lease: Leased, outcome: Outcome, note: str | None) -> None:
        async def record(session: WriteSession) -> bool:
            now = await transaction_time(session)
            match outcome:
                case Sent(kept_at=str() as kept_at):
                    return await notification_service.record_kept(
                        session, lease, kept_at, now=now, note=note
                    )
                case Sent(provider_id=provider_id):
                    return await notification_service.record_sent(
                        session,
                        lease,
                        provider_id,
                        now=now,
                        note=note,
                        has_receipts=self._has_receipts,
                    )
                case RetryLater(error, after):
                    ready_at = notification_service.next_try(lease, chance=self._chance(), now=now)
                    if after is not None:
                        ready_at = max(ready_at, now + after)
                    return await notification_service.record_retry(
                        session, lease, error, ready_at=ready_at, now=now
                    )
                case GaveUp(error, is_gone):
                    return await notification_service.record_failed(
                        session, lease, error, now=now, is_gone=is_gone
                    )

        if not await self._database.write(record):
            log.warning("delivery.lease_was_lost", extra={"notification_id": lease.id})
