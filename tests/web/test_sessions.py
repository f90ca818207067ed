"""Signing in with a browser, staying in, and how that ends."""

from http.cookies import SimpleCookie

import httpx
import pytest
from fastapi import FastAPI

from app.domain.user import Role
from tests.web.html import read
from tests.web.signing import HTML, home, shown, sign_in, token
from tests.world import World

COOKIE = "__Host-tocsin"
LIFE = 30  # days, as refresh tokens have


def cookie_set(answer: httpx.Response, name: str = COOKIE) -> str:
    return next(one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{name}="))


def browser(app: FastAPI, base: str = "https://tocsin.test") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base)


async def test_whoever_signs_in_sees_the_first_page(
    world: World, client: httpx.AsyncClient
) -> None:
    await world.person(full_name="Ana Díaz")
    answer = await sign_in(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    page = await home(client)
    assert "Nothing is on fire" in page.text
    assert "Ana Díaz" in page.text


async def test_the_cookie_is_for_this_host_by_https_and_for_no_script(
    world: World, client: httpx.AsyncClient
) -> None:
    await world.person()
    cookie = SimpleCookie(cookie_set(await sign_in(client)))[COOKIE]
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert cookie["secure"] is True
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "lax"
    assert len(cookie.value) > 40


async def test_the_cookie_is_kept_nowhere(world: World, client: httpx.AsyncClient) -> None:
    await world.person()
    value = SimpleCookie(cookie_set(await sign_in(client)))[COOKIE].value
    rows = await world.sql("SELECT row_to_json(s)::text FROM login_sessions s")
    assert rows
    assert all(value not in row[0] and value[4:] not in row[0] for row in rows)


@pytest.mark.parametrize(
    ("email", "password"), [("ana@example.org", "wrong"), ("nobody@example.org", "password")]
)
async def test_a_wrong_password_and_an_unknown_address_are_told_alike(
    world: World, client: httpx.AsyncClient, email: str, password: str
) -> None:
    await world.person()
    answer = await sign_in(client, email, password)
    page = shown(answer)
    assert answer.status_code == 401
    assert "The mail address or the password is wrong." in page.text
    assert email in [field.get("value") for field in page.all("input")]
    (typed,) = [field for field in page.all("input") if field["name"] == "password"]
    assert "value" not in typed
    assert not any(one.startswith(f"{COOKIE}=") for one in answer.headers.get_list("set-cookie"))
    assert (await client.get("/", headers=HTML)).status_code == 303


async def test_a_deactivated_account_is_not_let_in(world: World, client: httpx.AsyncClient) -> None:
    person = await world.person()
    await world.sql("UPDATE users SET is_active = false WHERE id = :id", id=person.id)
    assert (await sign_in(client)).status_code == 401


async def test_whoever_guesses_has_to_wait_as_at_the_api(
    world: World, client: httpx.AsyncClient
) -> None:
    await world.person()
    for _ in range(10):
        assert (await sign_in(client, password="wrong")).status_code == 401
    answer = await sign_in(client)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "wait" in shown(answer).text.lower() or "again" in shown(answer).text.lower()


@pytest.mark.parametrize(
    "next_page",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "/\r\nSet-Cookie: a=b",
        "evil",
        "/login?next=/login",
        "/logout",
    ],
)
async def test_nobody_is_led_off_to_another_site(
    world: World, client: httpx.AsyncClient, next_page: str
) -> None:
    await world.person()
    answer = await sign_in(client, next=next_page)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    again = await client.get("/login", params={"next": next_page}, headers=HTML)
    assert (again.status_code, again.headers["location"]) == (303, "/")


async def test_whoever_was_sent_to_sign_in_comes_back_to_where_they_were(
    world: World, client: httpx.AsyncClient
) -> None:
    await world.person()
    sent = await client.get("/home/findings?part=1", headers=HTML)
    assert sent.status_code == 303
    assert sent.headers["location"] == "/login?next=%2Fhome%2Ffindings%3Fpart%3D1"
    form = shown(await client.get(sent.headers["location"], headers=HTML))
    (back,) = [field["value"] for field in form.all("input") if field.get("name") == "next"]
    assert back == "/home/findings?part=1"
    answer = await sign_in(client, next=back or "")
    assert answer.headers["location"] == back


