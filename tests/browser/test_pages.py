"""Every page, in both themes, on a phone and on a wide screen: nothing breaks the policy, nothing
complains, nothing is wider than the screen, nothing moves once it is shown, all of it together is
light, and axe finds nothing."""

import pytest

from tests.browser import pages
from tests.browser.conftest import PHONE, WIDE, Opener, Site
from tests.browser.watching import THEMES

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("template", pages.templates())
async def test_a_page_is_whole_light_accessible_and_fits(
    look: Opener, site: Site, template: str
) -> None:
    serving = site.serving
    path = await serving.there(pages.address(template, serving.service.database))
    seen = await look(who=None if pages.is_public(template) else "Ada")
    scales = await seen.weigh()
    for size, (theme, other) in ((WIDE, THEMES), (PHONE, THEMES[::-1])):
        await seen.page.set_viewport_size(size)
        await seen.page.emulate_media(color_scheme=theme)
        scales.weights.clear()
        await seen.open(path)
        await seen.is_settled()
        scales.is_light()
        await seen.stands_still()
        await seen.fits()
        await seen.is_accessible()
        await seen.page.emulate_media(color_scheme=other)
        await seen.is_accessible(colours_alone=True)


def test_there_are_pages_to_look_at() -> None:
    found = pages.templates()
    assert {"/", "/login", "/status", "/incidents"} <= set(found)


async def test_whoever_is_not_signed_in_is_led_to_sign_in_and_back(
    visit: Opener, site: Site
) -> None:
    seen = await visit("/incidents")
    assert "/login" in seen.page.url
    await seen.page.get_by_label("Mail address").fill("mara@demo.example.org")
    await seen.page.get_by_label("Password").fill(site.passwords["Mara"])
    await seen.page.get_by_role("button", name="Sign in").click()
    await seen.page.wait_for_url("**/incidents")


async def test_a_page_is_never_shown_in_a_frame(visit: Opener, site: Site) -> None:
    seen = await visit("/status")
    headers = (await seen.page.request.get(site.url + "/login")).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
