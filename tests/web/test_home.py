"""The front door, and the pages with Swagger UI and ReDoc."""

import re

import httpx
import pytest

from app.core.version import VERSION
from app.web.templating import STATIC
from tests.web.html import directives, read

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "", "text/plain"])
async def test_a_program_gets_json(client: httpx.AsyncClient, accept: str) -> None:
    answer = await client.get("/", headers={"Accept": accept})
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert (found["name"], found["version"]) == ("Tocsin", VERSION)
    for name in ("docs", "redoc", "openapi", "health"):
        assert (await client.get(found[name])).status_code == 200


async def test_a_browser_is_led_to_a_page_whose_links_lead_somewhere(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/", headers={"Accept": BROWSER})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    answer = await client.get("/login", headers={"Accept": BROWSER})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = read(answer.text)
    assert "Sign in" in page.text
    for address in page.addresses:
        place = address.split("#")[0]
        assert (await client.get(place, headers={"Accept": BROWSER})).status_code in (200, 303)


@pytest.mark.parametrize("path", ["/login", "/docs", "/redoc"])
async def test_a_page_loads_only_own_files_and_runs_no_inline_script(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path, headers={"Accept": BROWSER})
    assert "http://" not in answer.text
    assert "https://" not in answer.text
    page = read(answer.text)
    for address in page.addresses:
        assert address.startswith("/") or address == "data:,", address
        assert not address.startswith("//"), address
    assert all("src" in script for script in page.all("script"))
    handlers = [n for _, attributes in page.elements for n in attributes if n.startswith("on")]
    assert handlers == []


@pytest.mark.parametrize("path", ["/login", "/docs", "/redoc"])
async def test_a_page_has_a_policy_that_allows_only_own_scripts(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path, headers={"Accept": BROWSER})
    policy = directives(answer.headers["content-security-policy"])
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == ["'self'"]
    assert policy["connect-src"] == ["'self'"]
    assert policy["form-action"] == ["'self'"]
    assert policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
    assert answer.headers["cache-control"] == "no-store"


async def test_only_swagger_ui_and_redoc_may_set_styles_of_elements(
    client: httpx.AsyncClient,
) -> None:
    loose = ["'self'", "'unsafe-inline'"]
    for path, styles in (("/login", ["'self'"]), ("/docs", loose), ("/redoc", loose)):
        answer = await client.get(path, headers={"Accept": BROWSER})
        assert directives(answer.headers["content-security-policy"])["style-src"] == styles


async def test_only_redoc_may_make_a_worker_of_its_own_text(client: httpx.AsyncClient) -> None:
    for path, workers in (("/login", None), ("/docs", None), ("/redoc", ["blob:"])):
        answer = await client.get(path, headers={"Accept": BROWSER})
        assert directives(answer.headers["content-security-policy"]).get("worker-src") == workers


async def test_the_front_door_leads_to_both(client: httpx.AsyncClient) -> None:
    page = read((await client.get("/login", headers={"Accept": BROWSER})).text)
    assert {"/docs", "/redoc"} <= set(page.addresses)


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_all_that_a_page_of_the_api_loads_is_there(
    client: httpx.AsyncClient, path: str
) -> None:
    page = read((await client.get(path)).text)
    scripts = [str(script["src"]) for script in page.all("script")]
    styles = [str(link["href"]) for link in page.all("link") if link["rel"] == "stylesheet"]
    assert len(scripts) == 2
    assert len(styles) == 1
    for address in scripts + styles:
        answer = await client.get(address)
        assert answer.status_code == 200
        kind = "text/css" if address in styles else "text/javascript"
        assert answer.headers["content-type"].startswith(kind)


@pytest.mark.parametrize(
    ("path", "element", "starter"),
    [("/docs", "swagger-ui", "swagger.js"), ("/redoc", "redoc", "redoc.js")],
)
async def test_what_starts_a_page_of_the_api_finds_its_place_and_the_document(
    client: httpx.AsyncClient, path: str, element: str, starter: str
) -> None:
    page = read((await client.get(path)).text)
    assert element in [attributes.get("id") for attributes in page.all("div")]
    script = (await client.get(f"/static/{starter}")).text
    assert element in script
    (document,) = re.findall(r'"(/[\w.]+)"', script)
    assert (await client.get(document)).json()["info"]["title"] == "Tocsin"


async def test_every_static_file_is_served(client: httpx.AsyncClient) -> None:
    files = [path for path in STATIC.rglob("*") if path.is_file()]
    assert len(files) >= 4
    for path in files:
        answer = await client.get(f"/static/{path.relative_to(STATIC).as_posix()}")
        assert answer.content == path.read_bytes()


async def test_nothing_beside_the_static_files_is_served(client: httpx.AsyncClient) -> None:
    for path in (
        "/static/",
        "/static/vendor",
        "/static/../templating.py",
        "/static/%2e%2e/templating.py",
        "/static/..%2ftemplating.py",
        "/static//etc/passwd",
        "/static/%00",
    ):
        assert (await client.get(path)).status_code in (404, 405), path