async def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(client: httpx.AsyncClient) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "https://tocsin.test/incidents?q=disk"}
    answer = await client.get("/home/fires", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/login?next=%2Fincidents%3Fq%3Ddisk"


async def test_signing_out_ends_the_login_at_once(world: World, app: FastAPI) -> None:
    await world.person()
    async with browser(app) as client, browser(app) as thief:
        await sign_in(client)
        thief.cookies.update(client.cookies)
        assert (await thief.get("/", headers=HTML)).status_code == 200
        answer = await client.post("/logout", data={"csrf": token(await home(client))})
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        assert COOKIE not in client.cookies
        assert "You are signed out." in shown(await client.get("/login", headers=HTML)).text
        assert (await thief.get("/", headers=HTML)).status_code == 303


async def test_the_login_is_listed_and_ended_by_the_api(
    world: World, client: httpx.AsyncClient
) -> None:
    person = await world.person()
    client.headers["User-Agent"] = "Firefox on a train"
    await sign_in(client)
    listed = await world.call("GET", "/v1/auth/sessions", person)
    (one,) = [row for row in listed["items"] if row["user_agent"] == "Firefox on a train"]
    await world.call("DELETE", f"/v1/auth/sessions/{one['id']}", person, expect=204)
    assert (await client.get("/", headers=HTML)).status_code == 303


@pytest.mark.parametrize(
    "ending",
    [
        "UPDATE users SET is_active = false",
        "UPDATE login_sessions SET ended_at = now(), end_reason = 'password_changed'",
    ],
)
async def test_what_ends_logins_ends_those_of_browsers(
    world: World, client: httpx.AsyncClient, ending: str
) -> None:
    await world.person()
    await sign_in(client)
    await world.sql(ending)
    assert (await client.get("/", headers=HTML)).status_code == 303


async def test_a_changed_password_signs_every_browser_out(
    world: World, client: httpx.AsyncClient
) -> None:
    person = await world.person()
    await sign_in(client)
    body = {"current_password": "password", "new_password": "a better one"}
    await world.call("PUT", "/v1/users/me/password", person, json=body)
    assert (await client.get("/", headers=HTML)).status_code == 303


async def test_a_login_goes_on_while_it_is_used_and_ends_when_it_is_not(
    world: World, client: httpx.AsyncClient
) -> None:
    await world.person()
    await sign_in(client)
    for _ in range(2):
        world.clock.forward(days=LIFE - 1)
        assert (await client.get("/", headers=HTML)).status_code == 200
    world.clock.forward(days=LIFE)
    assert (await client.get("/", headers=HTML)).status_code == 303


async def test_a_login_ends_some_day_however_much_it_is_used(
    world: World, client: httpx.AsyncClient
) -> None:
    await world.person()
    await sign_in(client)
    for _ in range(6):
        world.clock.forward(days=LIFE / 2 - 0.1)
        assert (await client.get("/", headers=HTML)).status_code == 200
    world.clock.forward(days=LIFE / 2)
    assert (await client.get("/", headers=HTML)).status_code == 303


async def test_the_cookie_opens_nothing_of_the_api(world: World, client: httpx.AsyncClient) -> None:
    await world.person(role=Role.ADMIN)
    await sign_in(client)
    for path in ("/v1/users/me", "/v1/incidents", "/v1/audit-log", "/v1/auth/sessions"):
        assert (await client.get(path)).status_code == 401, path
    assert (await client.post("/v1/incidents", json={})).status_code == 401
    assert (await client.post("/v1/stream/tickets")).status_code == 401


async def test_the_cookie_opens_the_stream_for_our_own_pages_only(
    world: World, client: httpx.AsyncClient
) -> None:
    await world.person()
    path = "/v1/stream?follow=false"
    assert (await client.get(path)).status_code == 401
    await sign_in(client)
    assert (await client.get(path)).status_code == 200
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ):
        assert (await client.get(path, headers=headers)).status_code == 401, headers


async def test_by_http_the_cookie_has_a_plain_name(world: World, app: FastAPI) -> None:
    await world.person()
    settings = app.state.service.settings
    before, settings.public_url = settings.public_url, None
    try:
        async with browser(app, "http://tocsin.test") as client:
            cookie = SimpleCookie(cookie_set(await sign_in(client), "tocsin"))["tocsin"]
            assert (await client.get("/", headers=HTML)).status_code == 200
    finally:
        settings.public_url = before
    assert (cookie["secure"], cookie["httponly"]) == ("", True)


async def test_an_account_is_asked_for_and_a_password_is_forgotten(
    world: World, client: httpx.AsyncClient
) -> None:
    await world.person()
    for path, fields, kind in (
        ("/signup", {"email": "nia@example.org", "password": "correct horse"}, "signup"),
        ("/forgotten", {"email": "ana@example.org"}, "recovery"),
    ):
        csrf = token(shown(await client.get(path, headers=HTML)))
        answer = await client.post(path, data=fields | {"csrf": csrf}, headers=HTML)
        assert answer.status_code == 200
        assert "Look into your mail" in read(answer.text).text
        found = await world.sql("SELECT 1 FROM notifications WHERE kind = :kind", kind=kind)
        assert len(found) == 1


async def test_a_fault_of_a_form_stands_at_its_field(client: httpx.AsyncClient) -> None:
    csrf = token(shown(await client.get("/signup", headers=HTML)))
    form = {"email": "no address", "password": "short", "full_name": "Nia", "csrf": csrf}
    answer = await client.post("/signup", data=form, headers=HTML)
    assert answer.status_code == 422
    page = shown(answer)
    fields = {field["name"]: field for field in page.all("input") if field.get("type") != "hidden"}
    assert fields["email"]["aria-invalid"] == fields["password"]["aria-invalid"] == "true"
    assert "aria-invalid" not in fields["full_name"]
    assert (fields["email"]["value"], fields["full_name"]["value"]) == ("no address", "Nia")
    assert "value" not in fields["password"]
    ids = {one.get("id") for _, one in page.elements}
    assert set((fields["password"]["aria-describedby"] or "").split()) <= ids


async def test_where_signup_is_closed_there_is_no_form(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    settings = app.state.service.settings
    before, settings.signup = settings.signup, "closed"
    try:
        answer = await client.get("/signup", headers=HTML)
        login = await client.get("/login", headers=HTML)
    finally:
        settings.signup = before
    assert answer.status_code == 403
    assert "Accounts are made by admins here" in shown(answer).text
    assert "/signup" not in read(login.text).addresses
