"""GET /v1/stream: everything that happens, as it happens, to whoever may know."""

import asyncio

import pytest

from app.api import event_stream, feed
from app.domain.user import Role
from tests.streams.listening import Stage, listening


async def test_what_happens_is_told_in_order_as_it_happens(stage: Stage) -> None:
    admin = await stage.world.admin()
    viewer = await stage.world.person("v@example.org", Role.VIEWER)
    async with listening(stage.http, headers=viewer.headers) as stream:
        await stage.joined(1)
        incident = await stage.world.declare(admin, service="db", severity="critical")
        await stage.relay()
        created = await stream.event()
        await stage.world.act(admin, incident["id"], "acknowledge")
        await stage.relay()
        changed = await stream.event()
    assert stream.response.headers["content-type"].startswith("text/event-stream")
    assert (created.event, changed.event) == ("incident.created", "incident.status_changed")
    assert created.data | {"created_at": ""} == {
        "id": created.id,
        "type": "incident.created",
        "incident_id": incident["id"],
        "service": "db",
        "severity": "critical",
        "created_at": "",
        "data": {
            "incident_id": incident["id"],
            "title": "Disk full",
            "entry": "opened",
            "description": created.data["data"]["description"],
            "user_id": admin.id,
            "is_drill": False,
        },
    }
    assert created.data["created_at"].endswith("Z")
    assert changed.data["data"]["entry"] == "acknowledged"
    assert changed.id > created.id


async def test_it_can_be_narrowed(stage: Stage) -> None:
    admin = await stage.world.admin()
    one, other = [await stage.world.declare(admin) for _ in range(2)]
    path = f"/v1/stream?types=incident.commented&types=incident.deleted&incident_id={one['id']}"
    async with listening(stage.http, path, headers=admin.headers) as stream:
        await stage.joined(1)
        for incident in (other, one):
            await stage.world.act(admin, incident["id"], "acknowledge")
            comment = {"content": "Hm."}
            await stage.world.act(admin, incident["id"], "comments", expect=201, json=comment)
        await stage.relay()
        told = await stream.event()
        assert (told.event, told.data["incident_id"]) == ("incident.commented", one["id"])


async def test_without_following_it_ends_after_what_there_is(stage: Stage) -> None:
    admin = await stage.world.admin()
    for _ in range(3):
        await stage.world.declare(admin)
    await stage.relay()
    path = "/v1/stream?follow=false&last_event_id=1"
    async with listening(stage.http, path, headers=admin.headers) as stream:
        assert [event.id for event in await stream.rest()] == [2, 3]


@pytest.mark.parametrize(
    ("query", "status"),
    [("types=nonsense", 422), ("last_event_id=-1", 422), ("incident_id=x", 422)],
)
async def test_what_makes_no_sense_is_refused(stage: Stage, query: str, status: int) -> None:
    admin = await stage.world.admin()
    answer = await stage.http.get(f"/v1/stream?{query}", headers=admin.headers)
    assert (answer.status_code, answer.json()["code"]) == (status, "VALIDATION_ERROR")


async def test_a_quiet_stream_is_heard_from_and_moves_the_bookmark(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT", 0.05)
    admin = await stage.world.admin()
    path = "/v1/stream?types=incident.deleted"
    async with listening(stage.http, path, headers=admin.headers) as stream:
        beat = await stream.block()
        assert beat is not None
        assert (beat.comment, beat.id, beat.data) == ("heartbeat", None, None)
        await stage.world.declare(admin)  # nothing that this one listens to
        await stage.relay()
        while (beat := await stream.block()) is not None and beat.id is None:
            pass
        assert beat is not None
        assert (beat.id, beat.data) == (1, None)


async def test_nobody_holds_a_connection_while_listening(stage: Stage) -> None:
    """More listen than the database has connections for us."""
    admin = await stage.world.admin()
    readers = [listening(stage.http, headers=admin.headers) for _ in range(25)]
    streams = await asyncio.gather(*(reader.__aenter__() for reader in readers))
    await stage.joined(25)
    await stage.world.declare(admin)
    await stage.relay()
    assert {(await stream.event()).event for stream in streams} == {"incident.created"}
    for reader in readers:
        await reader.__aexit__(None, None, None)
    await stage.joined(0)


async def test_there_is_a_most_of_streams(stage: Stage) -> None:
    admin = await stage.world.admin()
    stage.world.service.feed._most = 1
    async with listening(stage.http, headers=admin.headers):
        await stage.joined(1)
        answer = await stage.http.get("/v1/stream", headers=admin.headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "TOO_MANY_STREAMS")
        assert answer.headers["Retry-After"]
        # The public does not keep those out who log in, nor they the public.
        async with listening(stage.http, "/v1/public/stream"):
            pass


async def test_a_login_that_ends_ends_its_streams(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "CHECK_EVERY", 0.0)
    monkeypatch.setattr(feed, "SAFETY_TICK", 0.05)
    admin = await stage.world.admin()
    leaver = await stage.world.person("l@example.org", Role.VIEWER)
    gone = await stage.world.person("g@example.org", Role.VIEWER)
    async with (
        listening(stage.http, headers=admin.headers) as stays,
        listening(stage.http, headers=leaver.headers) as leaves,
        listening(stage.http, headers=gone.headers) as goes,
    ):
        await stage.joined(3)
        await stage.world.call("POST", "/v1/auth/logout", leaver, expect=204)
        assert await leaves.rest() == []
        body = {"is_active": False}
        await stage.world.call("PATCH", f"/v1/users/{gone.id}", admin, json=body)
        assert await goes.rest() == []
        await stage.world.declare(admin)
        await stage.relay()
        assert (await stays.event()).event == "incident.created"


async def test_without_a_login_nothing_is_told(stage: Stage) -> None:
    answer = await stage.http.get("/v1/stream")
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")


async def test_a_simulation_leaves_nothing_and_a_drill_says_what_it_is(stage: Stage) -> None:
    admin = await stage.world.admin()
    await stage.world.policy(admin, [(0, "admins")])
    body = {"incident": {"severity": "low", "service": "db"}}
    await stage.world.call("POST", "/v1/escalation/simulate", admin, json=body)
    await stage.relay()
    drill = {"message": "Only a drill."}
    await stage.world.call("POST", "/v1/fire-drills", admin, expect=201, json=drill)
    await stage.relay()
    path = "/v1/stream?follow=false&last_event_id=0"
    async with listening(stage.http, path, headers=admin.headers) as stream:
        told = await stream.rest()
    assert told
    assert all(event.data["data"]["is_drill"] for event in told)


async def test_its_head_ends_and_the_line_goes_on(stage: Stage) -> None:
    admin = await stage.world.admin()
    for _ in range(2):
        head = await stage.http.head("/v1/stream", headers=admin.headers)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"].startswith("text/event-stream")
    await stage.joined(0)
