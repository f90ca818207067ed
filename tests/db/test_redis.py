"""A real Redis that is killed, hangs, refuses and comes back: whoever asks is told so, soon."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from app.db import redis as shared
from app.db.redis import LostError, SharedStore
from tests.api.logs import logged
from tests.redis_server import RedisServer

pytestmark = pytest.mark.peer

SECRET = "correct-horse"
PROMISED = shared.PATIENCE


@pytest.fixture(autouse=True)
def _a_busy_machine_is_no_lost_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "PATIENCE", 0.5)


def test_nobody_waits_longer_than_is_promised() -> None:
    assert PROMISED <= 0.05


class Hand:
    """A clock in seconds that is moved by hand."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
async def store(server: RedisServer, hand: Hand) -> AsyncIterator[SharedStore]:
    made = SharedStore(server.url, clock=hand)
    yield made
    await made.close()


async def say(store: SharedStore, word: str = "hello") -> str:
    """What comes back for a word; `lost` if nothing does."""

    async def echo(redis: Redis) -> str:
        told: bytes = await redis.echo(word)
        return told.decode()

    try:
        return await store.ask(echo)
    except LostError:
        return "lost"


async def lose(store: SharedStore) -> None:
    for _ in range(shared.TOLERATED):
        assert await say(store) == "lost"
    assert store.state == "lost"


async def test_it_answers(store: SharedStore) -> None:
    assert await say(store) == "hello"
    assert await store.check() == "ok"
    assert store.last_error is None


async def test_one_that_is_killed_is_left_alone_and_found_again(
    store: SharedStore, server: RedisServer, hand: Hand
) -> None:
    assert await say(store) == "hello"
    with logged() as log:
        server.kill()
        await lose(store)
        server.start()
        assert await say(store) == "lost"  # it is not even asked
        hand.now += shared.FIRST_PAUSE
        assert await say(store) == "hello"
        assert (store.state, store.last_error) == ("ok", None)
    assert [len(log.of(event)) for event in ("redis.lost", "redis.back")] == [1, 1]


async def test_the_pause_grows_while_it_stays_away_and_has_an_end(
    store: SharedStore, server: RedisServer, hand: Hand
) -> None:
    server.kill()
    await lose(store)
    pauses = []
    for _ in range(6):
        pause = 0.0
        before = store._try_at
        while store._try_at == before:
            hand.now, pause = hand.now + 1, pause + 1
            await say(store)
        pauses.append(pause)
    assert pauses == [1, 2, 4, 8, 15, 15]


async def test_while_it_hangs_one_at_a_time_tries_and_nobody_else_waits(
    store: SharedStore, server: RedisServer, hand: Hand
) -> None:
    assert await say(store) == "hello"
    server.hang()
    try:
        await lose(store)
        hand.now += shared.FIRST_PAUSE
        tried: list[str] = []

        async def work(redis: Redis) -> None:
            tried.append("once")
            await redis.ping()

        asked = [store.ask(work) for _ in range(10)]
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(one) for one in found] == [LostError] * 10
        assert tried == ["once"]
    finally:
        server.go_on()


async def test_after_it_hung_every_answer_belongs_to_its_question(
    store: SharedStore, server: RedisServer, hand: Hand
) -> None:
    words = [f"word {number}" for number in range(10)]
    assert await asyncio.gather(*(say(store, word) for word in words)) == words
    server.hang()
    found = await asyncio.gather(*(say(store, f"late {word}") for word in words))
    assert set(found) == {"lost"}
    server.go_on()
    hand.now += shared.LONGEST_PAUSE
    assert await say(store, "first") == "first"
    for _ in range(5):
        assert await asyncio.gather(*(say(store, word) for word in words)) == words


@pytest.mark.parametrize("spoil", [("CONFIG", "SET", "maxmemory", "1"), ("REPLICAOF", "::1", "1")])
@pytest.mark.parametrize("mend", [("CONFIG", "SET", "maxmemory", "0"), ("REPLICAOF", "NO", "ONE")])
async def test_one_that_takes_no_writes_is_lost(
    store: SharedStore, hand: Hand, spoil: tuple[str, ...], mend: tuple[str, ...]
) -> None:
    if spoil[0] != mend[0]:
        return
    admin = store._redis
    await admin.execute_command(*spoil)
    for _ in range(shared.TOLERATED):
        assert await store.check() == "lost"
    assert store.state == "lost"
    await admin.execute_command(*mend)
    hand.now += shared.FIRST_PAUSE
    assert await store.check() == "ok"


async def test_one_that_was_never_there_is_lost_and_its_password_is_not_told() -> None:
    with RedisServer("--requirepass", SECRET) as server, logged() as log:
        for password in (f":{SECRET}@", ":wrong-battery@"):
            store = SharedStore(server.url.replace("//", f"//{password}"))
            expected = "hello" if SECRET in password else "lost"
            assert [await say(store) for _ in range(3)] == [expected] * 3
            assert (store.state, expected) in {("ok", "hello"), ("lost", "lost")}
            assert "battery" not in str(store.last_error)
            await store.close()
        assert len(log.of("redis.lost")) == 1
        assert SECRET not in log.text
        assert "battery" not in log.text
