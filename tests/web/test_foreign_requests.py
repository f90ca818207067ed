"""What another site makes a browser send changes nothing."""

import httpx
import pytest
from fastapi import FastAPI

from tests.web.html import directives
from tests.web.signing import HTML, home, shown, sign_in, token
from tests.world import World

OUTSIDE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://tocsin.test.evil.example"},
]


async def is_in(client: httpx.AsyncClient) -> bool:
    return (await client.get("/", headers=HTML)).status_code == 200


@pytest.mark.parametrize("given", [None, "", "x", "AAAA", "ä", "A" * 36])
async def test_a_form_without_its_token_changes_nothing(
    world: World, client: httpx.AsyncClient, given: str | None
) -> None:
    await world.person()
    await sign_in(client)
    answer = await client.post("/logout", data={} if given is None else {"csrf": given})
    assert answer.status_code == 403
    assert answer.json()["code"] == "REQUEST_FROM_ELSEWHERE"
    assert await is_in(client)


async def test_a_token_of_another_login_changes_nothing(world: World, app: FastAPI) -> None:
    await world.person()
    transport = httpx.ASGITransport(app)
    async with (
        httpx.AsyncClient(transport=transport, base_url="https://tocsin.test") as ana,
        httpx.AsyncClient(transport=transport, base_url="https://tocsin.test") as ben,
    ):
        await sign_in(ana)
        await sign_in(ben)
        strange = token(await home(ben))
        assert (await ana.post("/logout", data={"csrf": strange})).status_code == 403
        assert await is_in(ana)


@pytest.mark.parametrize("headers", OUTSIDE)
async def test_a_form_from_elsewhere_changes_nothing_even_with_a_token(
    world: World, client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    await world.person()
    await sign_in(client)
    form = {"csrf": token(await home(client))}
    assert (await client.post("/logout", data=form, headers=headers)).status_code == 403
    assert await is_in(client)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "https://tocsin.test"}],
)
async def test_our_own_forms_pass(
    world: World, client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    await world.person()
    await sign_in(client)
    form = {"csrf": token(await home(client))}
    assert (await client.post("/logout", data=form, headers=headers)).status_code == 303
    assert not await is_in(client)


async def test_a_script_of_ours_sends_the_token_as_a_header(
    world: World, client: httpx.AsyncClient
) -> None:
    await world.person()
    await sign_in(client)
    page = await home(client)
    (sent,) = [one["content"] for one in page.all("meta") if one.get("name") == "csrf-token"]
    headers = {"X-CSRF-Token": sent or "", "HX-Request": "true"}
    answer = await client.post("/frame/theme", data={"theme": "dark"}, headers=headers)
    assert answer.status_code == 204
    assert client.cookies["tocsin-theme"] == "dark"


async def test_every_page_has_another_token_and_all_of_them_are_good(
    world: World, client: httpx.AsyncClient
) -> None:
    await world.person()
    await sign_in(client)
    tokens = {token(await home(client)) for _ in range(3)}
    assert len(tokens) == 3
    for one in tokens:
        answer = await client.post("/frame/theme", data={"csrf": one, "theme": "light"})
        assert answer.status_code == 303


async def test_no_other_site_signs_anybody_in(world: World, client: httpx.AsyncClient) -> None:
    await world.person()
    form = {"username": "ana@example.org", "password": "password"}
    for fields, headers in (
        (form, {}),
        (form | {"csrf": "A" * 36}, {}),
        (form | {"csrf": token(shown(await client.get("/login", headers=HTML)))}, OUTSIDE[0]),
    ):
        answer = await client.post("/login", data=fields, headers=headers)
        assert answer.status_code == 403
        assert not await is_in(client)


async def test_no_page_can_be_put_into_a_frame(world: World, client: httpx.AsyncClient) -> None:
    await world.person()
    login = await client.get("/login", headers=HTML)
    await sign_in(client)
    for answer in (
        login,
        await client.get("/", headers=HTML),
        await client.get("/x", headers=HTML),
    ):
        policy = directives(answer.headers["content-security-policy"])
        assert policy["frame-ancestors"] == ["'none'"]
        assert policy["script-src"] == policy["style-src"] == ["'self'"]
        assert policy["base-uri"] == ["'none'"]
        assert policy["form-action"] == ["'self'"]
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"
