"""Pages of what is set up: they follow what happens, and rows are put in order by hand."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import PHONE, Opener, Site

pytestmark = pytest.mark.browser


async def test_services_follow_what_happens(visit: Opener, site: Site) -> None:
    looking = await visit("/services", who="Ada")
    row = looking.page.locator("tr", has=looking.page.get_by_role("link", name="image-resizer"))
    await expect(row).to_contain_text("Nothing open")
    acting = await visit("/incidents/new", who="Mara")
    await acting.page.get_by_label("What is wrong").fill("Pictures are late")
    await acting.page.locator("input[name=severity][value=low]").check(force=True)
    await acting.page.locator("#f-service").fill("image-resizer")
    form = acting.page.locator("#declare")
    await form.get_by_role("button", name="Declare incident").click()
    await acting.page.wait_for_url(re.compile(r"/incidents/\d+$"))
    await expect(row).not_to_contain_text("Nothing open")
    await acting.page.get_by_role("button", name="Resolve", exact=True).first.click()
    await expect(row).to_contain_text("Nothing open")


async def test_components_are_dragged_and_moved_by_keys(visit: Opener, site: Site) -> None:
    seen = await visit("/status-page", who="Ada")
    names = seen.page.locator(".components").first.locator("li strong")
    before = await names.all_inner_texts()
    rows = seen.page.locator(".components").first.locator("li")
    last = await rows.last.bounding_box()
    assert last is not None
    await rows.first.locator("[data-grip]").hover()
    await seen.page.mouse.down()
    await seen.page.mouse.move(last["x"] + 60, last["y"] + 4, steps=4)
    await seen.page.mouse.move(last["x"] + 60, last["y"] + last["height"] - 4, steps=4)
    await seen.page.mouse.up()
    await expect(names.last).to_have_text(before[0])
    await seen.page.get_by_role("button", name=f"{before[0]}: up").focus()
    await seen.page.keyboard.press("Enter")
    await expect(names.last).not_to_have_text(before[0])


async def test_the_tab_that_is_shown_is_in_sight(visit: Opener, site: Site) -> None:
    seen = await visit("/profile/keys", who="Ada", viewport=PHONE)
    await expect(seen.page.locator(".tab[aria-current]")).to_be_in_viewport(ratio=0.9)
