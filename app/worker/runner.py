"""The worker: the loops, and the scheduler that ticks.

APScheduler only ticks: every `safety_tick` it rings the loops, which covers a ring that was
lost, and now and then those that audit and tidy up. Rows hold all truth, so any number of workers
may run, and none is the leader. At the end the loops finish what they began; only then does the
scheduler stop, because its own shutdown would cancel whatever runs.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from itertools import cycle
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from app.channels.base import Sender
from app.core.metrics import Metrics
from app.db.session import Database
from app.domain.bundle import USUAL_LIMIT, PageLimit
from app.domain.event import FEED, RELAY
from app.domain.heartbeat_monitor import MONITORS
from app.domain.search import READER
from app.domain.storm import USUAL_SERVICE_LIMIT, ServiceLimit
from app.services import outbox
from app.services.calendar import CALENDARS
from app.services.digest import LOOP as DIGESTS
from app.services.notification_preference import unconfigured
from app.services.on_call_notice import LOOP as NOTICES
from app.services.preflight import LOOP as PREFLIGHT
from app.services.quiet import LOOP as QUIET
from app.services.status_page import LOOP as PUBLIC_PAGE
from app.services.webhook import DELIVERY as HOOKS
from app.worker.auditor import AUDIT_EVERY, Auditor
from app.worker.calendars import Calendars
from app.worker.compose import Compose
from app.worker.delivery import LEASE_MARGIN, Lane
from app.worker.digests import Digests
from app.worker.escalation import Climber
from app.worker.heartbeat import Heartbeat
from app.worker.housekeeping import BODIES_KEPT, EVENTS_KEPT, Housekeeping
from app.worker.loop import Loop
from app.worker.monitors import Monitors
from app.worker.notices import Notices
from app.worker.preflight import Preflight
from app.worker.public_page import PublicPages
from app.worker.quiet import Quiet
from app.worker.reader import Reader
from app.worker.receipts import Receipts
from app.worker.relay import Relay
from app.worker.subscribers import Subscribers
from app.worker.telling import LOOPS as TELLING
from app.worker.telling import Telling
from app.worker.webhooks import Webhooks

log = logging.getLogger(__name__)

ESCALATION = "escalation"
RECEIPTS, HOUSEKEEPING, AUDIT = "receipts", "housekeeping", "audit"
SWEEP_EVERY = timedelta(hours=1)
GRACE = timedelta(seconds=20)
ROUND_PATIENCE = 10.0  # seconds for a loop to end its round


@dataclass(frozen=True)
class Monitor:
    """Who is called while all is well. The URL is a secret."""

    url: str = field(repr=False)
    every: timedelta


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
        service_limit: ServiceLimit = USUAL_SERVICE_LIMIT,
        lease_margin: timedelta = LEASE_MARGIN,
        bodies_kept: timedelta = BODIES_KEPT,
        events_kept: timedelta = EVENTS_KEPT,
        audit_kept_days: int = 0,
        drain: timedelta = GRACE,
        monitor: Monitor | None = None,
        metrics: Metrics | None = None,
        webhooks: Webhooks | None = None,
        calendars: Calendars | None = None,
        telling: Telling | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._database = database
        self._drain = drain
        self._safety_tick = safety_tick
        self._lanes = [
            Lane(
                database,
                sender,
                compose,
                limit=limit,
                margin=lease_margin,
                metrics=self._metrics,
            )
            for sender in senders
        ]
        self._housekeeping = Housekeeping(
            database,
            bodies_kept=bodies_kept,
            events_kept=events_kept,
            audit_kept_days=audit_kept_days,
        )
        self._auditor = Auditor(database)
        self._heartbeat = self._heart(monitor) if monitor is not None else None
        receipts = Receipts(database, senders)
        climber = Climber(database, fallback_email=fallback_email, on_step=self._metrics.step_taken)
        monitors = Monitors(
            database, limit=service_limit, on_outage=self._metrics.heartbeat_outages
        )
        # Twice the tick: should the scheduler itself fail, the loops still turn.
        longest = 2 * safety_tick
        self._loops: dict[str, Loop] = {
            ESCALATION: Loop(ESCALATION, climber.round, longest_sleep=longest),
            RECEIPTS: Loop(RECEIPTS, receipts.read_due, longest_sleep=longest),
            HOUSEKEEPING: Loop(HOUSEKEEPING, self._housekeeping.sweep, longest_sleep=SWEEP_EVERY),
            AUDIT: Loop(AUDIT, self._auditor.look, longest_sleep=2 * AUDIT_EVERY),
            RELAY: Loop(RELAY, Relay(database).round, longest_sleep=longest),
            READER: Loop(READER, Reader(database).round, longest_sleep=longest),
            NOTICES: Loop(NOTICES, Notices(database).round, longest_sleep=longest),
            DIGESTS: Loop(DIGESTS, Digests(database).round, longest_sleep=longest),
            QUIET: Loop(QUIET, Quiet(database).round, longest_sleep=longest),
            PREFLIGHT: Loop(PREFLIGHT, self._checks(senders).round, longest_sleep=SWEEP_EVERY),
            MONITORS: Loop(MONITORS, monitors.round, longest_sleep=longest),
            PUBLIC_PAGE: Loop(PUBLIC_PAGE, PublicPages(database).round, longest_sleep=longest),
        }
        for lane in self._lanes:
            name = outbox.lane(lane.sender.channel)
            loop = Loop(name, lane.deliver_due, longest_sleep=longest)
            lane.freed = loop.ring
            self._loops[name] = loop
        self._calendars = calendars
        if calendars is not None:
            self._loops[CALENDARS] = Loop(CALENDARS, calendars.round, longest_sleep=longest)
        self._telling = telling
        if telling is not None:
            self._loops |= telling.loops(longest)
        self._webhooks = webhooks
        if webhooks is not None:
            sending = Loop(HOOKS, webhooks.deliver_due, longest_sleep=longest)
            webhooks.freed = sending.ring
            self._loops[HOOKS] = sending
            self._loops[FEED] = Loop(FEED, webhooks.read_feed, longest_sleep=longest)
        self._scheduler = AsyncIOScheduler(timezone="UTC")

    def start(self) -> None:
        """Start on the running event loop."""
        for loop in self._loops.values():
            loop.start()
        lanes = [outbox.lane(lane.sender.channel) for lane in self._lanes]
        paging = [ESCALATION, *lanes, RECEIPTS, NOTICES, MONITORS, QUIET]
        telling = [RELAY, READER, FEED, HOOKS, DIGESTS, PUBLIC_PAGE, *TELLING]
        self._every(self._safety_tick, *paging, *telling)
        self._every(AUDIT_EVERY, AUDIT)
        self._every(SWEEP_EVERY, HOUSEKEEPING)
        self._scheduler.start()
        if self._heartbeat is not None:
            self._heartbeat.start()

    async def stop(self) -> None:
        """Drain: no new work; what is being sent is finished or, in the end, handed over."""
        if self._heartbeat is not None:
            await self._heartbeat.stop()
        if self._calendars is not None:
            self._calendars.break_off()
        try:
            async with asyncio.timeout(ROUND_PATIENCE):
                await asyncio.gather(*(loop.stop() for loop in self._loops.values()))
        except TimeoutError:  # broken off in its transaction, so nothing of it has happened
            log.warning("worker.abandoned_rounds")
        try:
            async with asyncio.timeout(self._drain.total_seconds()):
                await asyncio.gather(*(way.drain() for way in self._ways()))
        except TimeoutError:
            log.warning("worker.abandoned_sends")
            await asyncio.gather(*(way.abandon() for way in self._ways()))
        self._scheduler.shutdown(wait=False)
        await asyncio.gather(*(lane.sender.close() for lane in self._lanes))
        if self._webhooks is not None:
            await self._webhooks.close()
        if self._calendars is not None:
            await self._calendars.close()
        if self._telling is not None:
            await self._telling.close()

    def is_alive(self) -> bool:
        return all(loop.is_alive() for loop in self._loops.values())

    def report(self) -> dict[str, Any]:
        found = {loop.name: loop.report() for loop in self._loops.values()}
        found[HOUSEKEEPING]["removed"] = self._housekeeping.removed
        return found

    def providers(self) -> dict[str, Any]:
        """By channel: the providers that were met, and whether they answer."""
        return {str(lane.sender.channel): lane.report() for lane in self._lanes}

    def overdue(self) -> dict[str, int] | None:
        """What the auditor found when it last looked; None before that."""
        return None if self._auditor.found is None else asdict(self._auditor.found)

    def heartbeat(self) -> dict[str, Any] | None:
        """How the last call of the monitor went; None if there is no monitor."""
        return None if self._heartbeat is None else self._heartbeat.report()

    def _checks(self, senders: Sequence[Sender]) -> Preflight:
        states = {str(sender.channel): sender.state() for sender in senders}
        return Preflight(self._database, unconfigured(states))

    def _heart(self, monitor: Monitor) -> Heartbeat:
        return Heartbeat(
            monitor.url,
            self._database,
            self.is_alive,
            every=monitor.every,
            longest_send=max((lane.sender.timeout for lane in self._lanes), default=timedelta()),
            metrics=self._metrics,
        )

    def _every(self, span: timedelta, *names: str) -> None:
        """Ring each of these so often, one after the other: all at once would hold up a page."""
        turns = cycle(names)

        async def tick() -> None:  # not a plain function, which would run in a thread
            self.ring(next(turns))

        self._scheduler.add_job(
            tick,
            "interval",
            seconds=span.total_seconds() / len(names),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )

    def ring(self, name: str) -> None:
        """Let the loops of this name, or of what is below it, look for work at once."""
        for key, loop in self._loops.items():
            if key == name or key.startswith(f"{name}."):
                loop.ring()

    def _ways(self) -> list[Lane | Webhooks | Subscribers]:
        """Everything that sends."""
        ways: list[Lane | Webhooks | Subscribers] = [*self._lanes]
        if self._webhooks is not None:
            ways.append(self._webhooks)
        if self._telling is not None:
            ways.append(self._telling.way)
        return ways
