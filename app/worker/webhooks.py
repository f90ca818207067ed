"""Outgoing webhooks: one loop reads the change feed, another sends what is due.

They have a way to the database, connections and senders of their own: no subscriber, however
slow, delays a page. Nor does one delay another: each has a few senders at most, and one alone
while nothing gets through to it.

A delivery is leased, sent with no transaction open, and recorded. If that cannot be recorded,
the lease runs out and it is sent again under the same `webhook-id`.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

from app.channels.plain import one_line
from app.core.metrics import Metrics
from app.core.security import Vault
from app.crud import crud_webhook, crud_webhook_delivery
from app.crud.crud_webhook_delivery import LeasedDelivery
from app.db.coalesce import Coalescer
from app.db.session import Database, WriteSession, transaction_time
from app.domain.webhook import MOST_TRIES, DeliveryStatus, Heard, Hook, envelope
from app.services import webhook as webhook_service
from app.services import webhook_delivery as delivery_service
from app.services.webhook import SecretUnreadableError
from app.services.webhook_delivery import HandedBack, Recorded, Told, Unknown, Verdict
from app.worker.loop import SKIPPED
from app.worker.underway import STOPPED, Carrier, UnderWay, write_down

log = logging.getLogger(__name__)

EVENTS_AT_ONCE = 200
CONCURRENCY = 64
EACH = 4  # leased of one subscription at a time, while it has no more under way
MARGIN = timedelta(seconds=15)  # after its time-out a sender is taken for dead
MOST_RECORDED = 100


class HookSender(Protocol):
    """The way out. Every send ends within `timeout`."""

    timeout: timedelta

    async def send(self, hook: Hook) -> Heard: ...

    async def close(self) -> None: ...


class Webhooks(Carrier[LeasedDelivery]):
    """What one process does for subscriptions."""

    def __init__(
        self,
        database: Database,
        sender: HookSender,
        vault: Vault,
        *,
        metrics: Metrics | None = None,
        margin: timedelta = MARGIN,
        concurrency: int = CONCURRENCY,
        chance: Callable[[], float] = random.random,  # the jitter between attempts
    ) -> None:
        super().__init__()
        self.sender = sender
        self._database = database
        self._vault = vault
        self._metrics = metrics or Metrics()
        self._lease_span = sender.timeout + margin
        self._concurrency = concurrency
        self._chance = chance
        self._recorder: Coalescer[Told, bool] = Coalescer(self._write, most=MOST_RECORDED)

    # --- the feed

    async def read_feed(self) -> timedelta | None:
        """Write deliveries for every event that subscriptions have not seen yet."""
        while await crud_webhook.is_any_behind(self._database):
            if await self._database.write(self._promise) is None:
                return SKIPPED  # others hold all that are
        return None

    async def _promise(self, session: WriteSession) -> int | None:
        now = await transaction_time(session)
        return await delivery_service.promise_next(session, limit=EVENTS_AT_ONCE, now=now)

    # --- leasing

    async def deliver_due(self) -> timedelta | None:
        """Start sending everything that is due and fits; how long until there is more."""
        while not self._is_over:
            free = self._concurrency - len(self._under_way)
            if free <= 0:
                return None  # whoever finishes rings
            if not await self._lease(free):
                return await self._next_lead()
        return None

    def _busy(self) -> list[int]:
        """The subscriptions that have as many senders as they get."""
        most = Counter[int]()
        failing = set()
        for one in self._under_way.values():
            most[one.lease.subscription_id] += 1
            if one.lease.is_failing:
                failing.add(one.lease.subscription_id)
        return [key for key, count in most.items() if key in failing or count >= EACH]

    async def _lease(self, free: int) -> bool:
        async def lease(session: WriteSession) -> Sequence[LeasedDelivery]:
            now = await transaction_time(session)
            return await crud_webhook_delivery.lease_due(
                session,
                now=now,
                until=now + self._lease_span,
                most=free,
                each=EACH,
                busy=self._busy(),
            )

        leased = await self._database.write(lease)
        for delivery in leased:
            self._start(delivery, f"hook {delivery.id}")
        return bool(leased)

    async def _next_lead(self) -> timedelta | None:
        async with self._database.reading() as session:
            now = await transaction_time(session)
            ready_at = await crud_webhook_delivery.next_ready_at(session, busy=self._busy())
        if ready_at is None:
            return None
        return ready_at - now if ready_at > now else SKIPPED

    # --- one delivery

    async def _carry(self, one: UnderWay[LeasedDelivery]) -> None:
        verdict = await self._send(one)
        one.is_ended = True
        await self._record(one, verdict)

    async def _send(self, one: UnderWay[LeasedDelivery]) -> Heard:
        """What came back; it never raises."""
        lease = one.lease
        if lease.tries > MOST_TRIES:
            return Heard(error="Every sender that tried it vanished in mid-send.")
        try:
            hook = self._hook(lease)
            one.is_begun = True
            return await self.sender.send(hook)
        except SecretUnreadableError as error:
            return Heard(error=error.message)
        except Exception as error:
            log.exception("webhook.failed", extra={"delivery_id": lease.id})
            return Heard(error=one_line(f"Tocsin itself failed: {type(error).__name__}"))

    def _hook(self, lease: LeasedDelivery) -> Hook:
        locked = [lease.secret, lease.previous_secret]
        return Hook(
            mark=str(lease.uid),
            url=lease.url,
            body=envelope(lease.type, lease.occurred_at, lease.data),
            secrets=webhook_service.unlocked(self._vault, lease.subscription_id, locked),
        )

    # --- recording

    async def _record(self, one: UnderWay[LeasedDelivery], verdict: Verdict) -> None:
        ends = one.since + self._lease_span.total_seconds()
        await write_down(
            lambda: self._recorder.add((one.lease, verdict)),
            patience=ends - asyncio.get_running_loop().time(),
            what="webhook",
            delivery_id=one.lease.id,
        )

    async def _write(self, told: list[Told]) -> Sequence[bool]:
        ages: dict[int, timedelta] = {}

        async def write(session: WriteSession) -> Recorded:
            now = await transaction_time(session)
            ages.update({lease.id: now - lease.occurred_at for lease, _ in told})
            return await delivery_service.record(session, told, now=now, chance=self._chance())

        recorded = await self._database.write(write)
        for lease, verdict in told:
            became = recorded.became.get(lease.id)
            if became is not None and not isinstance(verdict, HandedBack):
                self._count(lease, verdict, became, ages[lease.id])
        for subscription_id, because in recorded.disabled.items():
            self._metrics.subscription_disabled(because)
            extra = {"subscription_id": subscription_id, "reason": because.value}
            log.warning("webhook.subscription_disabled", extra=extra)
        return [lease.id in recorded.became for lease, _ in told]

    def _count(
        self, lease: LeasedDelivery, verdict: Verdict, became: DeliveryStatus, age: timedelta
    ) -> None:
        self._metrics.delivery_settled(became, age)
        if became is not DeliveryStatus.DELIVERED:
            status = verdict.status if isinstance(verdict, Heard) else None
            extra = {"delivery_id": lease.id, "subscription_id": lease.subscription_id}
            log.info("webhook.not_taken", extra={**extra, "status": became.value, "code": status})

    # --- the end

    async def close(self) -> None:
        """End the connections of this way out, to endpoints and to the database."""
        await self.sender.close()
        await self._database.close()

    async def _hand_over(self, one: UnderWay[LeasedDelivery]) -> None:
        await self._record(one, Unknown(STOPPED) if one.is_begun else HandedBack())
