"""Counting in Redis is counting in memory, only together."""

from collections.abc import AsyncIterator, Iterator
from random import Random

import pytest

from app.db import redis as shared
from app.db import shared_tallies
from app.db.redis import SharedStore
from app.db.shared_tallies import SharedTallies
from app.domain import rate as rates
from app.domain.rate import Rate
from tests.redis_server import RedisServer

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


@pytest.fixture(autouse=True)
def _a_busy_machine_is_no_lost_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "PATIENCE", 1.0)


@pytest.fixture
async def store(server: RedisServer) -> AsyncIterator[SharedStore]:
    made = SharedStore(server.url)
    await made.ask(lambda redis: redis.flushall())
    yield made
    await made.close()


async def test_replicas_count_together(server: RedisServer, store: SharedStore) -> None:
    other = SharedStore(server.url)
    here, there = SharedTallies(store, Rate(5, 3600)), SharedTallies(other, Rate(5, 3600))
    stood = [await tallies.count("ana") for tallies in (here, there) * 3]
    assert [one and one.is_allowed for one in stood] == [True] * 5 + [False]
    assert [one and one.remaining for one in stood] == [4, 3, 2, 1, 0, 0]
    assert (await here.count("ben")) is not None
    await other.close()


async def test_a_server_that_forgot_the_script_is_told_it_again(store: SharedStore) -> None:
    tallies = SharedTallies(store, Rate(5, 3600))
    assert await tallies.count("ana") is not None
    await store.ask(lambda redis: redis.script_flush())
    found = await tallies.count("ana")
    assert found is not None
    assert found.remaining == 3


async def test_nothing_is_kept_longer_than_it_can_matter(store: SharedStore) -> None:
    await SharedTallies(store, Rate(5, 60)).count("ana")
    left = await store.ask(lambda redis: redis.pttl("ana"))
    assert 0 < left <= 120_000


async def test_both_ways_of_counting_decide_alike(store: SharedStore) -> None:
    """With the script's clock in our hand."""
    script = shared_tallies.SCRIPT.replace("redis.call('TIME')", "{ARGV[3], ARGV[4]}")
    assert script != shared_tallies.SCRIPT
    dice = Random(7)
    for turn in range(60):
        rate = Rate(dice.randint(1, 8), dice.choice([1, 60]))
        now, tally, key = 1_795_290_000_000, None, f"caller {turn}"
        for _ in range(60):
            now += dice.choice([0, 1, dice.randint(0, rate.length), rate.length, 2 * rate.length])
            counted, is_allowed = rates.count(rate, tally, now=now)
            tally = counted if is_allowed else tally
            clock = (now // 1000, now % 1000 * 1000)
            told = await store._redis.eval(script, 1, key, rate.limit, rate.length, *clock)
            expected = [now - counted.began, counted.before, counted.here]
            assert told == [int(is_allowed), *expected], (rate, now)
