"""API keys: how one comes to be, what ends it, and that nobody sees its secret twice."""

import asyncio
from datetime import timedelta

import pytest

from app.core.security import hash_key
from app.crud import crud_user
from app.domain.api_key import MOST_KEYS, is_ours
from app.domain.user import Role
from tests.api.answers import send
from tests.api.keys import make_key, program
from tests.world import Person, World

KEYS = "/v1/api-keys"


def holding(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def test_a_key_acts_as_its_owner_by_either_header(world: World) -> None:
    ana = await world.person()
    made = await make_key(world, ana, "respond")
    assert is_ours(made["key"])
    assert made["scopes"] == ["read", "respond"]
    assert made["hint"] == made["key"][:8]
    for headers in (holding(made["key"]), {"X-API-Key": made["key"]}):
        assert (await world.call("GET", "/v1/users/me", headers=headers))["id"] == ana.id
    body = {"title": "Disk full", "severity": "low", "service": "db"}
    declared = await world.call(
        "POST", "/v1/incidents", headers=holding(made["key"]), json=body, expect=201
    )
    told = (await world.call("GET", f"/v1/incidents/{declared['id']}/timeline", ana))["items"]
    assert told[0]["user_id"] == ana.id


async def test_the_secret_is_shown_once_and_kept_as_a_hash(world: World) -> None:
    ana = await world.person()
    made = await make_key(world, ana)
    listed = await world.call("GET", KEYS, ana)
    assert [item["id"] for item in listed["items"]] == [made["id"]]
    assert "key" not in listed["items"][0]
    rows = await world.sql("SELECT key_hash, to_jsonb(api_keys)::text FROM api_keys")
    assert rows[0][0] == hash_key(made["key"])
    assert made["key"] not in rows[0][1]


async def test_a_revoked_key_opens_nothing(world: World) -> None:
    ana = await world.person()
    made = await make_key(world, ana)
    for _ in range(2):  # a second time changes nothing
        await world.call("DELETE", f"{KEYS}/{made['id']}", ana, expect=204)
    answer = await send(world, "GET", "/v1/users/me", headers=holding(made["key"]))
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")
    assert made["key"] not in answer.text


async def test_a_key_ends_when_it_says(world: World) -> None:
    ana = await world.person()
    soon = (await world.clock.now() + timedelta(hours=1)).isoformat()
    made = await make_key(world, ana, expires_at=soon)
    await world.call("GET", "/v1/users/me", headers=holding(made["key"]))
    world.clock.forward(hours=1)
    await world.call("GET", "/v1/users/me", headers=holding(made["key"]), expect=401)


@pytest.mark.parametrize("how", ["deactivated", "deleted"])
async def test_the_keys_of_a_closed_account_open_nothing(world: World, how: str) -> None:
    admin, ana = await world.admin(), await world.person()
    made = await make_key(world, ana, "respond")
    if how == "deleted":
        await world.call("DELETE", f"/v1/users/{ana.id}", admin, expect=204)
    else:
        await world.call("PATCH", f"/v1/users/{ana.id}", admin, json={"is_active": False})
    await world.call("GET", "/v1/users/me", headers=holding(made["key"]), expect=401)


async def test_a_key_may_no_more_than_its_owner_may_now(world: World) -> None:
    admin, boss = await world.admin(), await world.admin("boss@example.org")
    held = await program(world, boss, "administer")
    one, other = ({"name": name, "kind": "alerts"} for name in "ab")
    await world.call("POST", "/v1/integrations", held, json=one, expect=201)
    await world.call("PATCH", f"/v1/users/{boss.id}", admin, json={"role": "viewer"})
    answer = await send(world, "POST", "/v1/integrations", held, json=other)
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
    await world.call("GET", "/v1/incidents", held)


async def test_no_scope_goes_beyond_the_role(world: World) -> None:
    viewer = await world.person(role=Role.VIEWER)
    answer = await send(world, "POST", KEYS, viewer, json={"name": "x", "scopes": ["respond"]})
    assert (answer.status_code, answer.json()["code"]) == (422, "SCOPE_BEYOND_ROLE")
    for scopes in ([], ["root"]):
        answer = await send(world, "POST", KEYS, viewer, json={"name": "x", "scopes": scopes})
        assert (answer.status_code, answer.json()["code"]) == (422, "VALIDATION_ERROR")
    past = {"name": "x", "scopes": ["read"], "expires_at": "2001-01-01T00:00:00Z"}
    answer = await send(world, "POST", KEYS, viewer, json=past)
    assert answer.json()["details"] == {"field": "expires_at"}


async def _waiting(world: World) -> int:
    """How many transactions wait for a row that another one holds."""
    rows = await world.sql(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return int(rows[0][0])


async def test_nobody_has_more_than_so_many_even_at_once(world: World) -> None:
    ana = await world.person()
    for _ in range(MOST_KEYS - 1):
        last = await make_key(world, ana)
    body = {"name": "x", "scopes": ["read"]}
    async with world.database.writing() as session:
        await crud_user.lock(session, ana.id)  # what they take turns by
        racers = [asyncio.create_task(send(world, "POST", KEYS, ana, json=body)) for _ in range(3)]
        while await _waiting(world) < 3 and not any(racer.done() for racer in racers):
            await asyncio.sleep(0.01)
    answers = await asyncio.gather(*racers)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["code"] == "TOO_MANY_API_KEYS"
    await world.call("DELETE", f"{KEYS}/{last['id']}", ana, expect=204)
    await make_key(world, ana)  # a revoked one does not count


async def test_admins_see_and_revoke_everybodys(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    bob = await world.person("bob@example.org")
    hers, his = await make_key(world, ana), await make_key(world, bob)

    async def seen(who: Person, whose: str) -> list[int]:
        listed = await world.call("GET", f"{KEYS}?user_id={whose}", who)
        return [item["id"] for item in listed["items"]]

    assert await seen(admin, "me") == []
    assert await seen(admin, "all") == [his["id"], hers["id"]]
    assert await seen(admin, str(ana.id)) == [hers["id"]]
    assert await seen(ana, str(ana.id)) == await seen(ana, "me") == [hers["id"]]
    for whose in ("all", str(bob.id)):
        await world.call("GET", f"{KEYS}?user_id={whose}", ana, expect=403)
    await world.call("GET", f"{KEYS}?user_id=nobody", ana, expect=422)
    await world.call("DELETE", f"{KEYS}/{his['id']}", ana, expect=404)
    await world.call("GET", "/v1/users/me", headers=holding(his["key"]))
    await world.call("DELETE", f"{KEYS}/{his['id']}", admin, expect=204)
    await world.call("GET", "/v1/users/me", headers=holding(his["key"]), expect=401)


async def test_its_use_is_written_down_once_a_minute(world: World) -> None:
    ana = await world.person()
    held = await program(world, ana)

    async def used() -> str | None:
        at: str | None = (await world.call("GET", KEYS, ana))["items"][0]["last_used_at"]
        return at

    assert await used() is None
    await world.call("GET", "/v1/users/me", held)
    first = await used()
    assert first is not None
    world.clock.forward(seconds=50)
    await world.call("GET", "/v1/users/me", held)
    assert await used() == first
    world.clock.forward(seconds=11)
    await asyncio.gather(*(world.call("GET", "/v1/users/me", held) for _ in range(4)))
    again = await used()
    assert again is not None
    assert again > first


@pytest.mark.parametrize(
    "guess",
    [
        "toc_",
        "toc_" + "a" * 48,
        "toc_" + "é" * 48,
        "toc_" + "\x00" * 48,
        "toc_" + "a" * 5000,
    ],
)
async def test_a_guess_opens_nothing(world: World, guess: str) -> None:
    for headers in ({"X-API-Key": guess.encode()}, {"Authorization": b"Bearer " + guess.encode()}):
        answer = await send(world, "GET", "/v1/users/me", headers=headers)
        assert answer.status_code == 401


async def test_a_mistyped_key_is_told_without_asking_the_database(world: World) -> None:
    made = await make_key(world, await world.person())
    secret = made["key"]
    mistyped = secret[:10] + ("a" if secret[10] != "a" else "b") + secret[11:]
    assert is_ours(secret)
    assert not is_ours(mistyped)
    assert not is_ours(secret + "\n")
    await world.call("GET", "/v1/users/me", headers={"X-API-Key": mistyped}, expect=401)


async def test_an_integrations_key_is_no_persons(world: World) -> None:
    admin = await world.admin()
    tool = await world.integration_key(admin)
    person = await make_key(world, admin, "administer")
    await world.call("GET", "/v1/users/me", headers={"X-API-Key": tool}, expect=401)
    await world.call(
        "POST", "/v1/webhooks/alerts", headers={"X-API-Key": person["key"]}, json={}, expect=401
    )
