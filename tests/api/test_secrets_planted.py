"""Secrets planted wherever a client can send one: none is logged, audited or sent back."""

import json
from typing import Any

import pytest

from tests.api.answers import send
from tests.api.keys import make_key
from tests.api.logs import logged
from tests.permissions import BODIES, TABLE
from tests.world import World

PLANTED = "hunter2plantedhunter2planted"


def _in_headers() -> list[dict[str, str]]:
    return [
        {"Authorization": f"Bearer {PLANTED}"},
        {"Authorization": f"Bearer toc_{PLANTED}"},
        {"Authorization": f"Basic {PLANTED}"},
        {"Authorization": PLANTED},
        {"X-API-Key": PLANTED},
        {"X-API-Key": f"toc_{PLANTED}"},
        {"Cookie": f"session={PLANTED}"},
    ]


async def _audited(world: World) -> str:
    rows = await world.sql("SELECT to_jsonb(audit_log)::text FROM audit_log")
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("headers", _in_headers(), ids=lambda headers: str(sorted(headers.items())))
async def test_no_header_that_carries_one_is_repeated(
    world: World, headers: dict[str, str]
) -> None:
    with logged() as log:
        for route in TABLE:
            method, path = route.split()
            there = path.replace("{", "").replace("}", "")
            answer = await send(world, method, there, headers=headers)
            assert PLANTED not in answer.text, route
    assert PLANTED not in log.text
    assert PLANTED not in await _audited(world)


async def test_no_secret_of_a_good_request_is_audited(world: World) -> None:
    admin = await world.admin()
    url = f"https://ana:{PLANTED}@db.example.org/x?token={PLANTED}"
    with logged() as log:
        user = {"email": "nia@example.org", "password": PLANTED}
        made = await world.call("POST", "/v1/users", admin, json=user, expect=201)
        again = {"password": PLANTED + "!"}
        await world.call("PATCH", f"/v1/users/{made['id']}", admin, json=again)
        key = await make_key(world, admin, "administer")
        tool = await world.integration_key(admin)
        hook = {"channel": "webhook", "url": f"https://hooks.example.org/{PLANTED}?x={PLANTED}"}
        await world.call("POST", "/v1/users/me/contact-methods", admin, json=hook, expect=201)
        chat = {"channel": "chat", "url": f"https://discord.com/api/webhooks/1/{PLANTED}"}
        await send(world, "POST", "/v1/users/me/contact-methods", admin, json=chat)
        words = f"Log in with Bearer {PLANTED}, at {url}, or with {key['key']} and {tool}"
        incident = await world.declare(
            admin,
            title=f"Cannot reach {url}",
            description=words,
            url=f"https://db.example.org/x?token={PLANTED}",
            labels={"dsn": f"postgres://u:{PLANTED}@h/db"},
        )
        path = f"/v1/incidents/{incident['id']}"
        await world.call("POST", f"{path}/comments", admin, json={"content": words}, expect=201)
        await world.call("PATCH", path, admin, json={"description": f"Not {url}"})
        policy = {
            "name": "P",
            "steps": [
                {
                    "delay_minutes": 0,
                    "actions": [{"type": "webhook", "url": f"https://h.example.org/?k={PLANTED}"}],
                }
            ],
        }
        await world.call("POST", "/v1/escalation/policies", admin, json=policy, expect=201)
        await world.alert(tool, title=url, description=words)
    audited = await _audited(world)
    assert audited.count('"incident.') >= 2
    for secret in (PLANTED, key["key"], tool, "$bcrypt"):
        assert secret not in audited
        assert secret not in log.text
    hashes = await world.sql(
        "SELECT key_hash FROM api_keys UNION SELECT hashed_password FROM users"
    )
    assert [row[0] for row in hashes if row[0] in audited] == []


def _planted(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The body with a secret in the place of each of its values, and under a name of its own."""
    wrong = [{**body, name: [PLANTED]} for name in body]
    wrong += [{**body, name: {"secret": PLANTED}} for name in body]
    return [*wrong, {**body, "token": PLANTED}]


async def test_no_refusal_repeats_the_secret_that_it_refuses(world: World) -> None:
    admin = await world.admin()
    with logged() as log:
        for route in TABLE:
            method, path = route.split()
            body = BODIES.get(f"{method} {path}")
            if body is None:
                continue
            there = path.replace("{user_id}", str(admin.id)).replace("{", "").replace("}", "")
            for wrong in _planted(body):
                answer = await send(world, method, there, admin, json=wrong)
                assert answer.is_success or PLANTED not in answer.text, f"{route} {wrong}"
            broken = json.dumps({**body, "password": PLANTED})[:-1]
            answer = await send(world, method, there, admin, content=broken)
            assert PLANTED not in answer.text, route
    assert PLANTED not in log.text
    assert PLANTED not in await _audited(world)


async def test_no_query_that_carries_one_is_logged(world: World) -> None:
    admin = await world.admin()
    with logged() as log:
        for path in ("/v1/incidents", "/v1/audit-log", "/v1/api-keys", "/v1/audit-log.csv"):
            for name in ("token", "cursor", "user_id", "sort_by"):
                await send(world, "GET", path, admin, params={name: PLANTED})
                await send(world, "GET", path, params={name: PLANTED})
    assert len(log.of("request")) == 32
    assert PLANTED not in log.text
