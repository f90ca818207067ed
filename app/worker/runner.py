"""The worker: the loops, and the scheduler that ticks.

APScheduler only ticks: every `safety_tick` it rings the loops, which covers a ring that was
lost, and once an hour the one that tidies up. Rows hold all truth, so any number of workers may
run, and none is the leader. At the end the loops finish what they began; only then does the
scheduler stop, because its own shutdown would cancel whatever runs.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from app.channels.base import Sender
from app.db.session import Database
from app.domain.bundle import USUAL_LIMIT, PageLimit
from app.worker import escalation
from app.worker.compose import Compose
from app.worker.delivery import Lane
from app.worker.housekeeping import Housekeeping
from app.worker.loop import Loop
from app.worker.receipts import Receipts

log = logging.getLogger(__name__)

ESCALATION, DELIVERY = "escalation", "delivery"
RECEIPTS, HOUSEKEEPING = "receipts", "housekeeping"
SWEEP_EVERY = timedelta(hours=1)
GRACE = timedelta(seconds=20)


class Worker:
    """The loops of one process."""

    def __init__(
        self,
        database: Database,
        senders: Sequence[Sender],
        compose: Compose,
        *,
        safety_tick: timedelta,
        fallback_email: str | None = None,
        limit: PageLimit = USUAL_LIMIT,
    ) -> None:
        self._database = database
        self._fallback_email = fallback_email
        self._safety_tick = safety_tick
        self._lanes = [Lane(database, sender, compose, limit=limit) for sender in senders]
        self._housekeeping = Housekeeping(database)
        receipts = Receipts(database, senders)
        # Twice the tick: should the scheduler itself fail, the loops still turn.
        longest = 2 * safety_tick
        self._loops: dict[str, list[Loop]] = {
            ESCALATION: [Loop(ESCALATION, self._climb, longest_sleep=longest)],
            DELIVERY: [],
            RECEIPTS: [Loop(RECEIPTS, receipts.read_due, longest_sleep=longest)],
            HOUSEKEEPING: [Loop(HOUSEKEEPING, self._housekeeping.sweep, longest_sleep=SWEEP_EVERY)],
        }
        for lane in self._lanes:
            loop = Loop(
                f"{DELIVERY}.{lane.sender.channel}", lane.deliver_due, longest_sleep=longest
            )
            lane.freed = loop.ring
            self._loops[DELIVERY].append(loop)
        self._scheduler = AsyncIOScheduler(timezone="UTC")

    def start(self) -> None:
        """Start on the running event loop."""
        for loop in self._all_loops():
            loop.start()
        self._every(self._safety_tick, ESCALATION, DELIVERY, RECEIPTS)
        self._every(SWEEP_EVERY, HOUSEKEEPING)
        self._scheduler.start()

    async def stop(self) -> None:
        """Drain: no new work; what is being sent is finished or, in the end, left to its lease."""
        await asyncio.gather(*(loop.stop() for loop in self._all_loops()))
        try:
            async with asyncio.timeout(GRACE.total_seconds()):
                await asyncio.gather(*(lane.drain() for lane in self._lanes))
        except TimeoutError:
            log.warning("worker.abandoned_sends")
            await asyncio.gather(*(lane.abandon() for lane in self._lanes))
        self._scheduler.shutdown(wait=False)
        await asyncio.gather(*(lane.sender.close() for lane in self._lanes))

    def is_alive(self) -> bool:
        return all(loop.is_alive() for loop in self._all_loops())

    def report(self) -> dict[str, Any]:
        found = {loop.name: loop.report() for loop in self._all_loops()}
        found[HOUSEKEEPING]["removed"] = self._housekeeping.removed
        return found

    async def _climb(self) -> timedelta | None:
        await escalation.climb_due(self._database, fallback_email=self._fallback_email)
        return await escalation.next_lead(self._database)

    def _every(self, span: timedelta, *names: str) -> None:
        async def tick() -> None:
            for name in names:
                self.ring(name)

        self._scheduler.add_job(
            tick,
            "interval",
            seconds=span.total_seconds(),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )

    def ring(self, name: str) -> None:
        """Let the loops of this name look for work at once."""
        for loop in self._loops.get(name, ()):
            loop.ring()

    def _all_loops(self) -> Iterable[Loop]:
        return [loop for loops in self._loops.values() for loop in loops]
