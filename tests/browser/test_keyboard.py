"""An incident found, opened and acknowledged by the keyboard alone."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Opener, Site
from tests.browser.test_phone import paged

pytestmark = pytest.mark.browser


async def test_from_signing_in_to_acknowledging(visit: Opener, site: Site) -> None:
    about = await paged(site)
    seen = await visit("/login")
    keys = seen.page.keyboard
    await expect(seen.page.get_by_label("Mail address")).to_be_focused()
    await keys.type("liam@demo.example.org")
    await keys.press("Tab")
    await keys.type(site.passwords["Liam"])
    await keys.press("Enter")
    await seen.page.wait_for_url(site.url + "/")
    await keys.press("g")
    await keys.press("i")
    await seen.page.wait_for_url(re.compile("/incidents"))
    await seen.page.get_by_role("link", name="Search is down").first.wait_for()
    await keys.press("/")
    await expect(seen.page.get_by_role("searchbox").first).to_be_focused()
    await keys.press("Escape")
    await seen.open(f"/incidents/{about.number}")
    await keys.press("Tab")
    await expect(seen.page.locator(".skip")).to_be_focused()
    await keys.press("Enter")
    await keys.press("?")
    await expect(seen.page.get_by_role("dialog")).to_be_visible()
    await keys.press("Escape")
    await expect(seen.page.get_by_role("dialog")).to_have_count(0)
    await keys.press("a")
    await expect(seen.page.locator(".answer")).to_contain_text("Liam")
    assert "acknowledged" in await site.serving.there(about.timeline())
