"""One service with the demo in it and one browser for the run; for each test, pages under watch."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, ViewportSize

from app.db.embedded import EmbeddedPostgres
from app.domain.demo import MADE_UP
from tests.absent import absent
from tests.browser import chromium
from tests.browser.serving import Serving
from tests.browser.watching import PATIENCE, SHIFTS, Watched, opened
from tests.channels import servers
from tests.channels.servers import mail_server
from tests.conftest import copy_of_template

WIDE = ViewportSize(width=1440, height=900)
PHONE = ViewportSize(width=360, height=740)
CHROMIUM = chromium.found()  # now: the tests see no setting from outside
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first waits until the demo is told and the browser is there."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(400))


@dataclass
class Site:
    """The service, and who can sign in to it."""

    serving: Serving
    passwords: dict[str, str]
    mail: servers.Mailbox
    signed_in: dict[str, Any] = field(default_factory=dict)  # what their browsers keep

    @property
    def url(self) -> str:
        return self.serving.url


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        absent("Chromium", "chromium; one elsewhere can be named by TOCSIN_CHROMIUM")
    async with chromium.browsing(CHROMIUM) as running:
        yield running


@pytest.fixture(scope="session")
async def site(
    _no_settings_from_outside: None,
    server: EmbeddedPostgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Site]:
    data_dir = tmp_path_factory.mktemp("browser")
    async with copy_of_template(server, f"browser_{os.getpid()}") as url:
        with (
            mail_server() as mail,
            Serving(url, data_dir, smtp_url=f"smtp://127.0.0.1:{mail.port}") as serving,
        ):
            yield Site(serving, await serving.tell_the_demo(), mail)


Opener = Callable[..., Awaitable[Watched]]


@pytest.fixture
async def visit(browser: Browser, site: Site) -> AsyncIterator[Opener]:
    """Opens a page in a browser of its own; `who` signs in first. What went wrong in any of them
    is a fault of the test."""
    contexts: list[BrowserContext] = []
    watched: list[Watched] = []

    async def visit(path: str | None = None, *, who: str | None = None, **options: Any) -> Watched:
        kept = {"storage_state": site.signed_in[who]} if who in site.signed_in else {}
        context = await browser.new_context(
            **{"viewport": WIDE, "reduced_motion": "reduce", **kept, **options}
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = await opened(context, site.url)
        watched.append(page)
        if who is not None and not kept:
            await sign_in(page, site, who)
            site.signed_in[who] = await context.storage_state()
        if path is not None:
            await page.open(path)
        return page

    yield visit
    for context in contexts:
        await context.close()
    for page in watched:
        page.end()


@pytest.fixture(scope="session")
async def kept(browser: Browser) -> AsyncIterator[dict[str | None, BrowserContext]]:
    """Browsers that stay open for the run, by who is signed in."""
    contexts: dict[str | None, BrowserContext] = {}
    yield contexts
    for context in contexts.values():
        await context.close()


@pytest.fixture
async def look(
    browser: Browser, site: Site, kept: dict[str | None, BrowserContext]
) -> AsyncIterator[Opener]:
    """A blank page of a browser that stays open, which is quicker than one of its own: for tests
    that look and do nothing. What goes wrong in it is a fault of the test."""
    watched: list[Watched] = []

    async def look(*, who: str | None = None) -> Watched:
        if who not in kept:
            context = await browser.new_context(viewport=WIDE, reduced_motion="reduce")
            context.set_default_timeout(PATIENCE)
            await context.add_init_script(SHIFTS)
            kept[who] = context
            if who is not None:
                first = await opened(context, site.url)
                await sign_in(first, site, who)
                await first.page.close()
        watched.append(await opened(kept[who], site.url))
        return watched[-1]

    yield look
    for page in watched:
        await page.page.close()
        page.end()


async def sign_in(watched: Watched, site: Site, who: str) -> None:
    """Sign in by the form, as somebody of the demo by their first name."""
    page = await watched.open("/login")
    await page.get_by_label("Mail address").fill(f"{who.lower()}@{MADE_UP}")
    await page.get_by_label("Password").fill(site.passwords[who])
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(lambda url: "/login" not in url)
