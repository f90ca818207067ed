"""Draws the PNG icons from the SVG ones: `python -m tests.browser.icons`. They are committed."""

import asyncio
from pathlib import Path

from tests.browser import chromium

ICONS = Path(__file__).parents[2] / "app" / "web" / "static" / "icons"
DRAWN = (("tocsin", 180), ("tocsin", 192), ("tocsin", 512), ("maskable", 512), ("badge", 96))


async def draw() -> None:
    path = chromium.found()
    if path is None:
        raise SystemExit(chromium.MISSING)
    async with chromium.browsing(path) as browser:
        for name, size in DRAWN:
            page = await browser.new_page(viewport={"width": size, "height": size})
            svg = (ICONS / f"{name}.svg").read_text()
            svg = svg.replace("<svg ", f'<svg width="{size}" height="{size}" ', 1)
            await page.set_content(f'<body style="margin:0">{svg}')
            await page.screenshot(path=ICONS / f"{name}-{size}.png", omit_background=True)
            await page.close()


if __name__ == "__main__":
    asyncio.run(draw())
