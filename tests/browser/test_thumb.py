"""Somebody woken, with a phone in one hand: from the first page to “I have it” by the thumb."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import PHONE, Opener, Site
from tests.browser.test_phone import paged

pytestmark = pytest.mark.browser


async def test_from_home_to_acknowledging_without_scrolling(visit: Opener, site: Site) -> None:
    about = await paged(site)
    seen = await visit("/", who="Mara", viewport=PHONE, has_touch=True, is_mobile=True)
    await seen.fits()
    row = seen.page.locator(f"a[href='/incidents/{about.number}']").first
    await row.scroll_into_view_if_needed()
    await row.tap()
    await seen.page.wait_for_url(re.compile(rf"/incidents/{about.number}$"))
    await seen.fits()
    button = seen.page.get_by_role("button", name="Acknowledge", exact=True).first
    await expect(button).to_be_in_viewport(ratio=1)
    box = await button.bounding_box()
    assert box is not None
    assert box["height"] >= 40, "a thumb is wide"
    await button.tap()
    await expect(seen.page.locator(".answer")).to_contain_text("Mara")
    assert "acknowledged" in await site.serving.there(about.timeline())
