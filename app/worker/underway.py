"""What one process has between a lease and its record, and how that ends.

Whatever is leased is sent by a task of its own with no transaction open, and then recorded. A
process that stops waits for them, or hands over what it cannot wait for. What could not be
recorded until its lease ended is sent again by somebody else, under its mark.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.db.session import is_outage

log = logging.getLogger(__name__)

LAST_WORD = 5.0  # seconds to write down what is abandoned
PAUSES = (0.2, 1.0, 3.0)  # between tries to record; the last of them over and over
STOPPED = "Tocsin was stopped while it was being sent, so it may have gone out."

L = TypeVar("L")  # what is leased


@dataclass
class UnderWay(Generic[L]):
    """A message between its lease and its record."""

    lease: L
    since: float  # on the event loop's clock
    is_begun: bool = False  # it may have left
    is_ended: bool = False  # how it went is known


class Carrier(ABC, Generic[L]):
    """Carries what it leased, each by itself, until it is recorded."""

    def __init__(self) -> None:
        self.freed: Callable[[], None] = lambda: None  # rings the loop that leases
        self._under_way: dict[asyncio.Task[None], UnderWay[L]] = {}
        self._is_over = False

    @abstractmethod
    async def _carry(self, one: UnderWay[L]) -> None:
        """Send it and record how it went."""

    @abstractmethod
    async def _hand_over(self, one: UnderWay[L]) -> None:
        """Record that this process does not go on with it."""

    @property
    def is_sending(self) -> bool:
        return bool(self._under_way)

    def _start(self, lease: L, name: str) -> None:
        one = UnderWay(lease, asyncio.get_running_loop().time())
        task = asyncio.create_task(self._carry(one), name=name)
        self._under_way[task] = one
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        self.freed()

    async def drain(self) -> None:
        """Wait until nothing is under way. Whoever drains has stopped the loop that leases."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def abandon(self) -> None:
        """Stop waiting and hand over: what was never begun goes back as it was, what is in
        mid-send is another sender's to send again, and both are due now.

        What ended is given a moment to be written down. Where the database cannot be told, the
        leases run out instead.
        """
        self._is_over = True
        left = {task: one for task, one in self._under_way.items() if not one.is_ended}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        words = [asyncio.create_task(self._hand_over(one)) for one in left.values()]
        pending = {*words, *self._under_way}
        if pending:
            _, late = await asyncio.wait(pending, timeout=LAST_WORD)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


async def write_down(
    write: Callable[[], Awaitable[bool]],
    *,
    patience: float,
    what: str,
    **extra: Any,
) -> None:
    """Write until it is written, for so many seconds; `write` says whether the lease was ours.

    `what` begins the names of what is logged, and `extra` says which one it was.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + patience
    attempt = 0
    while True:
        try:
            if not await write():
                log.warning(f"{what}.lease_was_lost", extra=extra)
            return
        except Exception as error:
            pause = PAUSES[min(attempt, len(PAUSES) - 1)]
            if loop.time() + pause > until:
                log.exception(f"{what}.not_recorded", extra=extra)
                return
            if attempt == 0 and not is_outage(error):
                log.exception(f"{what}.recorded_later", extra=extra)
        attempt += 1
        await asyncio.sleep(pause)
