"""Many small writes as few large ones, without making any of them wait for a clock.

Whatever arrives while the last flush was under way goes into the next one. An idle service
flushes each item at once; a busy one flushes as many together as came in the meantime. Nobody
is told a result before the flush that carries it has returned, so a flush that commits makes
every answer durable.

One bad item fails alone: when a flush of several fails, each of them is flushed by itself.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from app.db.session import is_outage

Item = TypeVar("Item")
Result = TypeVar("Result")


class CrowdedError(Exception):
    """More is waiting than may wait."""


class Coalescer(Generic[Item, Result]):
    """Hands items to `flush`, at most `most` at a time, by at most `flushers` tasks at once.

    `weigh` says for how many an item counts; one that is heavier than `most` goes alone. `flush`
    answers with one result for each item, in their order. More than `room` items never
    wait: whoever comes then is refused with CrowdedError.
    """

    def __init__(
        self,
        flush: Callable[[list[Item]], Awaitable[Sequence[Result]]],
        *,
        most: int,
        flushers: int = 1,
        room: int | None = None,
        weigh: Callable[[Item], int] = lambda item: 1,
    ) -> None:
        self._flush = flush
        self._most = most
        self._flushers = flushers
        self._room = room
        self._weigh = weigh
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._running: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def flushing(self) -> int:
        return len(self._running)

    async def add(self, item: Item) -> Result:
        """What the flush that took this item said of it.

        Whoever stops waiting does not take the item back: it may have been flushed already.
        """
        if self._room is not None and len(self._waiting) >= self._room:
            raise CrowdedError
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if len(self._running) < self._flushers:
            task = asyncio.create_task(self._run(), name="flush")
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return await answer

    async def drain(self) -> None:
        """Wait until everything that was added is settled."""
        while self._running:
            await asyncio.wait(self._running)

    async def _run(self) -> None:
        while self._waiting:
            await self._settle(self._take())

    def _take(self) -> list[tuple[Item, "asyncio.Future[Result]"]]:
        """What goes out next: at least one item."""
        taken = [self._waiting.popleft()]
        weight = self._weigh(taken[0][0])
        while self._waiting:
            weight += self._weigh(self._waiting[0][0])
            if weight > self._most:
                break
            taken.append(self._waiting.popleft())
        return taken

    async def _settle(self, taken: list[tuple[Item, "asyncio.Future[Result]"]]) -> None:
        try:
            results = await self._flush([item for item, _ in taken])
        except asyncio.CancelledError:
            for _, answer in taken:
                answer.cancel()
            raise
        except Exception as error:
            if len(taken) > 1 and not is_outage(error):
                for one in taken:
                    await self._settle([one])
                return
            for _, answer in taken:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), result in zip(taken, results, strict=True):
            if not answer.done():  # whoever asked may be gone
                answer.set_result(result)
