"""What people change about themselves."""

from tests.api.answers import faulty, refused, send
from tests.world import World

ME = "/v1/users/me"
PASSWORD = "/v1/users/me/password"
LOGIN = "/v1/auth/login/access-token"


async def test_people_change_their_name_phone_and_time_zone(world: World) -> None:
    ana = await world.person()
    fields = {"full_name": "Ana Díaz", "phone": "+49 30 1234567", "time_zone": "Europe/Berlin"}
    changed = await world.call("PATCH", ME, ana, json=fields)
    assert {name: changed[name] for name in fields} == fields
    assert changed["revision"] == 2


async def test_nobody_gives_themselves_a_role_or_another_address(world: World) -> None:
    ana = await world.person()
    faults = await faulty(
        world, "PATCH", ME, ana, json={"role": "admin", "email": "x@example.org", "is_active": True}
    )
    assert set(faults) == {"role", "email", "is_active"}


async def test_a_new_password_ends_every_login_and_begins_one(world: World) -> None:
    ana = await world.person()
    other = await world.person("bo@example.org")
    body = {"current_password": "password", "new_password": "a better one"}

    pair = await world.call("PUT", PASSWORD, ana, json=body)

    assert (await send(world, "GET", ME, ana)).status_code == 401
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    await world.call("GET", ME, headers=headers)
    await world.call("GET", ME, other)
    old = {"username": ana.email, "password": "password"}
    await refused(world, "POST", LOGIN, None, 401, "WRONG_CREDENTIALS", json=old)
    await world.call("POST", LOGIN, json={"username": ana.email, "password": "a better one"})


async def test_the_owner_is_told_by_mail_that_the_password_changed(world: World) -> None:
    ana = await world.person()
    body = {"current_password": "password", "new_password": "a better one"}
    await world.call("PUT", PASSWORD, ana, json=body)
    rows = await world.sql("SELECT kind, address, facts FROM notifications")
    facts = {"address": "127.0.0.1"}  # where it was changed from
    assert [tuple(row) for row in rows] == [("password_changed", ana.email, facts)]


async def test_the_current_password_must_be_known(world: World) -> None:
    ana = await world.person()
    body = {"current_password": "guess", "new_password": "a better one"}
    details = await refused(world, "PUT", PASSWORD, ana, 422, "WRONG_PASSWORD", json=body)
    assert details["field"] == "current_password"
    await world.call("GET", ME, ana)  # still logged in


async def test_guessing_the_current_password_has_to_wait(world: World) -> None:
    ana = await world.person()
    body = {"current_password": "guess", "new_password": "a better one"}
    for _ in range(10):
        await refused(world, "PUT", PASSWORD, ana, 422, "WRONG_PASSWORD", json=body)
    body["current_password"] = "password"
    await refused(world, "PUT", PASSWORD, ana, 429, "TOO_MANY_REQUESTS", json=body)


async def test_a_password_too_short_is_refused_where_it_stands(world: World) -> None:
    ana = await world.person()
    body = {"current_password": "password", "new_password": "short"}
    assert set(await faulty(world, "PUT", PASSWORD, ana, json=body)) == {"new_password"}
