"""Tocsin as an app: its service worker shows pushes, presses their buttons, and keeps nothing but
the page without a network."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from playwright.async_api import CDPSession, Worker, expect

from app.services.notification import LINK_PURPOSE
from tests.browser.conftest import PHONE, Opener, Site
from tests.browser.mailbox import TRIES
from tests.browser.watching import Watched
from tests.contract.served import RealTime
from tests.world import Person, World

pytestmark = pytest.mark.browser


class Paged:
    """Somebody's page about an incident that was declared just now, and the link in it."""

    def __init__(self, site: Site) -> None:
        self.serving = site.serving
        service = self.serving.service
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.serving.app), base_url="https://tocsin.test"
        )
        self.world = World(service.database, service, client, RealTime(service.database))
        self.number = 0
        self.link = ""
        self._who: Person | None = None

    async def begin(self) -> None:
        """On the server's loop: declare it, and wait until the loops have paged for it."""
        [row] = await self.world.sql("SELECT id FROM users WHERE role = 'admin' ORDER BY id")
        self._who = await self.world.login(row[0])
        declared = await self.world.declare(self._who, service="search", title="Search is down")
        self.number = declared["id"]
        for _ in range(TRIES):
            pages = await self.world.notifications(self._who, self.number)
            if pages:
                link = self.world.service.signer.link(LINK_PURPOSE, pages[0]["id"])
                self.link = f"/a/{link}"
                return
            await asyncio.sleep(0.05)
        raise AssertionError("nobody was paged")

    async def timeline(self) -> list[str]:
        assert self._who is not None
        return await self.world.timeline(self._who, self.number)

    def push(self, origin: str, **more: Any) -> dict[str, Any]:
        """What our server pushes about it."""
        return {
            "title": "SEV2: Search is down",
            "body": f"#{self.number} · search",
            "tag": f"incident-{self.number}",
            "data": {
                "type": "incident.paged",
                "incident_id": self.number,
                "acknowledge_url": origin + self.link,
                **more,
            },
        }


async def paged(site: Site) -> Paged:
    made = Paged(site)
    await site.serving.there(made.begin())
    return made


class Pushing:
    """A browser that gets pushes: Chromium delivers them as its push service would."""

    def __init__(self, seen: Watched, worker: Worker, session: CDPSession) -> None:
        self.seen = seen
        self.worker = worker
        self._session = session
        self._registration = ""

    @classmethod
    async def begin(cls, seen: Watched) -> "Pushing":
        context = seen.page.context
        await context.grant_permissions(["notifications"], origin=seen.url)
        await seen.open("/")
        await seen.page.evaluate("navigator.serviceWorker.ready.then(() => null)")
        session = await context.new_cdp_session(seen.page)
        found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def registered(event: dict[str, Any]) -> None:
            for one in event["registrations"]:
                if not one["isDeleted"] and not found.done():
                    found.set_result(one["registrationId"])

        session.on("ServiceWorker.workerRegistrationUpdated", registered)
        await session.send("ServiceWorker.enable")
        made = cls(seen, context.service_workers[0], session)
        made._registration = await asyncio.wait_for(found, 20)
        return made

    async def deliver(self, said: dict[str, Any] | str) -> None:
        data = said if isinstance(said, str) else json.dumps(said)
        what = {"origin": self.seen.url, "registrationId": self._registration, "data": data}
        await self._session.send("ServiceWorker.deliverPushMessage", what)

    async def shown(self, title: str) -> dict[str, Any]:
        """The notification that begins so, once it is there."""
        for _ in range(TRIES):
            for one in await self.worker.evaluate(
                "() => self.registration.getNotifications().then((all) => all.map((n) => ({"
                "title: n.title, body: n.body, tag: n.tag, actions: n.actions, data: n.data})))"
            ):
                if one["title"].startswith(title):
                    return dict(one)
            await asyncio.sleep(0.05)
        raise AssertionError(f"no notification “{title}”")

    async def press(self, action: str) -> None:
        """Press a button of the newest notification, as the system tells the worker."""
        await self.worker.evaluate(
            """async (action) => {
                const [notification] = await self.registration.getNotifications();
                const event = new NotificationEvent("notificationclick", { notification, action });
                let done;
                Object.defineProperty(event, "waitUntil", { value: (work) => { done = work; } });
                self.dispatchEvent(event);
                await done;
            }""",
            action,
        )


