"""A browser's page under watch: whatever goes wrong in it is a fault of the test."""

import re
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import (
    BrowserContext,
    CDPSession,
    ConsoleMessage,
    Page,
    Request,
    Response,
    expect,
)

THEMES = ("light", "dark")
PATIENCE = 30_000  # ms
OWN = re.compile(r"(?:https?|ws)://(?:127\.0\.0\.1|localhost)(?::\d+)?/|data:|blob:|about:")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ALL = {"type": "tag", "values": RULES}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
AXE = Axe()
HEAVIEST = 150_000  # bytes, compressed, of a page with all that it loads
MOST_SHIFT = 0.01  # of what was shown already
# How much of the layout moved by itself; what moves because somebody did something counts not.
SHIFTS = """
    window.shifted = [];
    new PerformanceObserver((list) => {
        for (const one of list.getEntries()) {
            if (!one.hadRecentInput) window.shifted.push([one.value, one.sources.map(
                (source) => source.node?.nodeName + "." + (source.node?.className ?? ""))]);
        }
    }).observe({ type: "layout-shift", buffered: true });
"""


@dataclass
class Scales:
    """What a page loads, by address."""

    session: CDPSession  # kept, for as long as it counts
    weights: dict[str, int] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def asked(self, event: dict[str, Any]) -> None:
        self._names[event["requestId"]] = event["request"]["url"]

    def came(self, event: dict[str, Any]) -> None:
        name = self._names.get(event["requestId"], "?")
        self.weights[name] = self.weights.get(name, 0) + int(event["encodedDataLength"])

    def is_light(self) -> None:
        """All of it together is no more than a page may weigh."""
        total = sum(self.weights.values())
        assert total > 0, "nothing was weighed"
        heaviest = sorted(self.weights.items(), key=lambda one: -one[1])[:8]
        assert total < HEAVIEST, f"{total:,} bytes; the heaviest: {heaviest}"


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

    async def stands_still(self) -> None:
        """Nothing that was shown already moved when something else came."""
        moved = await self.page.evaluate("window.shifted")
        total = sum(value for value, _ in moved)
        assert total < MOST_SHIFT, f"{self.page.url} moved by {total:.3f}: {moved}"

    async def weigh(self) -> Scales:
        """Count the bytes that come from here on, as if nothing was kept from before."""
        session = await self.page.context.new_cdp_session(self.page)
        await session.send("Network.enable")
        await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        scales = Scales(session)
        session.on("Network.requestWillBeSent", scales.asked)
        session.on("Network.loadingFinished", scales.came)
        return scales

    async def fits(self) -> None:
        """Nothing makes the page wider than the screen."""
        wider = await self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wider <= 0, f"{self.page.url} is {wider} px wider than the screen"

    async def is_accessible(self, *, colours_alone: bool = False) -> None:
        """axe finds nothing, in the theme that the page is shown in."""
        rules = COLOURS if colours_alone else ALL
        options = {"runOnly": rules, "resultTypes": ["violations"]}
        found = await AXE.run(self.page, options=options)
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
