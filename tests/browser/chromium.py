"""The browser: Debian's Chromium, wherever it is. Nothing is ever downloaded."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = (
    "No Chromium is installed (Debian: apt-get install --no-install-recommends chromium); one"
    " elsewhere can be named by TOCSIN_CHROMIUM."
)


def found() -> str | None:
    """Where the browser is: as TOCSIN_CHROMIUM says, or at a usual place."""
    named = os.environ.get("TOCSIN_CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@asynccontextmanager
async def browsing(path: str) -> AsyncIterator[Browser]:
    """A browser for as long as the block lasts. It finds its way to this machine alone."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path,
            args=[
                # As root there is no sandbox, and a container has little shared memory.
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
            ],
        )
        try:
            yield browser
        finally:
            await browser.close()
