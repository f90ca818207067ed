"""Replicas that count together through a real Redis, and each for itself while it is lost."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from app.db import redis as shared
from app.db.session import Database
from tests.api.limited import at, replica
from tests.conftest import Clock
from tests.redis_server import RedisServer
from tests.world import World

pytestmark = pytest.mark.peer


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


@pytest.fixture(autouse=True)
def _a_busy_machine_is_no_lost_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "PATIENCE", 1.0)


@pytest.fixture
def replicas(database: Database, data_dir: Path, redis_server: RedisServer) -> list[FastAPI]:
    chosen = {
        "redis_url": redis_server.url,
        "rate_limit_reads": "6/hour",
        "rate_limit_ingest": "2/hour",
    }
    return [replica(database, data_dir, **chosen) for _ in range(2)]


@pytest.fixture
async def clients(replicas: list[FastAPI]) -> AsyncIterator[list[httpx.AsyncClient]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(at(app)) for app in replicas]
    for app in replicas:
        await app.state.service.limits.store.close()


async def read(client: httpx.AsyncClient) -> tuple[int, str]:
    answer = await client.get("/v1/incidents")
    return answer.status_code, answer.headers["ratelimit"].split(";")[1]


async def test_a_quota_is_one_for_all_replicas(clients: list[httpx.AsyncClient]) -> None:
    found = [await read(client) for client in clients * 4]
    assert found == [(401, f"r={left}") for left in (5, 4, 3, 2, 1, 0)] + [(429, "r=0")] * 2


async def test_while_it_is_lost_each_goes_on_from_what_it_has_seen(
    clients: list[httpx.AsyncClient], redis_server: RedisServer, replicas: list[FastAPI]
) -> None:
    first, second = clients
    assert [await read(first) for _ in range(4)][-1] == (401, "r=2")
    assert await read(second) == (401, "r=1")
    redis_server.kill()
    assert [await read(first) for _ in range(3)] == [(401, "r=1"), (401, "r=0"), (429, "r=0")]
    assert await read(second) == (401, "r=4")  # it has seen one
    health = (await first.get("/health")).json()
    assert (health["status"], health["redis"]["state"]) == ("degraded", "lost")
    assert health["redis"]["error"]
    assert (await first.get("/ready")).status_code == 200
    redis_server.start()
    store = replicas[0].state.service.limits.store
    store._try_at = store._clock()  # as if the pause were over
    assert await read(first) == (401, "r=5")  # it has forgotten everything: nobody is refused
    health = (await first.get("/health")).json()
    assert (health["status"], health["redis"]) == ("ok", {"state": "ok", "error": None})


async def test_alerts_wait_for_no_redis(
    replicas: list[FastAPI],
    clients: list[httpx.AsyncClient],
    database: Database,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(database, replicas[0].state.service, clients[0], clock)
    key = {"X-API-Key": await world.integration_key(await world.admin())}

    async def never(*_: object) -> None:
        raise AssertionError("a round trip")

    for app in replicas:
        monkeypatch.setattr(app.state.service.limits.store, "ask", never)
    alert = {"title": "Disk full"}
    for client in clients:
        stood = [await client.post("/v1/webhooks/alerts", headers=key, json=alert) for _ in "123"]
        assert [one.status_code for one in stood] == [200, 200, 429]


async def test_without_one_health_says_that_none_is_set(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health")).json()["redis"] is None
