"""The dead man's switch: a URL of a monitor, called only while this process does its work.

Silence is the alarm, so whatever is in doubt keeps silent. A call is made while every loop of
this process turns, the database answers and takes writes, and every queue moves: of what has been
due for long, not the same row stands first all the time. Work that comes back from a
provider that is down moves, and a storm moves while it is worked off: neither is our death, and
both have figures of their own. The monitor's own failures are noted once and hold nothing up.

The URL is a secret: whoever knows it can keep the alarm silent. No log line or error has it.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import httpx

from app.core.metrics import Metrics
from app.crud import crud_health
from app.crud.crud_health import Head
from app.db.session import Database, transaction_time

log = logging.getLogger(__name__)

CALL_PATIENCE = 5.0  # seconds
LOOK_PATIENCE = 10.0
# What has been due for less is on its way. What stands first for that long besides, and for as
# long as a send may take (a lane may be full), is stuck.
A_WHILE = timedelta(seconds=60)
SENT, WITHHELD, UNANSWERED = "sent", "withheld", "unanswered"


class Heartbeat:
    """Calls `url` every so often, unless something stands still."""

    def __init__(
        self,
        url: str,
        database: Database,
        turns: Callable[[], bool],
        *,
        every: timedelta,
        longest_send: timedelta = timedelta(),
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._database = database
        self._turns = turns
        self._every = every
        self._stuck_after = (A_WHILE + longest_send).total_seconds()
        self._client = httpx.AsyncClient(
            timeout=CALL_PATIENCE,
            follow_redirects=False,
            trust_env=False,
            # A connection that is kept for a minute is often found closed.
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        self._metrics = metrics or Metrics()
        self._clock = clock
        self._first: dict[str, tuple[frozenset[Head], float]] = {}
        self._told: tuple[str, str] | None = None  # what the log knows
        self._sent_at: float | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._beat_on(), name="heartbeat")

    async def stop(self) -> None:
        """Silence, at once: what stops does not live."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._client.aclose()

    def report(self) -> dict[str, Any]:
        outcome, reason = self._told or (None, "")
        since = None if self._sent_at is None else round(self._clock() - self._sent_at, 1)
        return {"last": outcome, "reason": reason or None, "seconds_since_sent": since}

    async def beat(self) -> None:
        """One call, or the reason why there is none."""
        reason = await self._obstacle()
        if reason is not None:
            self._tell(WITHHELD, reason)
            return
        failure = await self._call()
        if failure is not None:
            self._tell(UNANSWERED, failure)
            return
        self._sent_at = self._clock()
        self._tell(SENT, "")

    async def _beat_on(self) -> None:
        while True:
            began = self._clock()
            await self.beat()
            rest = self._every.total_seconds() - (self._clock() - began)
            await asyncio.sleep(max(rest, 0.1))

    async def _obstacle(self) -> str | None:
        """What stands still, if anything does."""
        if not self._turns():
            return "A loop of this process stands still."
        try:
            async with asyncio.timeout(LOOK_PATIENCE), self._database.reading() as session:
                now = await transaction_time(session)
                takes_writes = await crud_health.takes_writes(session)
                heads = await crud_health.heads(session, before=now - A_WHILE)
        except Exception as error:  # whatever it is, nobody can say that all is well
            return f"The database cannot be asked ({type(error).__name__})."
        if not takes_writes:
            return "The database takes no writes."
        stuck = self._stuck(heads)
        return f"Nothing moves in: {', '.join(stuck)}." if stuck else None

    def _stuck(self, heads: dict[str, frozenset[Head]]) -> list[str]:
        """The queues at whose head the same rows have stood for long, although they are due."""
        now = self._clock()
        seen = self._first
        self._first = {
            queue: seen[queue] if queue in seen and seen[queue][0] == first else (first, now)
            for queue, first in heads.items()
        }
        return sorted(
            queue for queue, (_, since) in self._first.items() if now - since >= self._stuck_after
        )

    async def _call(self) -> str | None:
        try:
            async with asyncio.timeout(CALL_PATIENCE):
                answer = await self._client.get(self._url)
        except (httpx.HTTPError, OSError) as error:  # its text may hold the URL
            return f"The monitor cannot be reached ({type(error).__name__})."
        if not answer.is_success:
            return f"The monitor answered {answer.status_code}."
        return None

    def _tell(self, outcome: str, reason: str) -> None:
        self._metrics.heartbeat(outcome)
        was, self._told = self._told, (outcome, reason)
        if was == self._told:
            return
        if outcome == SENT:
            log.info("heartbeat.sent")
        else:
            log.warning(f"heartbeat.{outcome}", extra={"reason": reason})
