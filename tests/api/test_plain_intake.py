"""The short way in: two statements, the same rows as by the longer one, and nothing lost to whoever
comes between the two."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.crud import crud_plain_intake
from app.services import integration as integration_service
from app.services import plain_intake
from tests.world import Person, World

DOOR = "/v1/webhooks/alerts"
ITS_OWN = {"id", "uid", "incident_id", "escalation_id", "position", "request_id"}
TIMES = {"created_at", "updated_at", "received_at", "last_alert_at", "since", "started_at"}
TABLES = {
    "incidents": "id",
    "incident_tallies": "incident_id",
    "silence_watches": "incident_id",
    "timeline_events": "id",
    "escalations": "id",
    "events": "id",
    "alerts": "id",
}
LATER = {"next_step_at", "held_until", "due_at"}  # than the row itself
FULL = {
    "title": "Disk almost full",
    "description": "97 percent",
    "severity": "high",
    "service": "db",
    "source": "bench",
    "url": "https://example.org/runbook",
    "tags": ["disk", "storage"],
    "labels": {"host": "db-7", "words": "“quoted” \\ and more"},
    "dedup_key": "disk",
}


async def post(world: World, key: str, body: Any, *, expect: int = 200) -> dict[str, Any]:
    content = body if isinstance(body, str) else json.dumps(body)
    answer = await world.call(
        "POST", DOOR, expect=expect, headers={"X-API-Key": key}, content=content
    )
    receipt: dict[str, Any] = answer["alerts"][0]
    return receipt


async def kept(world: World) -> dict[str, list[Any]]:
    """What the tables hold, without what is different each time."""
    found = {}
    for table, order in TABLES.items():
        rows = await world.sql(f"SELECT to_jsonb(t) FROM {table} t ORDER BY {order}")
        found[table] = [_told(row[0]) for row in rows]
    return found


def _told(row: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, value in row.items():
        if name in TIMES | ITS_OWN:
            told[name] = value is not None
        elif name in LATER:
            told[name] = value is not None and value > row.get("created_at", row.get("since"))
        elif isinstance(value, dict):
            told[name] = _told(value)
        else:
            told[name] = value
    return told


async def a_day_of_alerts(world: World, key: str) -> list[dict[str, Any]]:
    bodies: list[Any] = [
        FULL,
        FULL,
        {"title": "Little is said"},
        "this is no JSON",
        {**FULL, "dedup_key": "fire", "severity": "critical"},
        {**FULL, "dedup_key": "whisper", "severity": "low"},
        {**FULL, "dedup_key": "quiet", "service": "ledger", "severity": "medium"},
        *({"title": f"{n} of many", "service": "storm", "severity": "high"} for n in range(33)),
        {"title": "first of all", "service": "storm", "severity": "critical"},
    ]
    return [await post(world, key, body) for body in bodies]


async def ready(world: World) -> tuple[Person, str]:
    admin = await world.admin()
    await world.policy(admin, [(5, "admins")], conditions={"severity": ["high", "critical"]})
    await world.policy(admin, [(0, "admins")], name="Fires", conditions={"severity": ["critical"]})
    pin = await world.policy(admin, [(0, "admins")], name="Pin", conditions={"service": ["no"]})
    service = {"name": "ledger", "policy_id": pin["id"], "auto_resolve_after_minutes": 30}
    await world.call("POST", "/v1/services", admin, expect=201, json=service)
    await world.sql('UPDATE services SET urgency = urgency || \'{"medium": "low"}\'')
    return admin, await world.integration_key(admin, service="by default")


async def test_the_same_comes_of_an_alert_on_either_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, key = await ready(world)
    receipts = await a_day_of_alerts(world, key)
    by_the_short = await kept(world)
    await world.sql("TRUNCATE incidents, events CASCADE")

    monkeypatch.setattr(plain_intake, "is_plain", lambda parcel: False)
    others = await a_day_of_alerts(world, key)
    by_the_long = await kept(world)
    for table in TABLES:
        assert by_the_short[table] == by_the_long[table], table
        assert by_the_short[table], table
    assert [one["outcome"] for one in receipts] == [one["outcome"] for one in others]
    assert "held_back" in {entry["event_type"] for entry in by_the_short["timeline_events"]}


PLAIN: list[Any] = [FULL, {"title": "x", "service": "db"}, "no JSON"]
LONGER: list[Any] = [
    [FULL, {**FULL, "dedup_key": "two at once"}],
    {**FULL, "status": "resolved"},
]


@pytest.mark.parametrize("body", PLAIN + LONGER)
async def test_only_what_one_alert_opens_or_joins_goes_the_short_way(
    world: World, monkeypatch: pytest.MonkeyPatch, body: Any
) -> None:
    key = await world.integration_key(await world.admin())
    went = noted(monkeypatch)
    for _ in range(2):
        await post(world, key, body)
    assert went == ([] if body in PLAIN else ["the longer way"] * 2)


async def test_a_service_under_maintenance_sends_alerts_the_longer_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    await world.sql(
        "INSERT INTO maintenance_windows (title, starts_at, ends_at, is_for_everything)"
        " VALUES ('works', now() - interval '1 hour', now() + interval '1 hour', true)"
    )
    went = noted(monkeypatch)
    receipt = await post(world, key, FULL)
    assert went == ["the longer way"]
    assert "maintenance" in receipt["reason"]
    assert await world.sql("SELECT 1 FROM escalations WHERE waits_for = 'maintenance'")


def noted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    went: list[str] = []
    receive = integration_service.receive

    async def noting(*args: Any, **kw: Any) -> Any:
        went.append("the longer way")
        return await receive(*args, **kw)

    monkeypatch.setattr(integration_service, "receive", noting)
    return went


def between(monkeypatch: pytest.MonkeyPatch, what: Callable[[], Awaitable[Any]]) -> None:
    """Have something happen once after a batch has looked and before it writes."""
    write = crud_plain_intake.write

    async def late(*args: Any, **kw: Any) -> Any:
        monkeypatch.setattr(crud_plain_intake, "write", write)
        await what()
        return await write(*args, **kw)

    monkeypatch.setattr(crud_plain_intake, "write", late)


async def test_an_alert_whose_incident_ends_meanwhile_opens_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    first = await post(world, key, FULL)
    between(monkeypatch, lambda: world.act(admin, first["incident_id"], "resolve"))
    second = await post(world, key, FULL)
    assert second["outcome"] == "opened"
    assert second["incident_id"] != first["incident_id"]
    counts = "SELECT alert_count FROM incident_tallies ORDER BY incident_id"
    assert [row[0] for row in await world.sql(counts)] == [1, 1]
    assert len(await world.sql("SELECT 1 FROM alerts")) == 2


async def test_of_two_who_open_the_same_one_joins(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await world.integration_key(await world.admin())
    between(monkeypatch, lambda: post(world, key, FULL))
    second = await post(world, key, FULL)
    assert second["outcome"] == "joined"
    assert [row[0] for row in await world.sql("SELECT alert_count FROM incident_tallies")] == [2]
    assert len(await world.sql("SELECT 1 FROM alerts")) == 2
    assert len(await world.sql("SELECT 1 FROM escalations")) == 1


async def test_a_policy_that_goes_meanwhile_leaves_nobody_without_a_page(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await world.admin()
    policy = await world.policy(admin, [(0, "admins")])
    key = await world.integration_key(admin)
    path = f"/v1/escalation/policies/{policy['id']}"
    between(monkeypatch, lambda: world.call("DELETE", path, admin, expect=204))
    receipt = await post(world, key, FULL)
    assert receipt["outcome"] == "opened"
    rows = await world.sql("SELECT is_fallback FROM escalations")
    assert [row[0] for row in rows] == [True]
    assert len(await world.sql("SELECT 1 FROM alerts")) == 1


async def test_whatever_is_lost_on_the_way_is_not_written_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows whether a statement was carried out whose connection is gone."""
    key = await world.integration_key(await world.admin())
    await post(world, key, {"title": "known by now"})
    went = noted(monkeypatch)
    hang_up = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle'"
        " AND datname = current_database() AND pid <> pg_backend_pid()"
    )
    between(monkeypatch, lambda: world.sql(hang_up))
    response = await world.client.post(DOOR, headers={"X-API-Key": key}, json=FULL)
    assert response.status_code == 503
    assert went == []
    assert (await post(world, key, FULL))["outcome"] == "opened"
