"""Heartbeats: made, listed, changed, given another address, deleted; addresses shown once."""

import json
from typing import Any

import pytest

from tests.api.answers import faulty, refusal, refused, send
from tests.heartbeats import listening, monitor, pass_time, ping, seen
from tests.world import Person, World

HEARTBEATS = "/v1/heartbeats"


@pytest.fixture
async def admin(world: World) -> Person:
    await listening(world)
    return await world.admin()


async def test_a_monitor_is_made_and_its_address_shown_this_once(
    world: World, admin: Person
) -> None:
    body = {"name": "Nightly backup", "interval_seconds": 86_400, "severity": "P2"}
    made = await world.call("POST", HEARTBEATS, admin, expect=201, json=body)
    url = made.pop("ping_url")
    assert url.startswith("https://tocsin.test/v1/ping/thb_")
    assert url.removeprefix("https://tocsin.test/v1/ping/").startswith(made["hint"])
    times = {name: made[name] for name in ("id", "created_at", "updated_at")}
    assert made == {
        "name": "Nightly backup",
        "description": None,
        "service": None,
        "severity": "high",
        "interval_seconds": 86_400,
        "grace_seconds": 300,
        "is_active": True,
        "state": "new",
        "hint": made["hint"],
        "ping_count": 0,
        "last_ping_at": None,
        "last_ping_kind": None,
        "last_run_seconds": None,
        "expected_at": None,
        "misses_at": None,
        "down_since": None,
        "incident_id": None,
        "created_by": admin.id,
        "revision": 1,
        **times,
    }
    assert await seen(world, admin, made) == made
    assert (await world.call("GET", HEARTBEATS, admin))["items"] == [made]


async def test_neither_the_database_nor_the_audit_log_holds_an_address(
    world: World, admin: Person
) -> None:
    made = await monitor(world, admin)
    again = await world.call("POST", f"{HEARTBEATS}/{made['id']}/rotate-url", admin, expect=201)
    rows = await world.sql("SELECT to_jsonb(m)::text FROM heartbeat_monitors m")
    audit = json.dumps(await world.call("GET", "/v1/audit-log?per_page=100", admin))
    for url in (made["ping_url"], again["ping_url"]):
        token = url.rpartition("/")[2]
        assert token not in rows[0][0]
        assert token not in audit


async def test_a_new_address_ends_the_old_one_at_once(world: World, admin: Person) -> None:
    made = await monitor(world, admin)
    path = f"{HEARTBEATS}/{made['id']}/rotate-url"
    again = await world.call("POST", path, admin, expect=201)
    assert again["hint"] != made["hint"]
    await refused(world, "GET", made["ping"], None, 404, "HEARTBEAT_NOT_FOUND")
    await ping(world, {"ping": again["ping_url"].removeprefix("https://tocsin.test")})
    assert (await seen(world, admin, made))["state"] == "up"


async def test_asked_to_be_made_once_it_is_made_once_and_its_address_not_shown_again(
    world: World, admin: Person
) -> None:
    body = {"name": "Nightly backup", "interval_seconds": 3600}
    headers = {**admin.headers, "Idempotency-Key": "one"}
    first = await world.client.post(HEARTBEATS, headers=headers, json=body)
    again = await world.client.post(HEARTBEATS, headers=headers, json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {k: v for k, v in first.json().items() if k != "ping_url"}


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"interval_seconds": 59}, "interval_seconds"),
        ({"interval_seconds": 366 * 86_400 + 1}, "interval_seconds"),
        ({"interval_seconds": "3600"}, "interval_seconds"),
        ({"grace_seconds": 59}, "grace_seconds"),
        ({"grace_seconds": None}, "grace_seconds"),
        ({"name": " "}, "name"),
        ({"severity": "loud"}, "severity"),
        ({"description": "x" * 1001}, "description"),
        ({"service": ""}, "service"),
        ({"is_active": 1}, "is_active"),
        ({"token": "mine"}, "token"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    world: World, admin: Person, fields: dict[str, Any], path: str
) -> None:
    body = {"name": "Job", "interval_seconds": 3600, **fields}
    assert list(await faulty(world, "POST", HEARTBEATS, admin, json=body)) == [path]
    made = await monitor(world, admin)
    one = f"{HEARTBEATS}/{made['id']}"
    assert list(await faulty(world, "PATCH", one, admin, json=fields)) == [path]


