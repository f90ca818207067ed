"""The pages behind account mails: reading them changes nothing, their button acts once."""

import httpx

from app.core.security import Signer
from tests.web.html import read
from tests.world import World

LOGIN = "/v1/auth/login/access-token"
SIGNUP = {"email": "new@example.org", "password": "correct horse", "full_name": "Nia New"}


async def link(world: World, purpose: str) -> str:
    """The path in the last mail of this purpose."""
    rows = await world.sql(
        "SELECT facts FROM notifications WHERE kind = :kind ORDER BY id DESC", kind=purpose
    )
    signer: Signer = world.service.signer
    folder = {"signup": "signup", "recovery": "reset"}[purpose]
    return f"/account/{folder}/{signer.link(purpose, rows[0][0]['challenge_id'])}"


async def recovery(world: World) -> str:
    await world.person("ana@example.org")
    body = {"email": "ana@example.org"}
    await world.call("POST", "/v1/auth/password-recovery", expect=202, json=body)
    return await link(world, "recovery")


async def test_the_signup_link_makes_the_account_by_its_button(
    world: World, client: httpx.AsyncClient
) -> None:
    await world.call("POST", "/v1/auth/signup", expect=202, json=SIGNUP)
    path = await link(world, "signup")
    for _ in range(3):  # a scanner that follows links makes nothing
        assert read((await client.get(path)).text).all("button")
    assert await world.sql("SELECT 1 FROM users") == []

    answer = await client.post(path)

    assert answer.status_code == 200
    assert "Welcome, Nia New." in read(answer.text).text
    login = {"username": SIGNUP["email"], "password": SIGNUP["password"]}
    await world.call("POST", LOGIN, json=login)
    assert (await client.post(path)).status_code == 404
    assert (await client.get(path)).status_code == 404


async def test_an_address_that_got_an_account_meanwhile_is_told_so(
    world: World, client: httpx.AsyncClient
) -> None:
    await world.call("POST", "/v1/auth/signup", expect=202, json=SIGNUP)
    path = await link(world, "signup")
    await world.person(SIGNUP["email"])
    answer = await client.post(path)
    assert answer.status_code == 409
    assert "There is a user with this mail address already." in read(answer.text).text


async def test_the_reset_link_sets_a_password_by_its_form(
    world: World, client: httpx.AsyncClient
) -> None:
    path = await recovery(world)
    shown = read((await client.get(path)).text)
    field = shown.all("input")[0]
    assert (field["type"], field["autocomplete"]) == ("password", "new-password")
    assert shown.all("label")[0]["for"] == field["id"]

    answer = await client.post(path, data={"new_password": "a better one"})

    assert "Your new password is set" in read(answer.text).text
    login = {"username": "ana@example.org", "password": "a better one"}
    await world.call("POST", LOGIN, json=login)
    assert (await client.post(path, data={"new_password": "yet another"})).status_code == 404


async def test_a_password_that_will_not_do_is_told_and_uses_nothing_up(
    world: World, client: httpx.AsyncClient
) -> None:
    path = await recovery(world)
    for wrong in ({}, {"new_password": "short"}, {"new_password": "x" * 201}):
        answer = await client.post(path, data=wrong)
        assert answer.status_code == 422
        shown = read(answer.text)
        assert "A password has 8 to 200 characters." in shown.text
        assert shown.all("input")[0]["aria-invalid"] == "true"
    assert (await client.post(path, data={"new_password": "a better one"})).status_code == 200


async def test_a_link_that_is_none_leads_nowhere(world: World, client: httpx.AsyncClient) -> None:
    path = await recovery(world)
    crossed = path.replace("/reset/", "/signup/")
    for wrong in ("/account/reset/x", "/account/signup/x", crossed):
        for method in ("GET", "POST"):
            answer = await client.request(method, wrong, data={"new_password": "a better one"})
            assert answer.status_code == 404, wrong
            assert "This link leads nowhere" in read(answer.text).text


async def test_the_pages_leak_nothing(world: World, client: httpx.AsyncClient) -> None:
    path = await recovery(world)
    answer = await client.get(path)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "ana@example.org" not in answer.text
    assert all(not url.startswith("http") for url in read(answer.text).addresses)
