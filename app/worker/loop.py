"""One loop: do what is due, sleep until the next thing is, wake when rung.

It sleeps on the monotonic clock, so a wall clock that is set back cannot make it oversleep.
Whatever goes wrong in one round is logged and tried again; a loop ends only when stopped.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from app.db.session import is_outage

log = logging.getLogger(__name__)

# What a round returns: how long until something is due, or None when nothing is in sight.
Work = Callable[[], Awaitable[timedelta | None]]

# Due, but held by another transaction just now.
SKIPPED = timedelta(milliseconds=20)
AFTER_FAILURE = timedelta(seconds=1)


class Loop:
    """Runs `work` whenever it is rung, due, or has slept `longest_sleep`."""

    def __init__(self, name: str, work: Work, *, longest_sleep: timedelta) -> None:
        self.name = name
        self._work = work
        self._longest_sleep = longest_sleep
        self._rung = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._turned_at = time.monotonic()
        self._last_failure: str | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"loop {self.name}")

    def ring(self) -> None:
        self._rung.set()

    async def stop(self) -> None:
        """End after the round that is under way."""
        self._stopping = True
        self.ring()
        if self._task is not None:
            await self._task

    def is_alive(self) -> bool:
        """Whether it still turns: its task lives, and its last round was not too long ago."""
        is_running = self._task is not None and not self._task.done()
        return is_running and self._age() < 6 * self._longest_sleep.total_seconds() + 30

    def report(self) -> dict[str, Any]:
        return {
            "alive": self.is_alive(),
            "seconds_since_last_round": round(self._age(), 1),
            "last_failure": self._last_failure,
        }

    def _age(self) -> float:
        return time.monotonic() - self._turned_at

    async def _run(self) -> None:
        while not self._stopping:
            self._rung.clear()
            sleep = await self._round()
            self._turned_at = time.monotonic()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._rung.wait(), sleep.total_seconds())

    async def _round(self) -> timedelta:
        try:
            lead = await self._work()
        except Exception as error:
            self._last_failure = f"{type(error).__name__}: {error}"[:300]
            if is_outage(error):
                log.warning("loop.database_unavailable", extra={"loop": self.name})
            else:
                log.exception("loop.failed", extra={"loop": self.name})
            return AFTER_FAILURE
        self._last_failure = None
        if lead is None:
            return self._longest_sleep
        return max(min(lead, self._longest_sleep), timedelta())
