"""Staying logged in: each refresh token is good once, and one that comes twice ends its login."""

import asyncio
from typing import Any

import httpx

from tests.api.answers import refused, send
from tests.world import World

LOGIN = "/v1/auth/login/access-token"
REFRESH = "/v1/auth/refresh"
ME = "/v1/users/me"


async def logged_in(world: World, email: str = "ana@example.org") -> dict[str, Any]:
    """A fresh pair of tokens."""
    body = {"username": email, "password": "password"}
    pair: dict[str, Any] = await world.call("POST", LOGIN, json=body)
    return pair


async def refreshed(world: World, pair: dict[str, Any], expect: int = 200) -> dict[str, Any]:
    body = {"refresh_token": pair["refresh_token"]}
    answer: dict[str, Any] = await world.call("POST", REFRESH, expect=expect, json=body)
    return answer


async def is_good(world: World, pair: dict[str, Any]) -> bool:
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    answer: httpx.Response = await send(world, "GET", ME, headers=headers)
    return answer.status_code == 200


async def test_a_refresh_token_buys_the_next_pair(world: World) -> None:
    await world.person()
    first = await logged_in(world)
    second = await refreshed(world, first)
    third = await refreshed(world, second)

    assert len({pair["refresh_token"] for pair in (first, second, third)}) == 3
    assert third["refresh_expires_in"] == 30 * 24 * 3600
    assert await is_good(world, third)


async def test_a_refresh_token_that_comes_twice_ends_its_whole_login(world: World) -> None:
    await world.person()
    elsewhere = await logged_in(world)
    stolen = await logged_in(world)
    owners = await refreshed(world, stolen)

    answer = await refreshed(world, stolen, expect=401)

    assert answer["code"] == "REFRESH_TOKEN_REFUSED"
    assert not await is_good(world, owners)
    await refreshed(world, owners, expect=401)
    assert await is_good(world, elsewhere)  # another login of the same person
    assert await world.sql("SELECT 1 FROM login_sessions WHERE end_reason = 'reuse'")


async def test_of_two_who_bring_the_same_token_at_once_at_most_one_gets_a_pair(
    world: World,
) -> None:
    await world.person()
    pair = await logged_in(world)
    body = {"refresh_token": pair["refresh_token"]}
    answers = await asyncio.gather(*(send(world, "POST", REFRESH, json=body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, *[401] * 5]


async def test_a_refresh_token_ends_after_its_days(world: World) -> None:
    await world.person()
    pair = await logged_in(world)
    world.clock.forward(days=30, seconds=1)
    await refreshed(world, pair, expect=401)


async def test_every_refresh_gives_the_login_its_whole_time_again(world: World) -> None:
    await world.person()
    pair = await logged_in(world)
    for _ in range(3):
        world.clock.forward(days=29)
        pair = await refreshed(world, pair)


async def test_what_is_no_refresh_token_of_ours_is_refused(world: World) -> None:
    await world.person()
    pair = await logged_in(world)
    for token in ("x", pair["access_token"][:200], "trt_" + "A" * 43):
        body = {"refresh_token": token}
        await refused(world, "POST", REFRESH, None, 401, "REFRESH_TOKEN_REFUSED", json=body)
    assert await is_good(world, pair)


async def test_the_database_does_not_know_a_single_refresh_token(world: World) -> None:
    await world.person()
    pair = await logged_in(world)
    rows = await world.sql("SELECT t::text FROM refresh_tokens t")
    assert rows
    assert pair["refresh_token"] not in str(rows)


async def test_logging_out_ends_this_login_at_once_and_no_other(world: World) -> None:
    await world.person()
    here, there = await logged_in(world), await logged_in(world)
    headers = {"Authorization": f"Bearer {here['access_token']}"}

    await world.call("POST", "/v1/auth/logout", expect=204, headers=headers)

    assert not await is_good(world, here)
    await refreshed(world, here, expect=401)
    assert await is_good(world, there)


async def test_logging_out_everywhere_ends_all(world: World) -> None:
    await world.person()
    other = await world.person("bo@example.org")
    here, there = await logged_in(world), await logged_in(world)
    headers = {"Authorization": f"Bearer {here['access_token']}"}

    await world.call(
        "POST", "/v1/auth/logout", expect=204, headers=headers, json={"everywhere": True}
    )

    assert not await is_good(world, here)
    assert not await is_good(world, there)
    await world.call("GET", ME, other)


async def test_people_see_where_they_are_logged_in_and_end_it(world: World) -> None:
    ana = await world.person()
    agent = {"User-Agent": "Pager\x01App/1.0"}
    body = {"username": ana.email, "password": "password"}
    await world.call("POST", LOGIN, headers=agent, json=body)

    listed = await world.call("GET", "/v1/auth/sessions", ana)

    assert [one["is_current"] for one in listed["items"]] == [False, True]
    newest = listed["items"][0]
    assert (newest["user_agent"], newest["address"]) == ("PagerApp/1.0", "127.0.0.1")
    await world.call("DELETE", f"/v1/auth/sessions/{newest['id']}", ana, expect=204)
    ended = (await world.call("GET", "/v1/auth/sessions", ana))["items"][0]
    assert ended["end_reason"] == "logout"


async def test_nobody_ends_somebody_elses_login(world: World) -> None:
    ana, bo = await world.person(), await world.person("bo@example.org")
    await world.call("DELETE", f"/v1/auth/sessions/{ana.session_id}", bo, expect=204)
    await world.call("GET", ME, ana)
    assert len((await world.call("GET", "/v1/auth/sessions", bo))["items"]) == 1


async def test_the_token_can_be_tested(world: World) -> None:
    ana = await world.person()
    assert (await world.call("POST", "/v1/auth/login/test-token", ana))["id"] == ana.id
    await refused(world, "POST", "/v1/auth/login/test-token", None, 401, "UNAUTHORIZED")


async def test_a_deactivated_persons_logins_end_and_stay_ended(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    pair = await logged_in(world)
    path = f"/v1/users/{ana.id}"
    await world.call("PATCH", path, admin, json={"is_active": False})
    assert not await is_good(world, pair)
    await world.call("PATCH", path, admin, json={"is_active": True})
    assert not await is_good(world, pair)
    await refreshed(world, pair, expect=401)


async def test_a_password_that_an_admin_sets_ends_the_logins_before(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    pair = await logged_in(world)
    await world.call("PATCH", f"/v1/users/{ana.id}", admin, json={"password": "another one"})
    assert not await is_good(world, pair)
    await refreshed(world, pair, expect=401)


async def test_a_login_that_was_proved_before_the_password_changed_begins_nothing(
    world: World,
) -> None:
    """The race of a thief with the old password against the owner who changes it."""
    ana = await world.person()
    hashed = await world.service.passwords.hash("another one")
    passwords = world.service.passwords
    verify = passwords.verify

    async def slowly(password: str, stored: str | None) -> bool:
        matches = await verify(password, stored)
        await world.sql("UPDATE users SET hashed_password = :new", new=hashed)
        return matches

    passwords.verify = slowly  # type: ignore[method-assign]
    try:
        body = {"username": ana.email, "password": "password"}
        await refused(world, "POST", LOGIN, None, 401, "WRONG_CREDENTIALS", json=body)
    finally:
        passwords.verify = verify  # type: ignore[method-assign]
