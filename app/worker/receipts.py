"""The receipts loop: ask providers what became of the messages they took.

A question is put off to its next time before it is asked, so a process that dies over it costs
one answer at most. Providers are asked with no transaction open, a few at a time.
"""

import asyncio
import logging
from collections.abc import Iterable
from datetime import timedelta

from app.channels.base import ReceiptReader, Sender
from app.crud import crud_receipt
from app.crud.crud_receipt import Question
from app.db.session import Database, WriteSession, is_outage, transaction_time
from app.domain.notification import Channel, Receipt
from app.services import receipt as receipt_service
from app.worker.loop import SKIPPED

log = logging.getLogger(__name__)

BATCH = 50
CONCURRENCY = 4


class Receipts:
    """Asks every provider that can be asked."""

    def __init__(self, database: Database, senders: Iterable[Sender]) -> None:
        self._database = database
        self._readers: dict[Channel, ReceiptReader] = {}
        self._patience: dict[Channel, timedelta] = {}
        for sender in senders:
            if isinstance(sender, ReceiptReader):
                self._readers[sender.channel] = sender
                self._patience[sender.channel] = sender.timeout
        self._free = asyncio.Semaphore(CONCURRENCY)

    async def read_due(self) -> timedelta | None:
        """Ask about everything that is due; how long until there is more to ask."""
        if not self._readers:
            return None
        while questions := await self._claim():
            async with asyncio.TaskGroup() as asking:
                for question in questions:
                    asking.create_task(self._settle(question))
        async with self._database.reading() as session:
            now = await transaction_time(session)
            due_at = await crud_receipt.next_due_at(session, list(self._readers))
        if due_at is None:
            return None
        return due_at - now if due_at > now else SKIPPED

    async def _claim(self) -> list[Question]:
        async def claim(session: WriteSession) -> list[Question]:
            now = await transaction_time(session)
            return await crud_receipt.claim_due(session, list(self._readers), now=now, limit=BATCH)

        return await self._database.write(claim)

    async def _settle(self, question: Question) -> None:
        """One message that cannot be settled holds up none of the rest: its next time comes."""
        async with self._free:
            try:
                receipt = await self._ask(question)
                if receipt.is_final:
                    await self._record(question, receipt)
            except Exception as error:
                if is_outage(error):
                    log.warning("receipts.database_unavailable")
                else:
                    log.exception("receipts.failed", extra={"notification_id": question.id})

    async def _ask(self, question: Question) -> Receipt:
        reader = self._readers[question.channel]
        try:
            async with asyncio.timeout(self._patience[question.channel].total_seconds()):
                return await reader.read_receipt(question.provider_id)
        except TimeoutError:
            return Receipt()

    async def _record(self, question: Question, receipt: Receipt) -> None:
        async def record(session: WriteSession) -> None:
            now = await transaction_time(session)
            await receipt_service.record(
                session, question.id, receipt, question.provider_id, now=now
            )

        await self._database.write(record)
