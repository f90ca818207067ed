"""One problem that is told a thousand times at once is one incident, with the right count."""

import asyncio
from collections import Counter
from pathlib import Path

import httpx
import pytest

from app.core.config import Settings
from app.db.session import Database
from app.main import Setup, create_app
from tests.world import Scripted, World

REQUESTS = 1_000


@pytest.mark.stress
async def test_a_thousand_requests_with_one_key_at_two_replicas_make_one_incident(
    world: World, settings: Settings, data_dir: Path, database_url: str
) -> None:
    admin = await world.admin()
    ana = await world.person()
    await world.policy(admin, [(0, {"user": ana.id})], final_delay_minutes=600)
    key = await world.integration_key(admin)
    setup = Setup(settings, database_url, data_dir, "another secret", "https://tocsin.test")
    replica = Database(database_url, pool_size=10)
    transport = httpx.ASGITransport(create_app(setup, with_worker=False, database=replica))
    outcomes: Counter[str] = Counter()
    incidents: set[int] = set()

    async def send(client: httpx.AsyncClient, n: int) -> None:
        body = {"title": f"Disk full ({n})", "dedup_key": "disk", "service": "database"}
        answer = await client.post("/v1/webhooks/alerts", headers={"X-API-Key": key}, json=body)
        assert answer.status_code == 200, answer.text
        [alert] = answer.json()["alerts"]
        outcomes[alert["outcome"]] += 1
        incidents.add(alert["incident_id"])

    async with httpx.AsyncClient(transport=transport, base_url="https://tocsin.test") as other:
        both = (world.client, other)
        for n, client in enumerate(both):  # the key is known from here on
            await send(client, n)
        await asyncio.gather(*(send(both[n % 2], n) for n in range(2, REQUESTS)))
    await replica.close()

    assert outcomes == {"opened": 1, "joined": REQUESTS - 1}
    [number] = incidents
    shown = await world.call("GET", f"/v1/incidents/{number}", admin)
    assert shown["alert_count"] == REQUESTS
    [[alerts, ids]] = await world.sql("SELECT count(*), count(DISTINCT id) FROM alerts")
    assert alerts == ids == REQUESTS
    mail = Scripted()
    await world.pass_time(mail)
    assert mail.recipients == ["ana@example.org"]
    assert await world.timeline(admin, number) == [
        "opened",
        "escalation_started",
        "escalation_step",
    ]