async def test_two_have_no_name_in_common(world: World, admin: Person) -> None:
    first = await monitor(world, admin)
    second = await monitor(world, admin, name="Other")
    taken = "HEARTBEAT_NAME_TAKEN"
    body = {"name": first["name"], "interval_seconds": 60}
    await refused(world, "POST", HEARTBEATS, admin, 409, taken, json=body)
    one = f"{HEARTBEATS}/{second['id']}"
    await refused(world, "PATCH", one, admin, 409, taken, json={"name": first["name"]})
    await world.call("PATCH", one, admin, json={"name": "Other"})


async def test_an_edit_of_what_was_read_is_no_lost_update(world: World, admin: Person) -> None:
    made = await monitor(world, admin)
    path = f"{HEARTBEATS}/{made['id']}"
    tag = (await send(world, "GET", path, admin)).headers["etag"]
    kw: dict[str, Any] = {"headers": {"If-Match": tag}}
    edited = await send(world, "PATCH", path, admin, json={"grace_seconds": 900}, **kw)
    assert (edited.status_code, edited.json()["revision"]) == (200, 2)
    late = await send(world, "PATCH", path, admin, json={"grace_seconds": 60}, **kw)
    assert refusal(late, 412, "PRECONDITION_FAILED")["current"]["grace_seconds"] == 900
    late = await send(world, "DELETE", path, admin, **kw)
    assert late.status_code == 412


async def test_a_ping_is_no_edit(world: World, admin: Person) -> None:
    """Whoever edits is not told to look again for it, and what shows how it stands is new."""
    made = await monitor(world, admin)
    path = f"{HEARTBEATS}/{made['id']}"
    before = (await send(world, "GET", path, admin)).headers["etag"]
    await ping(world, made)
    headers = {**admin.headers, "If-None-Match": before}
    assert (await world.client.get(path, headers=headers)).status_code == 200
    kw = {"headers": {"If-Match": before}, "json": {"grace_seconds": 900}}
    assert (await send(world, "PATCH", path, admin, **kw)).status_code == 200


async def test_they_are_listed_by_state_and_service(world: World, admin: Person) -> None:
    made = {}
    for number, state in enumerate(("new", "up", "late", "down", "paused")):
        service = "jobs" if number % 2 else None
        made[state] = await monitor(world, admin, name=state, service=service)
    for state in ("down", "paused", "late"):
        await ping(world, made[state])
    await world.call(
        "PATCH", f"{HEARTBEATS}/{made['paused']['id']}", admin, json={"is_active": False}
    )
    await world.sql("UPDATE heartbeat_monitors SET interval_seconds = 60 WHERE name = 'down'")
    await ping(world, made["down"])
    await pass_time(world, minutes=61)
    await ping(world, made["up"])

    async def listed(query: str) -> list[str]:
        answer = await world.call("GET", f"{HEARTBEATS}?{query}", admin)
        assert answer["total"] == len(answer["items"])
        return [item["name"] for item in answer["items"]]

    for state in made:
        assert await listed(f"state={state}") == [state]
        assert (await seen(world, admin, made[state]))["state"] == state
    assert await listed("state=up&state=late") == ["up", "late"]
    assert await listed("service=jobs") == ["up", "down"]
    assert await listed("service=jobs&state=down&state=new") == ["down"]
    assert await listed("sort_by=name") == ["down", "late", "new", "paused", "up"]
    assert set(await faulty(world, "GET", f"{HEARTBEATS}?state=gone", admin)) == {"state[0]"}
    figures = (await world.client.get("/metrics")).text
    for state in made:
        assert f'tocsin_heartbeat_monitors{{state="{state}"}} 1.0' in figures


async def test_what_is_not_there(world: World, admin: Person) -> None:
    for method, path in (
        ("GET", "/v1/heartbeats/7"),
        ("PATCH", "/v1/heartbeats/7"),
        ("DELETE", "/v1/heartbeats/7"),
        ("POST", "/v1/heartbeats/7/rotate-url"),
        ("GET", "/v1/heartbeats/7/pings"),
        ("GET", "/v1/heartbeats/7/outages"),
    ):
        kw = {"json": {}} if method == "PATCH" else {}
        await refused(world, method, path, admin, 404, "HEARTBEAT_NOT_FOUND", **kw)
