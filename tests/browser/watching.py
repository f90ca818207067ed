"""A browser's page under watch: whatever goes wrong in it is a fault of the test."""

import re
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request, Response, expect

THEMES = ("light", "dark")
PATIENCE = 30_000  # ms
OWN = re.compile(r"(?:https?|ws)://(?:127\.0\.0\.1|localhost)(?::\d+)?/|data:|blob:|about:")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass
class Watched:
    """A page, and everything that it, or its policy, complained of."""

    page: Page
    url: str  # of the service
    faults: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)  # statuses that a test asks for on purpose
    expects_outage: bool = False

    def begin(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("request", self._asked)
        self.page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        # A status is told by `response`; with it, whether it was meant.
        is_status = message.text.startswith("Failed to load resource")
        if message.type == "error" and not is_status and not self.expects_outage:
            self.faults.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if not OWN.match(request.url):
            self.faults.append(f"asked elsewhere: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.faults.append(f"{response.status}: {response.request.method} {response.url}")

    async def open(self, path: str) -> Page:
        """Go there; the page is loaded, with its styles and scripts."""
        await self.page.goto(self.url + path, wait_until="load")
        return self.page

    async def is_settled(self) -> None:
        """Wait until htmx has put in what it fetches by itself; a stream never ends."""
        await expect(self.page.locator(".htmx-request")).to_have_count(0, timeout=PATIENCE)

    async def fits(self) -> None:
        """Nothing makes the page wider than the screen."""
        wider = await self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wider <= 0, f"{self.page.url} is {wider} px wider than the screen"

    async def is_accessible(self) -> None:
        """axe finds nothing, in the theme that the page is shown in."""
        found = await Axe().run(self.page, options={"runOnly": {"type": "tag", "values": RULES}})
        told = [_told(violation) for violation in found.response["violations"]]
        assert told == [], f"{self.page.url}:\n" + "\n".join(told)

    def end(self) -> None:
        """Nothing went wrong."""
        assert self.faults == []


def _told(violation: dict[str, Any]) -> str:
    where = "; ".join(" ".join(map(str, node["target"])) for node in violation["nodes"][:3])
    why = violation["nodes"][0].get("failureSummary", "").replace("\n", " ")[:300]
    return f"{violation['id']} at {where}: {why}"


async def opened(context: BrowserContext, url: str) -> Watched:
    """A new page of this context, under watch."""
    watched = Watched(await context.new_page(), url)
    watched.begin()
    return watched
