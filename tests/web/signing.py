"""Browsers for tests: signed in by the form, as people do it."""

import httpx

from tests.web.html import Page, read

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def shown(answer: httpx.Response) -> Page:
    """The page of an answer that must be one."""
    assert answer.headers["content-type"].startswith("text/html"), answer.text
    return read(answer.text)


def token(page: Page) -> str:
    """What the forms of a page carry."""
    found = {f["value"] for f in page.all("input") if f.get("name") == "csrf"}
    assert len(found) == 1
    (one,) = found
    assert one is not None
    return one


async def sign_in(
    client: httpx.AsyncClient,
    email: str = "ana@example.org",
    password: str = "password",
    **fields: str,
) -> httpx.Response:
    """What the form answers. The client keeps the cookie from here on."""
    page = shown(await client.get("/login", headers=HTML))
    form = {"username": email, "password": password, "csrf": token(page), **fields}
    return await client.post("/login", data=form, headers=HTML)


async def home(client: httpx.AsyncClient) -> Page:
    return shown(await client.get("/", headers=HTML))
