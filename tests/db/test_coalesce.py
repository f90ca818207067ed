"""Writes that are put together: in order, durable before the answer, a bad one alone."""

import asyncio
from collections.abc import Sequence

import pytest

from app.db.coalesce import Coalescer, CrowdedError


class Store:
    """A slow store that notes what it was given together."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.at_once = 0
        self.most_at_once = 0

    async def flush(self, items: list[int]) -> Sequence[int]:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.batches.append(items)
        await self.gate.wait()
        self.at_once -= 1
        if 13 in items:
            raise ValueError("an unlucky batch")
        if 57 in items:
            raise ConnectionError("the database is gone")
        return [item * 10 for item in items]


async def _begin(coalescer: Coalescer[int, int], *items: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(coalescer.add(item)) for item in items]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_what_comes_during_a_flush_goes_into_the_next_one() -> None:
    store = Store()
    coalescer = Coalescer(store.flush, most=100)
    tasks = await _begin(coalescer, 1)
    tasks += await _begin(coalescer, 2, 3, 4)
    assert coalescer.waiting == 3
    store.gate.set()
    assert await asyncio.gather(*tasks) == [10, 20, 30, 40]
    assert store.batches == [[1], [2, 3, 4]]


async def test_no_batch_is_larger_than_it_may_be() -> None:
    store = Store()
    coalescer = Coalescer(store.flush, most=2)
    tasks = await _begin(coalescer, 1, 2, 3, 4, 5)
    store.gate.set()
    assert await asyncio.gather(*tasks) == [10, 20, 30, 40, 50]
    assert store.batches == [[1, 2], [3, 4], [5]]


async def test_no_more_flush_at_once_than_may() -> None:
    store = Store()
    coalescer = Coalescer(store.flush, most=1, flushers=2)
    tasks = await _begin(coalescer, 1, 2, 3, 4)
    store.gate.set()
    await asyncio.gather(*tasks)
    assert store.most_at_once == 2


async def test_a_bad_item_fails_alone() -> None:
    store = Store()
    coalescer = Coalescer(store.flush, most=100)
    tasks = await _begin(coalescer, 1, 2, 13, 4)
    store.gate.set()
    one, two, bad, four = await asyncio.gather(*tasks, return_exceptions=True)
    assert (one, two, four) == (10, 20, 40)
    assert isinstance(bad, ValueError)


async def test_an_outage_is_not_tried_again_for_each() -> None:
    store = Store()
    coalescer = Coalescer(store.flush, most=100)
    tasks = await _begin(coalescer, 1, 57, 3)
    store.gate.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(error) for error in found] == [ConnectionError] * 3
    assert store.batches == [[1, 57, 3]]


async def test_whoever_stops_waiting_holds_up_nobody() -> None:
    store = Store()
    coalescer = Coalescer(store.flush, most=100)
    tasks = await _begin(coalescer, 1, 2)
    tasks[0].cancel()
    store.gate.set()
    assert await tasks[1] == 20
    await coalescer.drain()
    assert store.batches == [[1, 2]], "what was added is flushed all the same"


async def test_a_crowd_is_told_so() -> None:
    store = Store()
    coalescer = Coalescer(store.flush, most=1, room=2)
    tasks = await _begin(coalescer, 1)
    tasks += await _begin(coalescer, 2, 3)
    with pytest.raises(CrowdedError):
        await coalescer.add(4)
    store.gate.set()
    assert await asyncio.gather(*tasks) == [10, 20, 30]


async def test_drained_means_that_nothing_is_left() -> None:
    store = Store()
    coalescer = Coalescer(store.flush, most=1)
    tasks = await _begin(coalescer, 1, 2, 3)
    store.gate.set()
    await coalescer.drain()
    assert coalescer.waiting == 0
    assert all(task.done() for task in tasks)
