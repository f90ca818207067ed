"""Who may do what: every route, every role, and no route forgotten."""

import re
from typing import Any

import pytest

from app.domain.user import Role
from tests.api.answers import send
from tests.api.rotas import schedule, weekly
from tests.permissions import BODIES, CALLERS, QUERIES, TABLE, UNDOCUMENTED
from tests.world import World


def test_no_route_is_missing_from_the_table(document: dict[str, Any]) -> None:
    routes = {
        f"{method.upper():6} {path}"
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert routes - set(TABLE) == set(), "say in TABLE who may do this"
    assert set(TABLE) - routes == set(), "these routes are gone"


@pytest.mark.parametrize("caller", CALLERS)
async def test_each_may_do_what_the_table_says(world: World, caller: str) -> None:
    admin = await world.admin()
    policy = await world.policy(admin, [(0, "admins")])
    number = (await world.declare(admin))["id"]
    body = {"name": "tool", "kind": "alerts"}
    made = await world.call("POST", "/v1/integrations", admin, expect=201, json=body)
    team = await world.call("POST", "/v1/teams", admin, expect=201, json={"name": "Databases"})
    body = {"name": "database", "team_id": team["id"]}
    catalogued = await world.call("POST", "/v1/services", admin, expect=201, json=body)
    person = None if caller == "anonymous" else await world.person("who@example.org", Role(caller))
    somebody = await world.person("somebody@example.org")
    keys = {
        "user_id": somebody.id,
        "session_id": somebody.session_id,
        "incident_id": number,
        "alert_id": 999_999,
        "policy_id": policy["id"],
        "integration_id": made["id"],
        "heartbeat_id": 999_999,
        "signal": "fail",
        "subscription_id": 999_999,
        "delivery_id": 999_999,
        "key_id": made["keys"][0]["id"],
        "api_key_id": 999_999,
        "contact_method_id": (await world.sql("SELECT max(id) FROM contact_methods"))[0][0],
        "kind": "page",
        "escalation_id": (await world.sql("SELECT max(id) FROM escalations"))[0][0],
        "event_id": 999_999,
        "drill_id": 999_999,
        "request_id": 999_999,
        "notification_id": 999_999,
        "team_id": team["id"],
        "service_id": catalogued["id"],
        "window_id": 999_999,
        "schedule_id": (await schedule(world, admin, weekly(admin.id)))["id"],
        "calendar_id": 999_999,
        "feed_id": 999_999,
        "override_id": 999_999,
        "temporary_id": 999_999,
        "key": "region",
        "token": "guess",
        "channel": "email",
        "component_id": 999_999,
        "group_id": 999_999,
        "maintenance_id": 999_999,
        "update_id": 999_999,
        "code": "unknown",
        "template_id": 4711,
        "postmortem_id": 4711,
        "item_id": 4711,
        "subscriber_id": 999_999,
        "import_id": 999_999,
    }

    wrong = []
    for route, expected in TABLE.items():
        method, path = route.split()
        kw = {"json": BODIES[f"{method} {path}"]} if f"{method} {path}" in BODIES else {}
        who = await world.login(person.id) if person else None  # the route before may end logins
        asked = path.format(**keys) + QUERIES.get(f"{method} {path}", "")
        answer = await send(world, method, asked, who, **kw)
        met = str(answer.status_code) if answer.status_code in (401, 403) else "ok"
        if met != expected.split()[CALLERS.index(caller)]:
            wrong.append(f"{route} answered {answer.status_code} to {caller}")
        assert answer.status_code < 500, route
    assert wrong == []


async def test_whoever_may_not_learns_nothing_of_what_is_there(world: World) -> None:
    viewer = await world.person(role=Role.VIEWER)
    for route, expected in TABLE.items():
        method, path = route.split()
        if expected.split()[1] != "403":
            continue
        kw = {"json": {"nonsense": 1}} if f"{method} {path}" in BODIES else {}
        there = re.sub(r"\{\w+\}", "999999", path)
        assert (await send(world, method, there, viewer, **kw)).status_code == 403, route
        assert (await send(world, method, there, None, **kw)).status_code == 401, route


async def test_pages_and_their_files_are_open_to_everybody(world: World) -> None:
    for path in UNDOCUMENTED:
        assert (await send(world, "GET", path)).status_code in (200, 404)


async def test_a_refused_call_changes_nothing(world: World) -> None:
    admin = await world.admin()
    viewer = await world.person("v@example.org", Role.VIEWER)
    before = await world.declare(admin)
    for action in ("acknowledge", "resolve", "reopen"):
        answer = await send(world, "POST", f"/v1/incidents/{before['id']}/{action}", viewer)
        assert answer.status_code == 403
    assert await world.call("GET", f"/v1/incidents/{before['id']}", viewer) == before
