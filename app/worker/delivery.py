"""The delivery lanes: lease, send with no transaction open, record. One lane per channel.

A lane leases only as many notifications as it has free senders, so nothing waits in memory
where an acknowledgement could not stop it. A slow provider fills its own lane only, and where a
lane has many providers no more than its own share: what takes long makes room for others.
A provider that fails is left alone by its breaker (`providers`): what was leased for it goes
back unspent. If the outcome cannot be recorded, the lease runs out and the page is sent again
under the same mark. A bundle is one message with one lease and one outcome, whatever number of
pages it tells.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from app.channels.base import GaveUp, Outcome, RetryLater, Sender, Sent
from app.channels.plain import one_line
from app.core import telemetry
from app.core.metrics import Metrics
from app.crud import crud_outbox
from app.crud.crud_outbox import Leasing, Term
from app.db.session import Database, WriteSession, transaction_time
from app.domain.breaker import Tolerance
from app.domain.bundle import USUAL_LIMIT, PageLimit
from app.domain.lease import Leased, StepKey
from app.domain.notification import MAX_ATTEMPTS, retry_delay
from app.services import escalation as escalation_service
from app.services import outbox
from app.services.outcome import Again, HandedBack, Kept, Lost, Taken, Unknown, Verdict
from app.worker.compose import Compose, Composed, UnsendableError
from app.worker.loop import SKIPPED
from app.worker.providers import Admission, Closed, Providers
from app.worker.recording import Recorder
from app.worker.underway import STOPPED, Carrier, UnderWay

log = logging.getLogger(__name__)

LEASE_MARGIN = timedelta(seconds=15)
# What takes longer no longer keeps others from being sent, as far as `ROOM` goes.
SLOW = 1.0  # seconds
ROOM = 4  # times the lane's senders may be under way, the slow ones included
RESERVED = 8  # one in so many senders is for what is critical alone
GATHER = 0.003  # seconds in which more senders become free, so that one lease is for many
GLANCE = timedelta(seconds=0.25)  # until the senders for what is critical look for some again


class Lane(Carrier[Leased]):
    """One channel's way out."""

    def __init__(
        self,
        database: Database,
        sender: Sender,
        compose: Compose,
        *,
        limit: PageLimit = USUAL_LIMIT,
        margin: timedelta | None = None,
        tolerance: Tolerance | None = None,
        metrics: Metrics | None = None,
        chance: Callable[[], float] = random.random,  # the jitter between attempts
    ) -> None:
        super().__init__()
        self.sender = sender
        self._database = database
        self._compose = compose
        self._limit = limit
        self._margin = margin
        self._providers = Providers(sender, tolerance)
        self._recorder = Recorder(database, metrics)
        self._chance = chance
        self._reserved = sender.concurrency // RESERVED

    def report(self) -> dict[str, dict[str, Any]]:
        """By provider: its breaker's `state`, and what is known of it."""
        return self._providers.report()

    async def deliver_due(self) -> timedelta | None:
        """Start sending everything that is due and fits; how long until there is more."""
        while not self._is_over:
            if self._under_way:
                await asyncio.sleep(GATHER)
            free = self._free()
            if free <= 0:
                return self._until_slow()  # full: whoever finishes rings, too
            leasing = await self._lease(free)
            left = self._free()
            if leasing.moved and left <= 0:
                continue
            if leasing.moved and left <= self._reserved and _is_some_lower(leasing):
                return GLANCE  # what is critical came first, so there is no more of it
            lead = await self._next_lead(only_critical=left <= self._reserved)
            if lead is None or lead > timedelta():
                return lead
            if not leasing.moved:
                return SKIPPED
        return None

    # --- leasing

    def _free(self) -> int:
        most = self.sender.concurrency
        sending = self._sending()
        if self._providers.are_many:
            now = asyncio.get_running_loop().time()
            sending = [one for one in sending if now - one.since < SLOW]
        return min(most - len(sending), ROOM * most - len(self._under_way))

    def _sending(self) -> list[UnderWay[Leased]]:
        """Those that keep a sender busy; one that only has to be written down does not."""
        return [one for one in self._under_way.values() if not one.is_ended]

    def _until_slow(self) -> timedelta | None:
        """How long until the oldest quick send makes room."""
        if not self._providers.are_many:
            return None
        now = asyncio.get_running_loop().time()
        ages = [now - one.since for one in self._sending()]
        waits = [SLOW - age for age in ages if age < SLOW]
        return timedelta(seconds=min(waits)) if waits else None

    async def _lease(self, free: int) -> Leasing:
        async def lease(session: WriteSession) -> Leasing:
            now = await transaction_time(session)
            term = Term(self.sender.channel, now, now + self._lease_span())
            return await outbox.lease(
                session, term, limit=self._limit, free=free, reserved=self._reserved
            )

        leasing = await self._database.write(lease)
        # Should only a few be let through, then the critical, and those that had the fewest tries.
        for leased in sorted(leasing.leased, key=lambda it: (not it.is_critical, it.attempts)):
            self._start(leased, f"send {leased.id}")
        for step in leasing.cancelled:
            await self._hurry(step)
        return leasing

    def _lease_span(self) -> timedelta:
        margin = LEASE_MARGIN if self._margin is None else self._margin
        return self.sender.timeout + margin

    async def _hurry(self, step: StepKey) -> None:
        async with self._database.writing() as session:
            now = await transaction_time(session)
            await escalation_service.hurry_if_lost(session, step, now=now)

    async def _next_lead(self, *, only_critical: bool) -> timedelta | None:
        channel = self.sender.channel
        return await crud_outbox.next_lead(self._database, channel, only_critical=only_critical)

    # --- one message

    async def _carry(self, one: UnderWay[Leased]) -> None:
        lease = one.lease
        with telemetry.spanning(
            "delivery.send",
            notification_id=lease.id,
            incident_id=lease.incident.id if lease.incident else None,
            channel=lease.channel,
            kind=lease.kind,
            attempt=lease.attempts,
        ):
            await self._deliver(one)

    async def _deliver(self, one: UnderWay[Leased]) -> None:
        verdict = await self._send(one)
        one.is_ended = True
        self.freed()
        await self._record(one, verdict)

    async def _record(self, one: UnderWay[Leased], verdict: Verdict) -> None:
        telemetry.tell(outcome=type(verdict).__name__)
        ends = one.since + self._lease_span().total_seconds()
        patience = ends - asyncio.get_running_loop().time()
        await self._recorder.record(one.lease, verdict, patience=patience)

    async def _hand_over(self, one: UnderWay[Leased]) -> None:
        await self._record(one, Unknown(STOPPED) if one.is_begun else HandedBack())

    async def _send(self, one: UnderWay[Leased]) -> Verdict:
        """How it went; it never raises."""
        lease = one.lease
        if lease.tries > MAX_ATTEMPTS:
            return Lost("Every sender that tried it vanished in mid-send.")
        try:
            composed = self._compose(lease)
        except UnsendableError as error:
            return Lost(str(error))
        except Exception as error:
            log.exception("delivery.failed", extra={"notification_id": lease.id})
            return self._retried(lease, _our_failure(error), None)
        admission = self._providers.admit(composed.message, now=lease.claimed_at)
        if isinstance(admission, Closed):
            return HandedBack(admission.until, admission.why)
        one.is_begun = True
        outcome = await self._ask(admission, composed, one)
        return self._verdict(admission, composed, one, outcome)

    async def _ask(
        self, admission: Admission, composed: Composed, one: UnderWay[Leased]
    ) -> Outcome:
        outcome: Outcome | None = None
        try:
            outcome = await admission.sender.send(composed.message)
        except Exception as error:
            log.exception("delivery.failed", extra={"notification_id": one.lease.id})
            return RetryLater(_our_failure(error))
        finally:
            self._providers.settle(admission, outcome, now=self._now(one))
        return outcome

    def _now(self, one: UnderWay[Leased]) -> datetime:
        """The database's time, as far as it can be told without asking."""
        elapsed = asyncio.get_running_loop().time() - one.since
        return one.lease.claimed_at + timedelta(seconds=elapsed)

    def _verdict(
        self, admission: Admission, composed: Composed, one: UnderWay[Leased], outcome: Outcome
    ) -> Verdict:
        match outcome:
            case Sent(kept_at=str() as kept_at):
                return Kept(kept_at, composed.note)
            case Sent(provider_id=provider_id):
                return Taken(provider_id, composed.note, admission.has_receipts)
            case RetryLater(error, after):
                now = self._now(one)
                returns_at = self._providers.returns_at(admission, composed.message, now=now)
                if returns_at is None:
                    return self._retried(one.lease, error, after)
                wait = max(returns_at - now, after or timedelta())
                return Again(error, wait, is_counted=False)
            case GaveUp(error, is_gone):
                return Lost(error, is_gone)

    def _retried(self, lease: Leased, error: str, after: timedelta | None) -> Verdict:
        if lease.is_last_try:
            return Lost(f"Gave up after {lease.tries} attempts: {error}")
        wait = retry_delay(lease.tries, chance=self._chance())
        return Again(error, max(wait, after or timedelta()))


def _is_some_lower(leasing: Leasing) -> bool:
    return not all(leased.is_critical for leased in leasing.leased)


def _our_failure(error: Exception) -> str:
    return one_line(f"Tocsin itself failed: {type(error).__name__}: {error}")
