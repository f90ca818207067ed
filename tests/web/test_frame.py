"""The frame around every page: what is in it for whom, and what is told who finds nothing."""

import httpx
import pytest
from fastapi import FastAPI

from app.domain.user import Role
from app.web.templating import EDITION
from tests.web.html import Page
from tests.web.signing import HTML, home, shown, sign_in
from tests.world import World


async def as_role(world: World, client: httpx.AsyncClient, role: Role) -> Page:
    await world.person(role=role)
    await sign_in(client)
    return await home(client)


@pytest.mark.parametrize("role", Role)
async def test_only_who_may_declare_sees_the_button(
    world: World, client: httpx.AsyncClient, role: Role
) -> None:
    page = await as_role(world, client, role)
    assert ("/incidents/new" in page.addresses) is (role is not Role.VIEWER)
    assert ("Look for what would let a page reach nobody" in page.text) is (role is not Role.VIEWER)


async def test_what_a_role_may_not_see_is_refused_by_a_page_that_says_so(
    world: World, client: httpx.AsyncClient
) -> None:
    await as_role(world, client, Role.VIEWER)
    answer = await client.get("/home/findings", headers=HTML)
    page = shown(answer)
    assert answer.status_code == 403
    assert "Your role (viewer) does not allow this; ask an admin." in page.text
    assert "/logout" in page.addresses  # in the frame


async def test_every_way_in_the_frame_leads_somewhere(
    world: World, client: httpx.AsyncClient
) -> None:
    page = await as_role(world, client, Role.ADMIN)
    links = {str(one["href"]) for one in page.all("a") if "rail-link" in (one.get("class") or "")}
    assert {"/", "/incidents"} <= links
    for link in links:
        answer = await client.get(link, headers=HTML, follow_redirects=True)
        assert (answer.status_code, answer.url.path.startswith(link)) == (200, True), link


async def test_the_place_in_the_frame_is_told(world: World, client: httpx.AsyncClient) -> None:
    page = await as_role(world, client, Role.ADMIN)
    here = [one["href"] for one in page.all("a") if one.get("aria-current") == "page"]
    assert set(here) == {"/"}


async def test_a_group_that_is_folded_opens_where_its_page_is_shown(
    world: World, client: httpx.AsyncClient
) -> None:
    def folded(page: Page) -> set[object]:
        return {
            one["data-fold"]
            for one in page.all("details")
            if "data-fold" in one and "open" not in one
        }

    page = await as_role(world, client, Role.ADMIN)
    assert folded(page) == {"set-up"}
    client.cookies.set("tocsin-folds", "set-up.public.nonsense")
    assert folded(await home(client)) == {"public"}
    shown_there = shown(await client.get("/subscribers", headers=HTML))
    assert folded(shown_there) == set()


async def test_the_page_has_landmarks_and_a_way_past_the_frame(
    world: World, client: httpx.AsyncClient
) -> None:
    page = await as_role(world, client, Role.RESPONDER)
    assert len(page.all("main")) == len(page.all("header")) == len(page.all("h1")) == 1
    assert all(one.get("aria-label") for one in page.all("nav"))
    (target,) = [one["id"] for one in page.all("main")]
    skip = next(one for one in page.all("a") if one.get("class") == "skip")
    assert skip["href"] == f"#{target}"


async def test_nothing_in_a_page_is_inline_and_all_it_loads_is_there(
    world: World, client: httpx.AsyncClient
) -> None:
    page = await as_role(world, client, Role.ADMIN)
    assert all("src" in one for one in page.all("script"))
    assert page.all("style") == []
    for name, attributes in page.elements:
        wrong = [one for one in attributes if one == "style" or one.startswith("on")]
        assert wrong == [], name
    loaded = [str(one["src"]) for one in page.all("script")]
    loaded += [str(one["href"]).split("#")[0] for one in page.all("link") + page.all("use")]
    assert loaded
    for address in set(loaded):
        assert (await client.get(address)).status_code == 200, address


async def test_files_of_this_edition_are_kept_for_good_and_others_asked_for(
    client: httpx.AsyncClient,
) -> None:
    for path, kept in (
        (f"/static/{EDITION}/css/tokens.css", "public, max-age=31536000, immutable"),
        ("/static/css/tokens.css", "no-cache"),
        ("/static/~0123456789/css/tokens.css", "no-cache"),
    ):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == kept
    assert (await client.get(f"/static/{EDITION}/css/none.css")).status_code == 404
    assert (await client.get(f"/static/{EDITION}")).status_code == 404


async def test_a_worker_may_listen_to_the_stream_and_do_no_more(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/static/{EDITION}/js/live-worker.js")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; connect-src 'self'; script-src 'self'")


async def test_the_chosen_theme_is_in_the_page(world: World, client: httpx.AsyncClient) -> None:
    page = await as_role(world, client, Role.VIEWER)
    (csrf,) = {one["value"] for one in page.all("input") if one.get("name") == "csrf"}
    assert "data-theme" not in page.all("html")[0]
    for theme, told in (("dark", "dark"), ("light", "light"), ("auto", None), ("<b>", None)):
        form = {"csrf": csrf, "theme": theme, "next": "/home/findings"}
        answer = await client.post("/frame/theme", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/home/findings")
        assert (await home(client)).all("html")[0].get("data-theme") == told
        pressed = [
            one["value"]
            for one in (await home(client)).all("button")
            if one.get("aria-pressed") == "true"
        ]
        assert pressed == [told or "auto"]


async def test_a_browser_that_finds_nothing_gets_a_page_and_a_program_json(
    world: World, client: httpx.AsyncClient
) -> None:
    for path in ("/nothing", "/incidents/new/x/y"):
        answer = await client.get(path, headers=HTML)
        assert answer.status_code == 404
        assert "There is nothing here" in shown(answer).text
        assert "/logout" not in shown(answer).addresses
        assert (await client.get(path)).json()["code"] == "NOT_FOUND"
    assert (await client.get("/v1/nothing", headers=HTML)).json()["code"] == "NOT_FOUND"
    await as_role(world, client, Role.VIEWER)
    assert "/logout" in shown(await client.get("/nothing", headers=HTML)).addresses


async def test_what_breaks_inside_is_told_by_a_page_that_asks_for_nothing(
    world: World, app: FastAPI, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await as_role(world, client, Role.VIEWER)

    def broken(*_: object) -> None:
        raise RuntimeError("a secret of the installation")

    monkeypatch.setattr(type(app.state.service.signer), "derive", broken)
    answer = await client.get("/", headers=HTML)
    assert answer.status_code == 500
    page = shown(answer)
    assert "Something broke" in page.text
    assert answer.headers["x-request-id"] in page.text
    assert "secret" not in answer.text
    assert (await client.get("/home/fires", headers={"HX-Request": "true"})).status_code == 500


async def test_a_part_that_is_refused_is_told_in_a_toast(
    world: World, client: httpx.AsyncClient
) -> None:
    await as_role(world, client, Role.VIEWER)
    answer = await client.get("/home/findings?part=1", headers={"HX-Request": "true"})
    assert answer.status_code == 403
    assert answer.headers["hx-reswap"] == "none"
    assert "ask an admin" in answer.headers["hx-trigger"]
