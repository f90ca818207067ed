"""What a program may do that brought a key: every route, every scope."""

import re
from typing import Any

import pytest

from app.api.callers import ASKING, READING
from tests.api.answers import send
from tests.api.keys import program
from tests.permissions import BODIES, TABLE
from tests.world import World

# For people alone: what would let a stolen key outlive itself.
IN_PERSON = {
    "PUT /v1/users/me/password",
    "POST /v1/api-keys",
    "DELETE /v1/api-keys/{api_key_id}",
    "POST /v1/auth/logout",
    "GET /v1/auth/sessions",
    "DELETE /v1/auth/sessions/{session_id}",
    # Whoever knows a feed's address needs no key at all.
    "POST /v1/users/me/calendar-feeds",
    "DELETE /v1/users/me/calendar-feeds/{feed_id}",
    "POST /v1/schedules/{schedule_id}/calendar-feeds",
    "DELETE /v1/schedules/{schedule_id}/calendar-feeds/{feed_id}",
}
AS_ROLE = {"read": "viewer", "respond": "responder", "administer": "admin"}
COLUMN = {"viewer": 1, "responder": 2, "admin": 3}


def _expected(route: str, row: str, scope: str) -> str:
    method, path = route.split()
    cells = row.split()
    if cells[0] != "401" or cells[3] == "401":
        return cells[0]  # nobody logs in here, or tools have keys of their own
    if f"{method} {path}" in IN_PERSON:
        return "403"
    if scope == "read" and method not in READING and path not in ASKING:
        return "403"
    return cells[COLUMN[AS_ROLE[scope]]]


@pytest.mark.parametrize("scope", list(AS_ROLE))
async def test_a_key_opens_what_its_scope_says_and_no_route_is_forgotten(
    world: World, scope: str
) -> None:
    admin = await world.admin()
    somebody = await world.person("somebody@example.org")
    wrong = []
    for route, row in TABLE.items():
        method, path = route.split()
        if method == "DELETE" and path.startswith("/v1/users"):
            continue  # it would end the key
        who = await program(world, admin, scope)
        there = re.sub(r"\{user_id\}", str(somebody.id), path)
        there = re.sub(r"\{\w+\}", "999999", there)
        kw: dict[str, Any] = {}
        if f"{method} {path}" in BODIES:
            kw["json"] = BODIES[f"{method} {path}"]
        answer = await send(world, method, there, who, **kw)
        met = str(answer.status_code) if answer.status_code in (401, 403) else "ok"
        if met != _expected(route, row, scope):
            wrong.append(f"{route} answered {answer.status_code} to a key that may {scope}")
        assert answer.status_code < 500, route
        await world.sql("UPDATE api_keys SET revoked_at = now()")
    assert wrong == []


async def test_a_refusal_says_what_is_missing(world: World) -> None:
    admin = await world.admin()
    reader = await program(world, admin, "read")
    answer = await send(world, "POST", "/v1/incidents", reader, json=BODIES["POST /v1/incidents"])
    assert (answer.status_code, answer.json()["code"]) == (403, "KEY_SCOPE_MISSING")
    assert answer.json()["details"] == {"needs": "respond"}
    worker = await program(world, admin, "respond")
    body = {"name": "x", "kind": "alerts"}
    answer = await send(world, "POST", "/v1/integrations", worker, json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "KEY_SCOPE_MISSING")
    assert answer.json()["details"] == {"needs": "administer"}


async def test_no_key_makes_keys_or_ends_logins_or_changes_passwords(world: World) -> None:
    admin = await world.admin()
    held = await program(world, admin, "administer")
    for route in sorted(IN_PERSON):
        method, path = route.split()
        kw = {"json": BODIES[route]} if route in BODIES else {}
        answer = await send(world, method, re.sub(r"\{\w+\}", "1", path), held, **kw)
        assert (answer.status_code, answer.json()["code"]) == (403, "LOGIN_NEEDED"), route
    other = await world.person("other@example.org")
    body = {"password": "another passphrase"}
    answer = await send(world, "PATCH", f"/v1/users/{other.id}", held, json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "LOGIN_NEEDED")
    await world.call("GET", "/v1/users/me", admin)  # nothing has ended


async def test_a_key_without_administer_sees_only_its_owners_letters(world: World) -> None:
    """What a service decides by the role, too, is limited by the key."""
    admin, ana = await world.admin(), await world.person()
    reader = await program(world, admin, "respond")
    methods = await send(world, "GET", f"/v1/users/{ana.id}/contact-methods", reader)
    assert methods.status_code == 403
    letters = await world.sql("SELECT count(*) FROM notifications WHERE kind NOT IN ('page')")
    body = {"channel": "email", "address": "second@example.org"}
    await world.call("POST", f"/v1/users/{ana.id}/contact-methods", ana, json=body, expect=201)
    whole = await program(world, admin, "administer")
    path = f"/v1/notifications?user_id={ana.id}"
    assert (await world.call("GET", path, whole))["total"] == letters[0][0] + 1
    assert (await world.call("GET", path, reader))["total"] == 0


async def test_every_route_of_people_offers_keys_in_its_document(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["ApiKey"] == schemes["ApiKey"] | {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
    }
    lacking = [
        f"{method} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if {"Login": []} in operation.get("security", [])
        and {"ApiKey": []} not in operation["security"]
    ]
    assert lacking == []
