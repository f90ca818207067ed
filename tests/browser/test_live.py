"""Pages follow what others change, by the one stream of the browser."""

import asyncio

import pytest
from playwright.async_api import Page, expect

from app.domain.event import Audience
from tests.browser.conftest import Opener, Site

pytestmark = pytest.mark.browser

PATIENCE = 30_000  # milliseconds: half of what a page waits until it looks by itself


async def test_a_list_follows_what_somebody_else_sets_up(visit: Opener, site: Site) -> None:
    def listening() -> int:
        return site.serving.service.feed.count(Audience.CONSOLE)

    before = listening()
    liam = await visit("/teams", who="Liam")
    async with asyncio.timeout(PATIENCE / 1000):
        while listening() == before:
            await asyncio.sleep(0.05)
    ada = await visit("/teams/new", who="Ada")
    await ada.page.get_by_label("Name", exact=True).fill("Night watch")
    await ada.page.locator("main form button[type=submit]").first.click()
    await ada.page.wait_for_url("**/teams/*")
    row = liam.page.get_by_role("link", name="Night watch")
    await expect(row).to_be_visible(timeout=PATIENCE)


async def drawn(page: Page) -> str:
    """What the form says after a drag over the first row of the calendar."""
    await page.locator("[name=starts_at]").fill("")
    box = await page.locator("[data-drags]").first.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + box["width"] * 0.4, middle)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=5)
    await page.mouse.up()
    return await page.locator("[name=starts_at]").input_value()


async def test_a_calendar_follows_and_can_still_be_drawn_on(visit: Opener, site: Site) -> None:
    liam = await visit("/schedules/1", who="Liam")
    assert await drawn(liam.page)
    shown = await liam.page.locator(".rota").first.inner_html()
    ada = await visit("/schedules/1", who="Ada")
    assert await drawn(ada.page)
    await ada.page.get_by_label("Why").fill("Swapped by hand")
    await ada.page.get_by_role("button", name="Put on call").click()
    await ada.page.get_by_text("Swapped by hand").first.wait_for()
    await liam.page.locator("main").click(position={"x": 2, "y": 2})  # whoever types is left alone
    async with asyncio.timeout(PATIENCE / 1000):
        while await liam.page.locator(".rota").first.inner_html() == shown:
            await asyncio.sleep(0.1)
    assert await drawn(liam.page)


async def test_what_somebody_has_begun_to_fill_in_is_left_alone(visit: Opener, site: Site) -> None:
    ada = await visit("/teams/1", who="Ada")
    choice = ada.page.locator("main select[name=user_id]")
    first, second = [
        await one.get_attribute("value") for one in (await choice.locator("option").all())[:2]
    ]
    await choice.select_option(second)
    await choice.blur()
    liam = await visit("/teams/1", who="Liam")
    other = await visit("/teams/1/edit", who="Ada")
    await other.page.locator("[name=description]").fill("Told anew")
    await other.page.locator("main form button[type=submit]").first.click()
    await expect(liam.page.get_by_text("Told anew")).to_be_visible(timeout=PATIENCE)
    await ada.page.wait_for_timeout(1_000)  # whatever is told to one browser is told to all
    assert await choice.input_value() == second
    await choice.focus()
    await choice.select_option(first)
    await choice.blur()
    await expect(ada.page.get_by_text("Told anew")).to_be_visible(timeout=PATIENCE)
