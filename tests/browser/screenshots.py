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

from playwright.async_api import Page, ViewportSize

from app.db import migrations
from app.db.embedded import EmbeddedPostgres
from tests.browser import chromium, pages
from tests.browser.conftest import PHONE, WIDE, Site, sign_in
from tests.browser.serving import Serving
from tests.browser.watching import THEMES, Watched, opened
from tests.channels.servers import mail_server

ROOT = Path(__file__).parents[2]
# What the README shows, what it is called there, and how high it is.
SHOWN = {
    "/": ("home", 640),
    "/incidents/{incident_id}": ("incident", 960),
    "/schedules/{schedule_id}": ("schedule", 900),
    "/status": ("status", 1440),
}
QUALITY = 80
HEAVIEST = 150_000  # bytes
NARROW = ViewportSize(width=768, height=1024)


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
            with (
                mail_server() as mail,
                Serving(url, folder, smtp_url=f"smtp://127.0.0.1:{mail.port}") as serving,
            ):
                site = Site(serving, await serving.tell_the_demo(), mail)
                await _take_all(site, path, into, everything=everything)


async def _take_all(site: Site, path: str, into: Path, *, everything: bool) -> None:
    wanted = pages.templates() if everything else list(SHOWN)
    database = site.serving.service.database
    found = {
        template: await site.serving.there(pages.address(template, database)) for template in wanted
    }
    sizes = {"phone": PHONE, "tablet": NARROW, "wide": WIDE}
    async with chromium.browsing(path) as browser:
        for theme in THEMES:
            context = await browser.new_context(color_scheme=theme, reduced_motion="reduce")
            seen = await opened(context, site.url)
            await sign_in(seen, site, "Ada")
            for template, address in found.items():
                if not everything:
                    name, height = SHOWN[template]
                    await _open(seen, address, ViewportSize(width=WIDE["width"], height=height))
                    await _shoot(seen.page, into / f"{name}-{theme}.webp")
                    continue
                for name, size in sizes.items():
                    await _open(seen, address, size)
                    file = into / f"{_name(template)}-{name}-{theme}.png"
                    await seen.page.screenshot(path=file, full_page=True)
            await context.close()


async def _open(seen: Watched, address: str, size: ViewportSize) -> None:
    await seen.page.set_viewport_size(size)
    await seen.open(address)
    await seen.is_settled()


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
    return re.sub(r"[^a-z]+", "-", template.lower()).strip("-") or "home"


if __name__ == "__main__":
    with_all = "--all" in sys.argv[1:]
    chosen = [one for one in sys.argv[1:] if not one.startswith("--")]
    folder = Path(chosen[0]) if chosen else ROOT / "docs" / "images"
    asyncio.run(take(folder, everything=with_all))
