"""The link in a page: reading it changes nothing, its button acknowledges, once."""

import asyncio
import base64
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from app.core.security import Signer
from app.services.notification import LINK_PURPOSE
from tests.web.html import Page, directives, read
from tests.world import Person, World


@dataclass
class Paged:
    """Somebody who was paged about an incident, with the link that the page bore."""

    world: World
    signer: Signer
    admin: Person
    ana: Person
    number: int

    async def link(self) -> str:
        """The link of the newest page."""
        pages = await self.world.notifications(self.admin, self.number)
        return "/a/" + self.signer.link(LINK_PURPOSE, pages[-1]["id"])

    async def incident(self) -> dict[str, Any]:
        path = f"/v1/incidents/{self.number}"
        found: dict[str, Any] = await self.world.call("GET", path, self.admin)
        return found

    async def timeline(self) -> list[str]:
        return await self.world.timeline(self.admin, self.number)


async def page_ana(world: World, signer: Signer, **fields: Any) -> Paged:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana Díaz")
    await world.policy(admin, [(0, {"user": ana.id})])
    number = (await world.declare(admin, **fields))["id"]
    await world.climb()
    return Paged(world, signer, admin, ana, number)


def shown(answer: httpx.Response, status: int = 200) -> Page:
    """The page that was answered, under the headers that every such page must have."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-frame-options"] == "DENY"
    policy = directives(answer.headers["content-security-policy"])
    assert policy["default-src"] == policy["frame-ancestors"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == ["'self'"]
    page = read(answer.text)
    assert {"name": "robots", "content": "noindex"} in page.all("meta")
    return page


async def test_reading_a_link_changes_nothing_however_often(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    paged = await page_ana(world, signer)
    before, told, link = await paged.incident(), await paged.timeline(), await paged.link()
    rows = await world.sql("SELECT * FROM notifications")

    first, second = await client.get(link), await client.get(link)

    assert shown(first).text == shown(second).text
    assert await paged.incident() == before
    assert await paged.timeline() == told
    assert await world.sql("SELECT * FROM notifications") == rows


async def test_the_page_says_what_is_wrong_and_as_whom_one_would_acknowledge(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    paged = await page_ana(world, signer, title="Disk of db1 full", severity="critical")
    page = shown(await client.get(await paged.link()))
    assert "Disk of db1 full" in page.text
    assert "SEV1 Critical" in page.text
    assert "database" in page.text
    assert "Acknowledge as Ana Díaz" in page.text
    assert page.all("form") == [
        {"method": "post"},
        {"method": "post", "action": f"{await paged.link()}/escalate"},
    ]
    assert len(page.all("button")) == 2


async def test_the_button_acknowledges_as_the_person_who_was_paged(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    paged = await page_ana(world, signer)

    page = shown(await client.post(await paged.link()))

    assert "You have acknowledged it" in page.text
    assert page.all("form") == []
    incident = await paged.incident()
    assert (incident["status"], incident["acknowledged_by"]) == ("acknowledged", paged.ana.id)
    assert incident["assigned_to"] == paged.ana.id
    assert (await paged.timeline())[-1] == "acknowledged"
    assert {n["status"] for n in await world.notifications(paged.admin, paged.number)} == {
        "cancelled"
    }


async def test_a_second_press_says_so_and_changes_nothing(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    paged = await page_ana(world, signer)
    link = await paged.link()
    await client.post(link)
    before, told = await paged.incident(), await paged.timeline()

    again, reading = await client.post(link), await client.get(link)

    for answer in (again, reading):
        page = shown(answer)
        assert "Ana Díaz has acknowledged this incident" in page.text
        assert page.all("form") == []
    assert await paged.incident() == before
    assert await paged.timeline() == told


async def test_five_presses_at_once_acknowledge_once(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    paged = await page_ana(world, signer)
    link = await paged.link()
    answers = await asyncio.gather(*(client.post(link) for _ in range(5)))
    pages = [shown(answer) for answer in answers]
    assert sum("You have acknowledged it" in page.text for page in pages) == 1
    assert (await paged.timeline()).count("acknowledged") == 1


async def test_when_somebody_else_was_first_the_page_says_who(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    paged = await page_ana(world, signer)
    ben = await world.person("ben@example.org", full_name="Ben Ng")
    await world.act(ben, paged.number, "acknowledge")
    for answer in (await client.get(await paged.link()), await client.post(await paged.link())):
        assert "Ben Ng has acknowledged this incident" in shown(answer).text
    assert (await paged.incident())["acknowledged_by"] == ben.id


async def test_a_resolved_incident_has_nothing_left_to_do(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    paged = await page_ana(world, signer)
    await world.act(paged.admin, paged.number, "resolve")
    before = await paged.incident()
    for answer in (await client.get(await paged.link()), await client.post(await paged.link())):
        page = shown(answer)
        assert "This incident is resolved" in page.text
        assert page.all("form") == []
    assert await paged.incident() == before


async def test_after_a_reopening_a_used_link_points_to_the_newest_page(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    paged = await page_ana(world, signer)
    old = await paged.link()
    await client.post(old)
    await world.act(paged.admin, paged.number, "resolve")
    await world.act(paged.admin, paged.number, "reopen")
    await world.climb()
    new = await paged.link()
    assert new != old

    for answer in (await client.get(old), await client.post(old)):
        page = shown(answer)
        assert "use the link of the newest page" in page.text
        assert page.all("form") == []
    assert (await paged.incident())["status"] == "open"

    assert "You have acknowledged it" in shown(await client.post(new)).text
    assert (await paged.incident())["status"] == "acknowledged"


async def test_an_unused_link_of_before_a_reopening_still_acknowledges(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    paged = await page_ana(world, signer)
    link = await paged.link()
    await world.act(paged.admin, paged.number, "resolve")
    await world.act(paged.admin, paged.number, "reopen")
    assert "Acknowledge as Ana Díaz" in shown(await client.get(link)).text
    await client.post(link)
    assert (await paged.incident())["acknowledged_by"] == paged.ana.id


async def test_the_link_of_somebody_who_has_left_leads_nowhere(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    paged = await page_ana(world, signer)
    link = await paged.link()
    path = f"/v1/users/{paged.ana.id}"
    await world.call("PATCH", path, paged.admin, json={"is_active": False})
    for answer in (await client.get(link), await client.post(link)):
        page = shown(answer, 404)
        assert "leads nowhere" in page.text
        assert "Ana" not in page.text
        assert "Disk" not in page.text
    assert (await paged.incident())["status"] == "open"


async def test_a_link_that_we_never_made_leads_nowhere(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    paged = await page_ana(world, signer)
    token = (await paged.link()).removeprefix("/a/")
    (page,) = await world.notifications(paged.admin, paged.number)
    elsewhere = Signer("the secret key of some other installation")
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[7] ^= 1
    forged = [
        "x",
        token[:-1],
        token + "A",
        token[::-1],
        token.swapcase(),
        ("B" if token[-1] != "B" else "C") + token[1:],
        base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("="),
        f"{token}%3D",
        f"{token}%20",
        f"%20{token}",
        "x" * 5000,
        "%00",
        "%F0%9F%94%94",
        signer.link("unsubscribe", page["id"]),
        signer.link(LINK_PURPOSE, 999_999),
        elsewhere.link(LINK_PURPOSE, page["id"]),
        paged.ana.headers["Authorization"].split()[1],
    ]
    for made in forged:
        for answer in (await client.get(f"/a/{made}"), await client.post(f"/a/{made}")):
            assert "leads nowhere" in shown(answer, 404).text, made
    assert (await paged.incident())["status"] == "open"


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "'&amp;"]
)
async def test_a_hostile_text_is_shown_as_text(
    world: World, signer: Signer, client: httpx.AsyncClient, text: str
) -> None:
    paged = await page_ana(world, signer, title=text, service=text)
    path = f"/v1/users/{paged.ana.id}"
    await world.call("PATCH", path, paged.admin, json={"full_name": text})
    for answer in (await client.get(await paged.link()), await client.post(await paged.link())):
        page = shown(answer)
        assert text in page.text
        assert all("src" in one for one in page.all("script"))  # ours
        assert page.all("img") == []


async def test_a_link_needs_no_login_and_heeds_none(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    paged = await page_ana(world, signer)
    await client.post(await paged.link(), headers=paged.admin.headers)
    assert (await paged.incident())["acknowledged_by"] == paged.ana.id
