"""A hundred writes a minute, and what every answer says about it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import event

from app.api.express import DOORS
from app.api.limits import PINGS_AT
from app.core.load import load_settings
from app.db.session import Database
from app.domain.user import Role
from app.main import Setup, create_app
from tests.api.answers import refusal
from tests.api.limited import Hand, at, replica, status
from tests.conftest import Clock
from tests.world import Person, World


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def app(database: Database, data_dir: Path, hand: Hand) -> FastAPI:
    """With the limits that nobody has set."""
    return replica(database, data_dir, hand)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with at(app) as made:
        yield made


async def write(world: World, who: Person | None) -> httpx.Response:
    """A request that would change something, if anything in it were right."""
    headers = who.headers if who else {}
    return await world.client.post("/v1/incidents", headers=headers, json={"severity": "high"})


async def use_up(world: World, who: Person | None, writes: int = 100) -> None:
    assert [(await write(world, who)).status_code for _ in range(writes)] == [
        422 if who else 401
    ] * writes


async def test_the_hundred_and_first_write_of_a_minute_is_refused(world: World, hand: Hand) -> None:
    ana = await world.person()
    await use_up(world, ana)
    hand.forward(20)
    answer = await write(world, ana)
    assert refusal(answer, 429, "RATE_LIMITED") == {
        "category": "writes",
        "limit": 100,
        "window_seconds": 60,
        "retry_after": 41,
    }
    assert answer.json()["message"] == (
        "Too many writes: 100 a minute are allowed. Try again in 41 s."
    )
    assert answer.headers["retry-after"] == "41"
    assert answer.headers["ratelimit-policy"] == '"writes";q=100;w=60'
    assert answer.headers["ratelimit"] == '"writes";r=0;t=41'
    hand.forward(40)
    assert (await write(world, ana)).status_code == 429
    hand.forward(1)
    assert (await write(world, ana)).status_code == 422


async def test_every_answer_says_what_remains(world: World, hand: Hand) -> None:
    ana = await world.person()
    await world.declare(ana)
    hand.forward(17.5)
    made = await world.client.post(
        "/v1/incidents",
        headers=ana.headers,
        json={"title": "Disk full", "severity": "high", "service": "x"},
    )
    assert made.status_code == 201
    assert made.headers["ratelimit-policy"] == '"writes";q=100;w=60'
    assert made.headers["ratelimit"] == '"writes";r=98;t=43'
    read = await world.client.get("/v1/incidents", headers=ana.headers)
    assert read.headers["ratelimit-policy"] == '"reads";q=1000;w=60'
    assert read.headers["ratelimit"] == '"reads";r=999;t=60'
    missing = await world.client.get("/v1/incidents/999", headers=ana.headers)
    assert missing.status_code == 404
    assert missing.headers["ratelimit"] == '"reads";r=998;t=60'


async def test_who_has_no_writes_left_can_still_read(world: World) -> None:
    ana = await world.person()
    await use_up(world, ana)
    assert (await write(world, ana)).status_code == 429
    assert (await world.client.get("/v1/incidents", headers=ana.headers)).status_code == 200


async def test_a_refusal_costs_the_database_nothing(world: World, database: Database) -> None:
    ana = await world.person()
    await use_up(world, ana)
    taken: list[Any] = []
    pool = database.engine.sync_engine.pool

    def note(*about: Any) -> None:
        taken.append(about)

    event.listen(pool, "checkout", note)
    try:
        assert (await write(world, ana)).status_code == 429
        assert taken == []
        await world.client.get("/v1/incidents", headers=ana.headers)
        assert taken != []
    finally:
        event.remove(pool, "checkout", note)


async def test_a_refused_write_changes_nothing(world: World) -> None:
    ana = await world.person()
    incident = await world.declare(ana)
    await use_up(world, ana, 99)
    path = f"/v1/incidents/{incident['id']}/acknowledge"
    refusal(await world.client.post(path, headers=ana.headers), 429, "RATE_LIMITED")
    shown = await world.call("GET", f"/v1/incidents/{incident['id']}", ana)
    assert shown["status"] == "open"


async def test_logins_have_a_quota_of_their_own_by_address(world: World, app: FastAPI) -> None:
    ana = await world.person()
    tries = [
        await status(world.client, "POST", "/v1/auth/refresh", json={"refresh_token": "x"})
        for _ in range(61)
    ]
    assert tries == [401] * 60 + [429]
    credentials = {"username": ana.email, "password": "password"}
    answer = await world.client.post("/v1/auth/login/access-token", json=credentials)
    assert refusal(answer, 429, "RATE_LIMITED")["category"] == "logins"
    async with at(app, "192.0.2.9") as elsewhere:
        answer = await elsewhere.post("/v1/auth/login/access-token", json=credentials)
    assert answer.status_code == 200
    assert answer.headers["ratelimit"] == '"logins";r=59;t=60'
    # Who is logged in is no stranger there.
    refresh = await world.client.post("/v1/auth/login/test-token", headers=ana.headers)
    assert refresh.headers["ratelimit-policy"] == '"writes";q=100;w=60'


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/static/none.css"])
async def test_who_watches_us_is_not_limited(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert "ratelimit" not in answer.headers


async def test_a_category_that_is_set_to_nothing_is_off(
    database: Database, data_dir: Path, clock: Clock
) -> None:
    app = replica(database, data_dir, rate_limit_writes="0", rate_limit_reads="2/hour")
    async with at(app) as client:
        world = World(database, app.state.service, client, clock)
        ana = await world.person()
        await use_up(world, ana, 150)
        assert "ratelimit" not in (await write(world, ana)).headers
        read = [await client.get("/v1/incidents", headers=ana.headers) for _ in range(3)]
        assert [one.status_code for one in read] == [200, 200, 429]
        assert read[0].headers["ratelimit-policy"] == '"reads";q=2;w=3600'


async def test_the_document_says_where_one_can_be_told_to_wait(app: FastAPI) -> None:
    document = app.openapi()
    for path, operations in document["paths"].items():
        if path in DOORS or path.startswith(("/health", "/ready", "/metrics", PINGS_AT)):
            continue
        for operation in operations.values():
            told = operation["responses"]["429"]
            assert told["content"]["application/json"]["schema"] == {
                "$ref": "#/components/schemas/ErrorRead"
            }
            assert {"Retry-After", "RateLimit", "RateLimit-Policy"} == told["headers"].keys()


async def test_who_may_not_write_at_all_is_limited_too(world: World) -> None:
    viewer = await world.person("vera@example.org", Role.VIEWER)
    answers = [(await write(world, viewer)).status_code for _ in range(101)]
    assert set(answers[:100]) <= {403, 422}
    assert answers[100] == 429


async def test_limits_do_not_stand_in_the_way_when_the_service_starts(
    database_url: str, tmp_path: Path
) -> None:
    """What starts the loops is no request: it has no path, and nobody asks it."""
    setup = Setup(
        settings=load_settings(password_rounds=4),
        database_url=database_url,
        data_dir=tmp_path,
        secret_key="a secret key that is long enough for the tests",
        public_url="https://tocsin.test",
    )
    app = create_app(setup, with_worker=False)
    told: list[str] = []
    asked: asyncio.Queue[Any] = asyncio.Queue()
    asked.put_nowait({"type": "lifespan.startup"})

    async def send(message: Any) -> None:
        told.append(message["type"])
        asked.put_nowait({"type": "lifespan.shutdown"})

    await app({"type": "lifespan", "state": {}}, asked.get, send)
    assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
