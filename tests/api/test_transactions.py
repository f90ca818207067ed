"""One request, one transaction: committed before the answer, read-only where it only reads."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.crud import crud_incident, crud_user
from app.db.session import Database
from app.domain.incident import TimelineType
from tests.api import told_public
from tests.api.answers import refusal, send
from tests.api.rotas import schedule, weekly
from tests.permissions import BODIES
from tests.world import Person, World

FULL_DISK = (
    "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'disk full'; END $$",
    "CREATE CONSTRAINT TRIGGER full_disk AFTER INSERT ON alerts DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION full_disk()",
)
ROOM_AGAIN = (
    "DROP TRIGGER IF EXISTS full_disk ON alerts",
    "DROP FUNCTION IF EXISTS full_disk()",
)


@pytest.fixture
async def small_pool(app: FastAPI, database_url: str) -> AsyncIterator[Database]:
    """The service with two connections to its database."""
    small = Database(database_url, pool_size=2)
    app.state.service = replace(app.state.service, database=small)
    yield small
    await small.close()


def writes(admin: Person, number: int) -> list[tuple[str, str, dict[str, Any]]]:
    steps = [{"delay_minutes": 0, "actions": [{"type": "comment", "text": "x"}]}]
    return [
        ("POST", f"/v1/incidents/{number}/acknowledge", {}),
        ("PATCH", f"/v1/incidents/{number}", {"json": {"title": "New"}}),
        ("POST", f"/v1/incidents/{number}/comments", {"json": {"content": "Hm."}}),
        ("POST", "/v1/incidents", {"json": {"title": "a", "severity": "low", "service": "b"}}),
        ("POST", "/v1/users", {"json": {"email": "b@example.org", "password": "passphrase"}}),
        ("PATCH", f"/v1/users/{admin.id}", {"json": {"full_name": "Ada"}}),
        ("POST", "/v1/escalation/policies", {"json": {"name": "x", "steps": steps}}),
        ("POST", "/v1/integrations", {"json": {"name": "x", "kind": "alerts"}}),
    ]


async def test_a_failed_commit_is_never_reported_as_success(world: World) -> None:
    admin = await world.admin()
    number = (await world.declare(admin))["id"]
    key = await world.integration_key(admin)
    told = await world.timeline(admin, number)

    def refuse(session: Session) -> None:
        raise RuntimeError("disk full")

    # What an alert becomes is committed by the server alone, without a word from here.
    for statement in FULL_DISK:
        await world.sql(statement)
    event.listen(Session, "before_commit", refuse)
    try:
        answers = [
            await send(world, method, path, admin, **kw)
            for method, path, kw in writes(admin, number)
        ]
        alert = {"title": "Disk full"}
        headers = {"X-API-Key": key}
        answers.append(
            await send(world, "POST", "/v1/webhooks/alerts", json=alert, headers=headers)
        )
    finally:
        event.remove(Session, "before_commit", refuse)
        for statement in ROOM_AGAIN:
            await world.sql(statement)

    for answer in answers:
        refusal(answer, 500, "INTERNAL_ERROR")
    assert await world.timeline(admin, number) == told
    assert await world.sql("SELECT 1 FROM alerts") == []


async def test_writing_through_a_read_session_fails_at_the_server(world: World) -> None:
    ana = await world.person()
    number = (await world.declare(ana))["id"]
    entry = crud_incident.entry(
        number, TimelineType.COMMENTED, "?", now=await world.clock.now(), user_id=ana.id
    )
    with pytest.raises(DBAPIError) as caught:
        async with world.database.reading() as session:
            await crud_incident.tell(session, [entry])  # type: ignore[arg-type]
    assert "read-only transaction" in str(caught.value)


async def test_no_reading_route_opens_a_writing_transaction(
    world: World, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await world.admin()
    made = await world.policy(admin, [(0, "admins")])
    incident = await world.declare(admin)
    number = incident["id"]
    alert = await world.alert(await world.integration_key(admin))
    drill = await world.call("POST", "/v1/fire-drills", admin, expect=201, json={})
    (integration,) = await world.sql("SELECT id FROM integrations")
    hook = {"name": "chat", "url": "https://hooks.example.org/1"}
    subscription = await world.call(
        "POST", "/v1/webhook-subscriptions", admin, expect=201, json=hook
    )
    field = {"key": "cause", "label": "Root cause", "type": "text"}
    await world.call("POST", "/v1/custom-fields", admin, expect=201, json=field)
    team = await world.call("POST", "/v1/teams", admin, expect=201, json={"name": "Databases"})
    body = {"name": "database", "team_id": team["id"]}
    rota = await schedule(world, admin, weekly(admin.id))
    body |= {"schedule_id": rota["id"]}
    catalogued = await world.call("POST", "/v1/services", admin, expect=201, json=body)
    await world.climb()
    keys = {
        "user_id": admin.id,
        "event_id": (await world.sql("SELECT id FROM escalation_events"))[0][0],
        "notification_id": (await world.sql("SELECT id FROM notifications"))[0][0],
        "key": "cause",
        "kind": "page",
        "channel": "email",
        "incident_id": number,
        "policy_id": made["id"],
        "integration_id": integration.id,
        "alert_id": alert["id"],
        "drill_id": drill["id"],
        "subscription_id": subscription["id"],
        "team_id": team["id"],
        "service_id": catalogued["id"],
        "schedule_id": rota["id"],
    }
    for name, path in {
        "heartbeat_id": "/v1/heartbeats",
        "calendar_id": "/v1/calendars",
        "window_id": "/v1/maintenance-windows",
    }.items():
        body = BODIES[f"POST {path}"]
        if path == "/v1/maintenance-windows":
            soon = await world.clock.now() + timedelta(hours=1)
            body = body | {"service_ids": [catalogued["id"]], "ends_at": soon.isoformat()}
        keys[name] = (await world.call("POST", path, admin, expect=201, json=body))["id"]

    keys |= await told_public.everything(world, admin, incident)

    def refuse(_: Database) -> None:
        raise AssertionError("a GET opened a writing transaction")

    monkeypatch.setattr(Database, "writing", refuse)
    # A ping writes, and whoever has no shift request or feed is told so.
    other = {"/v1/ping/{token}", "/v1/ping/{token}/{signal}", "/v1/calendar/{token}.ics"}
    other |= {"/v1/shift-requests/{request_id}"}
    rota_path = "/v1/schedules/{schedule_id}"
    other |= {rota_path + "/overrides/{override_id}"}
    other |= {rota_path + "/temporary-schedules/{temporary_id}"}
    other |= {"/v1/public/subscribers/{token}", "/v1/public/maintenances/{code}"}
    read = {path for path, operations in document["paths"].items() if "get" in operations} - other
    assert len(read) > 60
    for path in sorted(read):
        answer = await send(world, "GET", path.format(**keys), admin)
        assert answer.status_code == 200, path


async def test_requests_wait_for_a_connection_and_never_for_one_another(
    world: World, small_pool: Database
) -> None:
    admin = await world.admin()
    number = (await world.declare(admin))["id"]
    key = await world.integration_key(admin)
    calls = [
        *writes(admin, number),
        *[("GET", "/v1/incidents", {})] * 8,
        *[("GET", f"/v1/incidents/{number}/timeline", {})] * 4,
        *[("GET", "/v1/users", {})] * 4,
        *[("POST", f"/v1/incidents/{number}/acknowledge", {})] * 8,
        *[("POST", "/v1/webhooks/alerts", {"json": {"title": "x"}})] * 4,
    ]
    begun = time.monotonic()

    async def call(method: str, path: str, kw: dict[str, Any]) -> httpx.Response:
        headers = {"X-API-Key": key} if "webhooks" in path else {}
        return await send(world, method, path, admin, headers=headers, **kw)

    answers = await asyncio.gather(*(call(*each) for each in calls))

    assert [answer.status_code for answer in answers if not answer.is_success] == []
    assert time.monotonic() - begun < 8  # who waits in a circle waits for ten seconds


async def test_a_refusal_leaves_nothing_behind(world: World) -> None:
    admin = await world.admin()
    body = {"title": "x", "severity": "high", "service": "y", "assignees": [admin.id, 999_999]}
    answer = await send(world, "POST", "/v1/incidents", admin, json=body)
    assert answer.status_code == 404
    for table in ("incidents", "incident_assignments", "timeline_events", "escalations"):
        assert await world.sql(f"SELECT 1 FROM {table}") == []


async def test_no_connection_is_lost_to_failing_requests(
    world: World, small_pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await world.admin()

    async def broken(*_: object) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as patched:
        patched.setattr(crud_user, "list_page", broken)
        patched.setattr(crud_incident, "lock", broken)
        for _ in range(5):
            assert (await send(world, "GET", "/v1/users", admin)).status_code == 500
            path = "/v1/incidents/1/acknowledge"
            assert (await send(world, "POST", path, admin)).status_code == 500
            assert (await send(world, "GET", "/v1/users/999999", admin)).status_code == 404
    async with asyncio.timeout(5):
        assert (await send(world, "GET", "/v1/users", admin)).status_code == 200
    assert small_pool.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
