"""Who may do what: every route, every role, and no route forgotten."""

import re
from typing import Any

import pytest

from app.domain.user import Role
from tests.api.answers import send
from tests.world import World

# In the order of the columns; "ok" is whatever is neither 401 nor 403.
CALLERS = ("anonymous", "viewer", "responder", "admin")
TABLE = {
    # Open to everybody
    "GET    /": "ok ok ok ok",
    "GET    /health": "ok ok ok ok",
    "GET    /ready": "ok ok ok ok",
    # Me, and the people that admins look after
    "GET    /v1/users/me": "401 ok ok ok",
    "PATCH  /v1/users/me": "401 ok ok ok",
    "PUT    /v1/users/me/password": "401 ok ok ok",
    "GET    /v1/users": "401 ok ok ok",
    "POST   /v1/users": "401 403 403 ok",
    "GET    /v1/users/{user_id}": "401 ok ok ok",
    "PATCH  /v1/users/{user_id}": "401 403 403 ok",
    "DELETE /v1/users/{user_id}": "401 403 403 ok",
    # Incidents
    "GET    /v1/incidents": "401 ok ok ok",
    "POST   /v1/incidents": "401 403 ok ok",
    "GET    /v1/incidents/{incident_id}": "401 ok ok ok",
    "PATCH  /v1/incidents/{incident_id}": "401 403 ok ok",
    "POST   /v1/incidents/{incident_id}/acknowledge": "401 403 ok ok",
    "POST   /v1/incidents/{incident_id}/resolve": "401 403 ok ok",
    "POST   /v1/incidents/{incident_id}/reopen": "401 403 ok ok",
    "POST   /v1/incidents/{incident_id}/snooze": "401 403 ok ok",
    "DELETE /v1/incidents/{incident_id}/snooze": "401 403 ok ok",
    "POST   /v1/incidents/{incident_id}/assignments": "401 403 ok ok",
    "DELETE /v1/incidents/{incident_id}/assignments/{user_id}": "401 403 ok ok",
    "GET    /v1/incidents/{incident_id}/comments": "401 ok ok ok",
    "POST   /v1/incidents/{incident_id}/comments": "401 403 ok ok",
    "GET    /v1/incidents/{incident_id}/timeline": "401 ok ok ok",
    "GET    /v1/incidents/{incident_id}/escalation": "401 ok ok ok",
    "GET    /v1/incidents/{incident_id}/notifications": "401 ok ok ok",
    # Escalation policies
    "GET    /v1/escalation/policies": "401 ok ok ok",
    "POST   /v1/escalation/policies": "401 403 403 ok",
    "GET    /v1/escalation/policies/{policy_id}": "401 ok ok ok",
    "PATCH  /v1/escalation/policies/{policy_id}": "401 403 403 ok",
    "DELETE /v1/escalation/policies/{policy_id}": "401 403 403 ok",
    # Integrations and their keys
    "GET    /v1/integrations": "401 ok ok ok",
    "POST   /v1/integrations": "401 403 403 ok",
    "GET    /v1/integrations/{integration_id}": "401 ok ok ok",
    "PATCH  /v1/integrations/{integration_id}": "401 403 403 ok",
    "POST   /v1/integrations/{integration_id}/keys": "401 403 403 ok",
    "DELETE /v1/integrations/{integration_id}/keys/{key_id}": "401 403 403 ok",
    # For tools: no person's token opens these
    "POST   /v1/webhooks/alerts": "401 401 401 401",
    "POST   /v1/webhooks/alertmanager": "401 401 401 401",
    "POST   /v1/webhooks/elastic": "401 401 401 401",
    # Not even wrong credentials are a matter of who asks
    "POST   /v1/auth/login/access-token": "ok ok ok ok",
    "POST   /v1/auth/refresh": "401 401 401 401",
    "POST   /v1/auth/signup": "ok ok ok ok",
    "POST   /v1/auth/signup/confirm": "ok ok ok ok",
    "POST   /v1/auth/password-recovery": "ok ok ok ok",
    "POST   /v1/auth/reset-password": "ok ok ok ok",
    # One's own logins
    "POST   /v1/auth/login/test-token": "401 ok ok ok",
    "POST   /v1/auth/logout": "401 ok ok ok",
    "GET    /v1/auth/sessions": "401 ok ok ok",
    "DELETE /v1/auth/sessions/{session_id}": "401 ok ok ok",
}
UNDOCUMENTED = ("/docs", "/openapi.json", "/static/tocsin.css", "/static/swagger.js", "/a/no-link")
# Bodies that would be taken, so that nothing but the role can stand in the way.
BODIES: dict[str, dict[str, Any]] = {
    "POST /v1/users": {"email": "new@example.org", "password": "passphrase"},
    "PATCH /v1/users/me": {"full_name": "Somebody"},
    "PUT /v1/users/me/password": {"current_password": "password", "new_password": "passphrase"},
    "POST /v1/auth/refresh": {"refresh_token": "trt_unknown"},
    "POST /v1/auth/signup": {"email": "new@example.org", "password": "passphrase"},
    "POST /v1/auth/signup/confirm": {"token": "x"},
    "POST /v1/auth/password-recovery": {"email": "ana@example.org"},
    "POST /v1/auth/reset-password": {"token": "x", "new_password": "passphrase"},
    "PATCH /v1/users/{user_id}": {"full_name": "Somebody"},
    "POST /v1/incidents": {"title": "a", "severity": "low", "service": "b"},
    "PATCH /v1/incidents/{incident_id}": {"title": "New"},
    "POST /v1/incidents/{incident_id}/snooze": {"minutes": 5},
    "POST /v1/incidents/{incident_id}/assignments": {"user_id": 1},
    "POST /v1/incidents/{incident_id}/comments": {"content": "Hm."},
    "POST /v1/escalation/policies": {
        "name": "x",
        "steps": [{"delay_minutes": 0, "actions": [{"type": "comment", "text": "x"}]}],
    },
    "PATCH /v1/escalation/policies/{policy_id}": {"description": "x"},
    "POST /v1/integrations": {"name": "x", "kind": "alerts"},
    "PATCH /v1/integrations/{integration_id}": {"service": "x"},
    "POST /v1/auth/login/access-token": {"username": "admin@example.org", "password": "password"},
}


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
    person = None if caller == "anonymous" else await world.person("who@example.org", Role(caller))
    somebody = await world.person("somebody@example.org")
    keys = {
        "user_id": somebody.id,
        "session_id": somebody.session_id,
        "incident_id": number,
        "policy_id": policy["id"],
        "integration_id": made["id"],
        "key_id": made["keys"][0]["id"],
    }

    wrong = []
    for route, expected in TABLE.items():
        method, path = route.split()
        kw = {"json": BODIES[f"{method} {path}"]} if f"{method} {path}" in BODIES else {}
        who = await world.login(person.id) if person else None  # the route before may end logins
        answer = await send(world, method, path.format(**keys), who, **kw)
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
