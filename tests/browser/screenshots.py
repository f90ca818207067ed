"""Pictures of the demo for people who look on: `make screenshots`, into docs/images.

Everything is made up and nothing of this machine is in them: a database of its own, the demo's
story, a port of the moment. With --all every page is taken, for whoever looks at all of it.
"""

import asyncio
import base64
import re
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Page

from app.db import migrations
from app.db.embedded import EmbeddedPostgres
from tests.browser import chromium, pages
from tests.browser.conftest import PHONE, WIDE, Site, sign_in
from tests.browser.serving import Serving
from tests.browser.watching import THEMES, opened
from tests.channels.servers import Mailbox

ROOT = Path(__file__).parents[2]
# What the README shows, and what it is called there.
SHOWN = {
    "/": "home",
    "/incidents/{incident_id}": "incident",
    "/schedules/{schedule_id}": "schedule",
    "/status": "status",
}
QUALITY = 80
HEAVIEST = 150_000  # bytes
NARROW = {"width": 768, "height": 1024}


async def take(into: Path, *, everything: bool) -> None:
    """Take them, each in both themes."""
    path = chromium.found()
    if path is None:
        raise SystemExit(chromium.MISSING)
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tocsin-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as somebody else where we are root
        with EmbeddedPostgres(folder) as server:
            server.ensure_database("screenshots")
            url = server.url("screenshots")
            await asyncio.to_thread(migrations.upgrade, url)
            with Serving(url, folder) as serving:
                site = Site(serving, await serving.tell_the_demo(), Mailbox())
                await _take_all(site, path, into, everything=everything)


async def _take_all(site: Site, path: str, into: Path, *, everything: bool) -> None:
    wanted = pages.templates() if everything else list(SHOWN)
    database = site.serving.service.database
    found = {
        template: await site.serving.there(pages.address(template, database)) for template in wanted
    }
    sizes = {"phone": PHONE, "tablet": NARROW, "wide": WIDE} if everything else {"": WIDE}
    async with chromium.browsing(path) as browser:
        for theme in THEMES:
            context = await browser.new_context(color_scheme=theme, reduced_motion="reduce")
            seen = await opened(context, site.url)
            await sign_in(seen, site, "Ada")
            for template, address in found.items():
                for name, size in sizes.items():
                    await seen.page.set_viewport_size(size)
                    await seen.open(address)
                    await seen.is_settled()
                    file = into / "-".join(filter(None, (_name(template), name, theme)))
                    if everything:
                        await seen.page.screenshot(path=f"{file}.png", full_page=True)
                    else:
                        await _shoot(seen.page, file.with_suffix(".webp"))
            await context.close()


async def _shoot(page: Page, file: Path) -> None:
    """What is on the screen, small enough for a README."""
    session = await page.context.new_cdp_session(page)
    wanted = {"format": "webp", "quality": QUALITY}
    taken = await session.send("Page.captureScreenshot", wanted)
    file.write_bytes(base64.b64decode(taken["data"]))
    size = file.stat().st_size
    if size > HEAVIEST:
        raise SystemExit(f"{file.name} has {size:,} bytes, more than {HEAVIEST:,}.")


def _name(template: str) -> str:
    return SHOWN.get(template) or re.sub(r"[^a-z]+", "-", template.lower()).strip("-")


if __name__ == "__main__":
    with_all = "--all" in sys.argv[1:]
    chosen = [one for one in sys.argv[1:] if not one.startswith("--")]
    folder = Path(chosen[0]) if chosen else ROOT / "docs" / "images"
    asyncio.run(take(folder, everything=with_all))
