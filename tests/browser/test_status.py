"""The public status page in a browser: with and without JavaScript, on a phone, in both themes."""

import re

import pytest

from tests.browser.conftest import PHONE, Opener
from tests.browser.watching import THEMES

pytestmark = pytest.mark.browser

CHECKED = re.compile("Last checked .*")  # a minute may pass between two looks
PUBLIC = ["/status", "/status/history"]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("path", PUBLIC)
async def test_it_is_accessible_and_fits_a_phone(visit: Opener, path: str, theme: str) -> None:
    for viewport in (PHONE, {"width": 1440, "height": 900}):
        seen = await visit(path, color_scheme=theme, viewport=viewport)
        await seen.fits()
        await seen.is_accessible()


@pytest.mark.parametrize("path", PUBLIC)
async def test_without_javascript_it_says_the_same(visit: Opener, path: str) -> None:
    with_it = await visit(path)
    without = await visit(path, java_script_enabled=False)
    said = [CHECKED.sub("", await seen.page.inner_text("main")) for seen in (with_it, without)]
    assert said[0] == said[1]
    assert await without.page.locator("h1").count() == 1


async def test_it_keeps_no_cookie_and_nothing_else(visit: Opener) -> None:
    seen = await visit("/status")
    assert await seen.page.context.cookies() == []
    stored = await seen.page.evaluate("localStorage.length + sessionStorage.length")
    assert stored == 0


async def test_its_links_lead_somewhere(visit: Opener) -> None:
    seen = await visit("/status", java_script_enabled=False)
    links = await seen.page.locator("a[href^='/']").all()
    for path in {str(await link.get_attribute("href")) for link in links}:
        answer = await seen.page.request.get(seen.url + path)
        assert answer.ok, path
