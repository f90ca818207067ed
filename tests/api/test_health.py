"""Alive for whoever restarts it, ready for whoever balances load."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import event

from app.api.state import NoLoops
from app.core.version import VERSION
from app.db.session import Database
from app.domain.time_zone import time_zone_version
from tests.conftest import Clock
from tests.world import World


class Loops(NoLoops):
    """The pulse of a process with a loop, as a test wants it."""

    def __init__(self, *, alive: bool = True, overdue: dict[str, int] | None = None) -> None:
        self.alive = alive
        self.found = overdue

    def is_alive(self) -> bool:
        return self.alive

    def report(self) -> dict[str, Any]:
        return {"escalation": {"alive": self.alive, "seconds_since_last_round": 1.5}}

    def providers(self) -> dict[str, Any]:
        return {"webhook": {"example.org": {"state": "open"}}}

    def overdue(self) -> dict[str, int] | None:
        return self.found

    def heartbeat(self) -> dict[str, Any] | None:
        return {"last": "sent"}


@pytest.fixture
async def database_elsewhere(app: FastAPI) -> AsyncIterator[None]:
    """The service's database has gone: nobody answers at its address."""
    gone = Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    app.state.service = replace(app.state.service, database=gone)
    yield
    await gone.close()


async def test_a_healthy_service_says_how_every_part_is(world: World) -> None:
    health = await world.call("GET", "/health")
    version = health["database"]["schema_version"]
    assert (health["status"], health["version"]) == ("ok", VERSION)
    assert health["time_zone_version"] == time_zone_version()
    assert health["database"] == {
        "reachable": True,
        "takes_writes": True,
        "schema_version": version,
        "expected_schema_version": version,
    }
    assert health["channels"]["email"] == "outbox"
    assert health["channels"]["sms"] == "not configured"
    assert health["lateness"] == {"steps": 0, "pages": 0}
    assert health["backlog"]["steps"] == 0
    assert set(health["backlog"]["messages"].values()) == {0}
    assert (health["providers"], health["overdue"], health["heartbeat"]) == ({}, None, None)


async def test_a_fit_replica_is_ready(world: World) -> None:
    assert await world.call("GET", "/ready") == {"ready": True, "reasons": []}


async def test_lateness_is_that_of_the_most_overdue_promise(world: World, clock: Clock) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins"), (60, "admins")])
    await world.declare(admin)
    clock.forward(seconds=90)
    health = await world.call("GET", "/health")
    assert 90 <= health["lateness"]["steps"] < 100
    assert health["backlog"]["steps"] == 1
    await world.climb()
    health = await world.call("GET", "/health")
    assert health["lateness"]["steps"] == 0
    assert 90 <= health["lateness"]["pages"] < 100
    assert health["backlog"] == {
        "steps": 0,
        "messages": {"email": 1, "sms": 0, "push": 0, "chat": 0, "webhook": 0},
    }


async def test_without_its_database_it_is_alive_and_says_so(
    database_elsewhere: None, client: httpx.AsyncClient
) -> None:
    answer = await client.get("/health")
    assert answer.status_code == 200
    health = answer.json()
    assert health["status"] == "degraded"
    assert health["database"]["reachable"] is False
    assert health["database"]["schema_version"] is None
    assert health["lateness"] == {"steps": None, "pages": None}
    assert health["backlog"] is None


async def test_without_its_database_it_is_not_ready(
    database_elsewhere: None, client: httpx.AsyncClient
) -> None:
    answer = await client.get("/ready")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "reasons": ["The database cannot be reached."]}


async def test_a_schema_of_another_version_is_not_ready(world: World) -> None:
    (row,) = await world.sql("SELECT version_num FROM alembic_version")
    await world.sql("UPDATE alembic_version SET version_num = 'older'")
    try:
        ready = await world.call("GET", "/ready", expect=503)
        health = await world.call("GET", "/health")
    finally:
        await world.sql("UPDATE alembic_version SET version_num = :was", was=row.version_num)
    assert ready["ready"] is False
    assert "version older" in ready["reasons"][0]
    assert "tocsin migrate" in ready["reasons"][0]
    assert health["database"]["schema_version"] == "older"
    assert health["backlog"] is None  # this code may not even know its tables


async def test_a_replica_whose_loops_stand_still_is_degraded_and_not_ready(
    app: FastAPI, world: World
) -> None:
    app.state.service = replace(app.state.service, pulse=Loops(alive=False))
    health = await world.call("GET", "/health")
    ready = await world.call("GET", "/ready", expect=503)
    assert health["status"] == "degraded"
    assert health["loops"]["escalation"]["alive"] is False
    assert ready["reasons"] == ["The loops of this process stand still."]


async def test_a_standby_is_no_replica_to_send_anybody_to(app: FastAPI, world: World) -> None:
    """It answers reads, so nothing but the question would show it."""

    def demote(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute("SET default_transaction_read_only = on")
        cursor.close()
        connection.commit()

    database = Database(world.database.engine.url.render_as_string(hide_password=False))
    event.listen(database.engine.sync_engine, "connect", demote)
    app.state.service = replace(app.state.service, database=database)
    ready = await world.call("GET", "/ready", expect=503)
    health = await world.call("GET", "/health")
    await database.close()
    assert ready["reasons"] == [
        "The database takes no writes: it is a standby, or was put to read-only."
    ]
    assert health["status"] == "degraded"
    assert health["database"]["reachable"] is True
    assert health["database"]["takes_writes"] is False


async def test_a_forgotten_promise_makes_the_service_sick_but_not_the_replica(
    app: FastAPI, world: World
) -> None:
    app.state.service = replace(app.state.service, pulse=Loops(overdue={"steps": 0, "pages": 2}))
    health = await world.call("GET", "/health")
    assert (health["status"], health["overdue"]) == ("degraded", {"steps": 0, "pages": 2})
    assert (await world.call("GET", "/ready"))["ready"] is True
    app.state.service = replace(app.state.service, pulse=Loops(overdue={"steps": 0, "pages": 0}))
    assert (await world.call("GET", "/health"))["status"] == "ok"


async def test_providers_and_the_monitor_are_shown_and_take_no_replica_out(
    app: FastAPI, world: World
) -> None:
    app.state.service = replace(app.state.service, pulse=Loops())
    health = await world.call("GET", "/health")
    assert health["providers"] == {"webhook": {"example.org": {"state": "open"}}}
    assert health["heartbeat"] == {"last": "sent"}
    assert health["status"] == "ok"
    assert (await world.call("GET", "/ready"))["ready"] is True


async def test_nobody_has_to_log_in_to_look(world: World) -> None:
    headers = {"Authorization": "Bearer nonsense"}
    for path in ("/health", "/ready"):
        await world.call("GET", path, headers=headers)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://nobody@localhost:1/nothing",
        "postgresql+asyncpg://nobody@no-such-host.invalid/nothing",
    ],
)
async def test_however_the_database_cannot_be_reached_it_is_an_outage(
    app: FastAPI, client: httpx.AsyncClient, url: str
) -> None:
    gone = Database(url)
    app.state.service = replace(app.state.service, database=gone)
    assert (await client.get("/health")).json()["status"] == "degraded"
    assert (await client.get("/ready")).status_code == 503
    answer = await client.post("/v1/webhooks/alerts", headers={"X-API-Key": "tik_x"})
    assert (answer.status_code, answer.json()["code"]) == (503, "DATABASE_UNAVAILABLE")
    await gone.close()


async def test_a_balancer_may_ask_for_the_head_only(client: httpx.AsyncClient) -> None:
    for path in ("/", "/health", "/ready"):
        assert (await client.head(path)).status_code == 200
