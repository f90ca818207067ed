"""The whole way, by people in three browsers: declared, acknowledged elsewhere and seen at once,
told to the public, mailed to a subscriber, resolved, learned from, published."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import PHONE, Opener, Site
from tests.browser.mailbox import Mailbox, link_in

pytestmark = pytest.mark.browser

SUBSCRIBER = "sam@readers.example.org"  # nobody of the demo: mail to those is never sent
TITLE = "Orders of the journey fail"
PUBLIC = "Some orders fail"


async def declare(page: Page, title: str) -> str:
    """Declare an incident by the form; where it is."""
    await page.get_by_label("What is wrong").fill(title)
    await page.locator("input[name=severity][value=critical]").check(force=True)
    await page.locator("#f-service").fill("checkout")
    await page.locator("#declare").get_by_role("button", name="Declare incident").click()
    await page.wait_for_url(re.compile(r"/incidents/\d+$"))
    return page.url.rpartition("/")[2]


async def subscribe(visit: Opener, mailbox: Mailbox) -> None:
    """Subscribe to everything by mail, on a phone, and follow the link that comes."""
    seen = await visit("/status/subscribe", viewport=PHONE, java_script_enabled=False)
    await seen.page.get_by_label("Where").fill(SUBSCRIBER)
    await seen.page.get_by_role("button", name="Send me the link").click()
    link = link_in(await mailbox.mail("/status/subscribe/"), "/status/subscribe/")
    await seen.open(link)
    await seen.page.get_by_role("button", name="Confirm").click()
    await expect(seen.page.locator(".done")).to_contain_text("You are subscribed")


async def tell(page: Page, status: str, body: str, button: str) -> None:
    """Tell the public by the form that is open."""
    await page.locator(f"input[name=status][value={status}]").check(force=True)
    await page.get_by_label("What they read").fill(body)
    await page.get_by_role("button", name=button, exact=True).click()
    await page.wait_for_url(re.compile(r"/incidents/\d+"))


async def test_from_the_first_word_to_the_last_lesson(visit: Opener, site: Site) -> None:
    mailbox = Mailbox(site.mail, SUBSCRIBER)
    await subscribe(visit, mailbox)

    # Declared by one, seen by the other without doing anything, and acknowledged there.
    mara = await visit("/incidents/new", who="Mara")
    jonas = await visit("/incidents", who="Jonas")
    number = await declare(mara.page, TITLE)
    row = jonas.page.get_by_role("link", name=TITLE)
    await expect(row.first).to_be_visible()
    await jonas.open(f"/incidents/{number}")
    await jonas.page.get_by_role("button", name="Acknowledge", exact=True).first.click()
    await expect(mara.page.locator(".answer")).to_contain_text("Jonas")

    # Told to the public: whoever looks sees it come, and the subscriber gets a mail.
    onlooker = await visit("/status")
    await mara.open(f"/incidents/{number}/public")
    await mara.page.get_by_label("Title for the public").fill(PUBLIC)
    await mara.page.get_by_label("Checkout", exact=True).select_option("partial_outage")
    await mara.page.locator("#f-impact").select_option("major")
    await tell(mara.page, "investigating", "We are **looking** into it.", "Publish")
    await expect(onlooker.page.locator("#main")).to_contain_text(PUBLIC)
    await expect(onlooker.page.locator("h1")).to_contain_text("Checkout is partly down")
    first = await mailbox.mail(PUBLIC)
    assert first["List-Unsubscribe"]
    assert TITLE not in first.as_string()
    one_click = str(first["List-Unsubscribe-Post"])
    assert one_click == "List-Unsubscribe=One-Click"

    # Resolved for the public, which resolves the incident.
    await mara.open(f"/incidents/{number}/public")
    await tell(mara.page, "resolved", "All orders go through again.", "Post the update")
    await expect(onlooker.page.locator("h1")).not_to_contain_text("Checkout")
    await mailbox.mail("All orders go through again.")
    await expect(jonas.page.locator(".answer")).to_contain_text("esolved")

    # Learned from, and published to everybody.
    await mara.open(f"/incidents/{number}/postmortem")
    await mara.page.get_by_role("button", name="Begin").first.click()
    await mara.page.wait_for_url(re.compile("postmortem/edit"))
    await mara.page.locator("#f-public_summary").fill(
        "A pool was too small; it grows by itself now."
    )
    await mara.page.get_by_role("button", name="Save").click()
    await mara.page.wait_for_url(re.compile("postmortem$"))
    await mara.page.get_by_role("button", name="Publish…").click()
    dialog = mara.page.get_by_role("dialog")
    await dialog.get_by_label("Show the public").check()
    await dialog.get_by_role("button", name="Publish the postmortem").click()
    await mara.page.wait_for_url(re.compile("postmortem$"))
    await onlooker.open("/status")
    await onlooker.page.get_by_role("link", name=PUBLIC).first.click()
    await expect(onlooker.page.locator("#main")).to_contain_text("it grows by itself now")
    await mailbox.mail("it grows by itself now")
