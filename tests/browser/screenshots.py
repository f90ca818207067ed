"""Pictures of the demo for people who look on: `make screenshots`, into docs/screenshots.

Everything is made up and nothing of this machine is in them: a database of its own, the demo's
story, a port of the moment.
"""

import asyncio
import re
import sys
import tempfile
from pathlib import Path

from app.db import migrations
from app.db.embedded import EmbeddedPostgres
from tests.browser import chromium, pages
from tests.browser.conftest import PHONE, WIDE, Site, sign_in
from tests.browser.serving import Serving
from tests.browser.watching import THEMES, opened
from tests.channels.servers import Mailbox

ROOT = Path(__file__).parents[2]
# What the README shows; everything else is taken with --all, for whoever looks at all of it.
SHOWN = {
    "/": "home",
    "/incidents": "incidents",
    "/incidents/{incident_id}": "incident",
    "/status": "status",
}
ALONE = "/status"  # also as a phone has it
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
    sizes = {"phone": PHONE, "tablet": NARROW, "wide": WIDE} if everything else {"wide": WIDE}
    async with chromium.browsing(path) as browser:
        for theme in THEMES:
            context = await browser.new_context(color_scheme=theme, reduced_motion="reduce")
            seen = await opened(context, site.url)
            await sign_in(seen, site, "Ada")
            for template, address in found.items():
                await seen.open(address)
                await seen.is_settled()
                asked = dict(sizes) | ({"phone": PHONE} if template == ALONE else {})
                for name, size in asked.items():
                    await seen.page.set_viewport_size(size)
                    file = into / f"{_name(template)}-{name}-{theme}.png"
                    await seen.page.screenshot(path=file, full_page=everything)
            await context.close()


def _name(template: str) -> str:
    return SHOWN.get(template) or re.sub(r"[^a-z]+", "-", template.lower()).strip("-")


if __name__ == "__main__":
    with_all = "--all" in sys.argv[1:]
    chosen = [one for one in sys.argv[1:] if not one.startswith("--")]
    folder = Path(chosen[0]) if chosen else ROOT / "docs" / "screenshots"
    asyncio.run(take(folder, everything=with_all))
