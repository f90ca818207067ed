"""What a tool is told whose integration brings more than its quota, if it has one."""

from pathlib import Path

import pytest

from app.db.session import Database
from tests.api.answers import refusal
from tests.api.limited import Hand, at, replica
from tests.conftest import Clock
from tests.world import World

ALERT = {"title": "Disk full", "dedup_key": "disk"}


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("alerts", 429, "RATE_LIMITED"),
        ("elastic", 429, "RATE_LIMITED"),
        ("alertmanager", 503, "OVERLOADED"),
    ],
)
async def test_each_sender_is_refused_in_the_way_that_makes_it_try_again(
    database: Database, data_dir: Path, clock: Clock, kind: str, status: int, code: str
) -> None:
    hand = Hand()
    app = replica(database, data_dir, hand, rate_limit_ingest="3/second")
    async with at(app) as client:
        world = World(database, app.state.service, client, clock)
        admin = await world.admin()
        first = {"X-API-Key": await world.integration_key(admin, kind)}
        second = {"X-API-Key": await world.integration_key(admin, kind, name="another")}
        path = f"/v1/webhooks/{kind}"
        stood = [await client.post(path, headers=first, json=ALERT) for _ in range(3)]
        assert [one.status_code for one in stood] == [200, 200, 200]
        assert stood[0].headers["ratelimit-policy"] == '"ingest";q=3;w=1'
        assert stood[0].headers["ratelimit"] == '"ingest";r=2;t=1'
        answer = await client.post(path, headers=first, json=ALERT)
        details = refusal(answer, status, code)
        assert details["category"] == "ingest"
        assert answer.headers["retry-after"] == str(details["retry_after"]) == "2"
        assert (await client.post(path, headers=second, json=ALERT)).status_code == 200
        hand.forward(2)
        assert (await client.post(path, headers=first, json=ALERT)).status_code == 200


async def test_by_default_no_alert_is_limited_whatever_else_is(
    database: Database, data_dir: Path, clock: Clock
) -> None:
    app = replica(database, data_dir, Hand(), rate_limit_writes="1/hour")
    async with at(app) as client:
        world = World(database, app.state.service, client, clock)
        key = {"X-API-Key": await world.integration_key(await world.admin())}
        for _ in range(3):
            answer = await client.post("/v1/webhooks/alerts", headers=key, json=ALERT)
            assert answer.status_code == 200
            assert "ratelimit" not in answer.headers
