"""Telling subscribers: one loop writes down who is owed what, another sends what is due.

They have a way to the database, connections and senders of their own, and they give way: while a
page waits for its sender on a channel, nothing is leased for subscribers on it. So ten thousand of
them delay no page, neither here nor at a mail server that counts connections.

A letter is leased, sent with no transaction open, and recorded. If that cannot be recorded, the
lease runs out and it is sent again under the same mark.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from app.channels.base import GaveUp, Message, Outcome, RetryLater, Sender, Sent
from app.channels.plain import one_line
from app.crud import crud_outbox, crud_subscriber_delivery, crud_subscriber_notice
from app.crud.crud_subscriber_delivery import LeasedLetter
from app.db.coalesce import Coalescer
from app.db.session import Database, WriteSession, transaction_time
from app.domain.notification import Channel
from app.domain.subscriber import MOST_TRIES
from app.domain.webhook import Heard, Hook
from app.services import subscriber_delivery as delivery_service
from app.services.subscriber_delivery import (
    Again,
    Carried,
    Dropped,
    HandedBack,
    Kept,
    Lost,
    Taken,
    Unknown,
    Verdict,
)
from app.worker.compose_subscriber import Reading, UnsealableError, WithdrawnError, Writer, read
from app.worker.loop import SKIPPED
from app.worker.providers import Closed, Providers
from app.worker.underway import STOPPED, Carrier, UnderWay, write_down

log = logging.getLogger(__name__)

OWED_AT_ONCE = 1_000  # subscribers, in one transaction
EACH = 4  # senders of one channel
MARGIN = timedelta(seconds=15)  # after its time-out a sender is taken for dead
MOST_RECORDED = 100
GIVES_WAY = timedelta(milliseconds=50)  # until it looks again whether pages wait


class HookSender(Protocol):
    """The way to webhooks. Every send ends within `timeout`."""

    timeout: timedelta

    async def send(self, hook: Hook) -> Heard: ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class Carriage:
    """A letter with what the public may read at the time it was leased."""

    lease: LeasedLetter
    reading: Reading

    @property
    def channel(self) -> Channel:
        return self.lease.channel


class Subscribers(Carrier[Carriage]):
    """What one process does for subscribers."""

    def __init__(
        self,
        database: Database,
        senders: Sequence[Sender],
        hooks: HookSender,
        writer: Writer,
        *,
        margin: timedelta = MARGIN,
        each: int = EACH,
        chance: Callable[[], float] = random.random,  # the jitter between attempts
    ) -> None:
        super().__init__()
        self._database = database
        self._senders: Mapping[Channel, Sender] = {one.channel: one for one in senders}
        self._providers = {channel: Providers(one) for channel, one in self._senders.items()}
        self._hooks = hooks
        self._writer = writer
        self._margin = margin
        self._each = each
        self._chance = chance
        self._recorder: Coalescer[Carried, bool] = Coalescer(self._write, most=MOST_RECORDED)

    # --- who is owed what

    async def fan_out(self) -> timedelta | None:
        """Write down what every subscriber is owed of the notices that wait."""
        while await self._is_any_untold():
            if await self._database.write(self._owe) is None:
                return SKIPPED  # others hold all that are
        return None

    async def _is_any_untold(self) -> bool:
        async with self._database.reading() as session:
            return await crud_subscriber_notice.is_any_untold(session)

    async def _owe(self, session: WriteSession) -> int | None:
        now = await transaction_time(session)
        return await delivery_service.fan_out(session, limit=OWED_AT_ONCE, now=now)

    # --- leasing

    async def deliver_due(self) -> timedelta | None:
        """Start sending everything that is due and fits; how long until there is more."""
        leads = [await self._deliver(channel) for channel in (*self._senders, Channel.WEBHOOK)]
        return min((lead for lead in leads if lead is not None), default=None)

    async def _deliver(self, channel: Channel) -> timedelta | None:
        while not self._is_over:
            free = self._each - self._busy()[channel]
            if free <= 0:
                return None  # whoever finishes rings
            lead = await crud_subscriber_delivery.next_lead(self._database, channel)
            if lead is None or lead > timedelta():
                return lead
            if await self._do_pages_wait(channel):
                return GIVES_WAY
            if not await self._lease(channel, free):
                return SKIPPED
        return None

    async def _do_pages_wait(self, channel: Channel) -> bool:
        lead = await crud_outbox.next_lead(self._database, channel)
        return lead is not None and lead <= timedelta()

    def _busy(self) -> Counter[Channel]:
        return Counter(one.lease.channel for one in self._under_way.values())

    async def _lease(self, channel: Channel, free: int) -> bool:
        """Whether anything was moved."""

        async def lease(session: WriteSession) -> tuple[list[Carriage], bool]:
            now = await transaction_time(session)
            until = now + self._lease_span(channel)
            leasing = await crud_subscriber_delivery.lease_due(
                session, channel, now=now, until=until, limit=free
            )
            reading = await read(session, leasing.leased) if leasing.leased else Reading()
            return [Carriage(one, reading) for one in leasing.leased], leasing.moved

        carriages, moved = await self._database.write(lease)
        for one in carriages:
            self._start(one, f"subscriber {one.lease.id}")
        return moved

    def _lease_span(self, channel: Channel) -> timedelta:
        way = self._hooks if channel is Channel.WEBHOOK else self._senders[channel]
        return way.timeout + self._margin

    # --- one letter

    async def _carry(self, one: UnderWay[Carriage]) -> None:
        verdict = await self._send(one)
        one.is_ended = True
        await self._record(one, verdict)

    async def _send(self, one: UnderWay[Carriage]) -> Verdict:
        """How it went; it never raises."""
        lease = one.lease.lease
        if lease.tries > MOST_TRIES:
            return Lost("Every sender that tried it vanished in mid-send.")
        try:
            message = self._writer.message(lease, one.lease.reading)
        except WithdrawnError as error:
            return Dropped(str(error))
        except UnsealableError as error:
            return Lost(str(error))
        except Exception as error:
            log.exception("subscriber.failed", extra={"delivery_id": lease.id})
            return Again(_our_failure(error))
        if lease.channel is Channel.WEBHOOK:
            return await self._call(one, message)
        return await self._hand_to_provider(one, message)

    async def _hand_to_provider(self, one: UnderWay[Carriage], message: Message) -> Verdict:
        lease = one.lease.lease
        providers = self._providers[lease.channel]
        admission = providers.admit(message, now=lease.claimed_at)
        if isinstance(admission, Closed):
            return HandedBack(admission.until)
        one.is_begun = True
        outcome: Outcome | None = None
        try:
            outcome = await admission.sender.send(message)
        except Exception as error:
            log.exception("subscriber.failed", extra={"delivery_id": lease.id})
            return Again(_our_failure(error))
        finally:
            providers.settle(admission, outcome, now=self._now(one))
        match outcome:
            case Sent(kept_at=str() as kept_at):
                return Kept(kept_at)
            case Sent():
                return Taken()
            case RetryLater(why, after):
                return Again(why, after)
            case GaveUp(why, is_gone, refuses_recipient=is_refused):
                return Lost(why, is_gone or is_refused)

    async def _call(self, one: UnderWay[Carriage], message: Message) -> Verdict:
        lease = one.lease.lease
        one.is_begun = True
        try:
            heard = await self._hooks.send(self._writer.hook(lease, message))
        except Exception as error:
            log.exception("subscriber.failed", extra={"delivery_id": lease.id})
            return Again(_our_failure(error))
        if heard.error is None:
            return Taken()
        if heard.is_gone:
            return Lost(heard.error, is_bounced=True)
        return Again(heard.error, heard.after)

    def _now(self, one: UnderWay[Carriage]) -> datetime:
        """The database's time, as far as it can be told without asking."""
        elapsed = asyncio.get_running_loop().time() - one.since
        return one.lease.lease.claimed_at + timedelta(seconds=elapsed)

    # --- recording

    async def _record(self, one: UnderWay[Carriage], verdict: Verdict) -> None:
        lease = one.lease.lease
        ends = one.since + self._lease_span(lease.channel).total_seconds()
        await write_down(
            lambda: self._recorder.add((lease, verdict)),
            patience=ends - asyncio.get_running_loop().time(),
            what="subscriber",
            delivery_id=lease.id,
        )

    async def _write(self, told: list[Carried]) -> Sequence[bool]:
        async def write(session: WriteSession) -> delivery_service.Recorded:
            now = await transaction_time(session)
            return await delivery_service.record(session, told, now=now, chance=self._chance())

        recorded = await self._database.write(write)
        for subscriber_id in recorded.paused:
            log.info("subscriber.paused", extra={"subscriber_id": subscriber_id})
        return [lease.id in recorded.became for lease, _ in told]

    # --- the end

    async def close(self) -> None:
        """End the connections of this way out, to providers and to the database."""
        await asyncio.gather(*(sender.close() for sender in self._senders.values()))
        await self._hooks.close()
        await self._database.close()

    async def _hand_over(self, one: UnderWay[Carriage]) -> None:
        await self._record(one, Unknown(STOPPED) if one.is_begun else HandedBack())


def _our_failure(error: Exception) -> str:
    return one_line(f"Tocsin itself failed: {type(error).__name__}: {error}")
