"""Trading mail address and password for a token."""

from typing import Any

import httpx

from tests.api.answers import faulty, refused, send
from tests.world import World

LOGIN = "/v1/auth/login/access-token"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def log_in(world: World, username: str, password: str) -> httpx.Response:
    return await send(world, "POST", LOGIN, json={"username": username, "password": password})


async def test_json_with_the_right_password_gets_a_token_that_works(world: World) -> None:
    ana = await world.person("ana@example.org")

    answer = await log_in(world, "ana@example.org", "password")

    assert answer.status_code == 200
    token = answer.json()
    assert (token["token_type"], token["expires_in"]) == ("bearer", 3600)
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert (await world.call("GET", "/v1/users/me", headers=headers))["id"] == ana.id


async def test_the_oauth2_form_that_swagger_ui_sends_gets_a_token(world: World) -> None:
    await world.person("ana@example.org")
    form = {
        "grant_type": "password",
        "username": "ana@example.org",
        "password": "password",
        "scope": "",
        "client_id": "",
        "client_secret": "",
    }
    answer = await send(world, "POST", LOGIN, data=form)
    assert answer.status_code == 200
    assert answer.json()["access_token"]


async def test_the_address_may_be_written_in_any_case_and_with_blanks(world: World) -> None:
    await world.person("Ana@Example.org")
    assert (await log_in(world, "  aNA@eXAMPLE.ORG ", "password")).status_code == 200


async def test_who_is_unknown_wrong_or_deactivated_is_told_the_same(world: World) -> None:
    admin = await world.admin()
    await world.person("ana@example.org")
    gone = await world.person("gone@example.org")
    await world.call("PATCH", f"/v1/users/{gone.id}", admin, json={"is_active": False})

    answers = [
        await log_in(world, "ana@example.org", "wrong password"),
        await log_in(world, "nobody@example.org", "password"),
        await log_in(world, "gone@example.org", "password"),
    ]

    assert {answer.status_code for answer in answers} == {401}
    bodies = [{**answer.json(), "request_id": None} for answer in answers]
    assert bodies[0]["code"] == "WRONG_CREDENTIALS"
    assert bodies[0] == bodies[1] == bodies[2]
    assert all(answer.headers["www-authenticate"] == "Bearer" for answer in answers)


FAULTY: list[tuple[Any, set[str]]] = [
    ({}, {"username", "password"}),
    ({"username": "ana@example.org"}, {"password"}),
    ({"username": None, "password": 5}, {"username", "password"}),
    ({"username": "ana\x00", "password": "x"}, {"username"}),
    ({"username": "a" * 256, "password": "x"}, {"username"}),
    ({"username": "ana", "password": "x" * 1001}, {"password"}),
    ({"username": "ana", "password": "x", "otp": "1"}, {"otp"}),
    ([], {""}),
    (None, {""}),
]


async def test_a_malformed_body_is_told_where_it_is_wrong(world: World) -> None:
    for body, paths in FAULTY:
        assert set(await faulty(world, "POST", LOGIN, None, json=body)) == paths


NO_JSON = [
    b"",
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"username": "\\ud800", "password": "x"}',
    b'{"username": "ana", "password": "\\udc00"}',
]


async def test_a_body_that_is_no_json_is_refused(world: World) -> None:
    kind = {"Content-Type": "application/json"}
    for body in NO_JSON:
        assert set(await faulty(world, "POST", LOGIN, None, content=body, headers=kind)) == {""}


async def test_a_form_under_another_content_type_is_refused(world: World) -> None:
    form = b"username=ana@example.org&password=password"
    for name in ("multipart/form-data", "multipart/form-data; boundary=x", "text/plain"):
        kind = {"Content-Type": name}
        assert set(await faulty(world, "POST", LOGIN, None, content=form, headers=kind)) == {""}


async def test_a_form_with_nul_is_refused(world: World) -> None:
    faults = await faulty(
        world, "POST", LOGIN, None, content=b"username=%00&password=x", headers=FORM
    )
    assert set(faults) == {"username"}


async def test_a_form_of_far_too_many_fields_is_refused(world: World) -> None:
    many = b"&".join([b"a=1"] * 2000)
    assert set(await faulty(world, "POST", LOGIN, None, content=many, headers=FORM)) == {""}


async def test_a_password_of_odd_bytes_is_just_wrong(world: World) -> None:
    await world.person("ana@example.org")
    for password in (b"%00", b"password%00", b"%ff%fe", b"%ed%a0%80"):
        form = b"username=ana@example.org&password=" + password
        await refused(
            world, "POST", LOGIN, None, 401, "WRONG_CREDENTIALS", content=form, headers=FORM
        )


async def make_user(world: World, password: str) -> None:
    admin = await world.admin()
    body = {"email": "long@example.org", "password": password}
    await world.call("POST", "/v1/users", admin, expect=201, json=body)


async def test_what_follows_the_72nd_byte_of_a_password_counts(world: World) -> None:
    await make_user(world, "p" * 72 + "a")
    assert (await log_in(world, "long@example.org", "p" * 72 + "b")).status_code == 401
    assert (await log_in(world, "long@example.org", "p" * 72)).status_code == 401
    assert (await log_in(world, "long@example.org", "p" * 72 + "a")).status_code == 200


async def test_the_blanks_around_a_password_are_part_of_it(world: World) -> None:
    await make_user(world, "  passphrase ")
    assert (await log_in(world, "long@example.org", "passphrase")).status_code == 401
    assert (await log_in(world, "long@example.org", "  passphrase ")).status_code == 200


async def test_a_password_may_hold_any_letters(world: World) -> None:
    await make_user(world, "пароль 🔔 كلمة")
    assert (await log_in(world, "long@example.org", "пароль 🔔 كلمة")).status_code == 200