async def test_a_push_has_buttons_and_one_of_them_acknowledges(visit: Opener, site: Site) -> None:
    about = await paged(site)
    browser = await Pushing.begin(await visit(who="Mara", viewport=PHONE))
    await browser.deliver(about.push(site.url))
    shown = await browser.shown("SEV2: Search is down")
    assert [one["action"] for one in shown["actions"]] == ["acknowledge", "escalate"]
    await browser.press("acknowledge")
    assert (await browser.shown("SEV2"))["body"] == "You have it. Paging has stopped."
    assert "acknowledged" in await site.serving.there(about.timeline())
    await browser.deliver(about.push(site.url))
    await browser.press("escalate")
    assert "Somebody was first" in (await browser.shown("SEV2"))["body"]


async def test_the_other_button_calls_whoever_comes_next(visit: Opener, site: Site) -> None:
    about = await paged(site)
    browser = await Pushing.begin(await visit(who="Mara", viewport=PHONE))
    await browser.deliver(about.push(site.url))
    await browser.shown("SEV2")
    await browser.press("escalate")
    assert "Escalated" in (await browser.shown("SEV2"))["body"]
    assert "escalated" in await site.serving.there(about.timeline())


async def test_a_push_never_makes_the_browser_ask_another_server(visit: Opener, site: Site) -> None:
    about = await paged(site)
    browser = await Pushing.begin(await visit(who="Mara"))
    await browser.deliver(about.push("https://elsewhere.example.org"))
    shown = await browser.shown("SEV2")
    assert shown["data"]["link"] == about.link  # its path, which is asked for here
    await browser.deliver(about.push(site.url, acknowledge_url=f"{site.url}/logout"))
    await browser.deliver(
        {**about.push(site.url, acknowledge_url="javascript:alert(1)"), "title": "SEV9"}
    )
    assert (await browser.shown("SEV9"))["actions"] == []


async def test_a_drill_can_only_be_answered_and_what_is_no_json_is_shown(
    visit: Opener, site: Site
) -> None:
    about = await paged(site)
    browser = await Pushing.begin(await visit(who="Mara"))
    await browser.deliver(about.push(site.url, is_drill=True))
    shown = await browser.shown("SEV2")
    assert [one["title"] for one in shown["actions"]] == ["Answer"]
    await browser.deliver("not json")
    await browser.shown("Tocsin")


async def test_without_a_network_it_says_so_and_shows_nothing_old(
    visit: Opener, site: Site
) -> None:
    seen = await visit(who="Mara", viewport=PHONE)
    await Pushing.begin(seen)
    await seen.open("/incidents")
    await seen.page.context.set_offline(True)
    seen.expects_outage = True
    await seen.page.goto(f"{site.url}/incidents")
    await expect(seen.page.locator("h1")).to_have_text("Tocsin cannot be reached")
    kept = await seen.page.evaluate(
        "caches.keys().then((all) => Promise.all(all.map((name) => caches.open(name)"
        ".then((one) => one.keys())))).then((all) => all.flat().map((one) => one.url))"
    )
    assert sorted(one.removeprefix(site.url) for one in kept) == [
        "/offline",
        "/static/css/pages/offline.css",
        "/static/icons/tocsin.svg",
    ]
    await seen.page.context.set_offline(False)


async def test_it_can_be_installed(visit: Opener, site: Site) -> None:
    seen = await visit("/", who="Mara")
    address = await seen.page.locator("link[rel=manifest]").get_attribute("href")
    manifest = await (await seen.page.request.get(f"{site.url}{address}")).json()
    assert (manifest["display"], manifest["start_url"]) == ("standalone", "/")
    for icon in manifest["icons"]:
        answer = await seen.page.request.get(site.url + icon["src"])
        assert answer.ok
        assert answer.headers["content-type"].startswith("image/")
