"""The other button of a page's link: whoever cannot take it calls who comes next, once."""

import asyncio

import httpx

from app.core.security import Signer
from tests.web.test_acknowledge_link import Paged, shown
from tests.world import World


async def two_steps(world: World, signer: Signer) -> Paged:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana Díaz")
    ben = await world.person("ben@example.org", full_name="Ben Ng")
    await world.policy(admin, [(0, {"user": ana.id}), (30, {"user": ben.id})])
    number = (await world.declare(admin))["id"]
    await world.climb()
    return Paged(world, signer, admin, ana, number)


async def recipients(paged: Paged) -> list[str]:
    pages = await paged.world.notifications(paged.admin, paged.number)
    return [page["user_name"] for page in pages if page["kind"] == "page"]


async def test_the_button_pages_whoever_comes_next_as_the_person_who_was_paged(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    paged = await two_steps(world, signer)
    link = await paged.link()
    answer = await client.post(f"{link}/escalate")
    page = shown(answer)
    assert "You have escalated it" in page.text
    assert answer.headers["tocsin-done"] == "yes"
    assert page.all("form") == []
    await world.climb()
    assert (await paged.incident())["status"] == "open"
    assert "escalated" in await paged.timeline()
    assert len(set(await recipients(paged))) == 2


async def test_a_link_acts_once_whichever_button_was_pressed(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    paged = await two_steps(world, signer)
    link = await paged.link()
    answers = await asyncio.gather(*(client.post(f"{link}/escalate") for _ in range(4)))
    assert sum("You have escalated it" in shown(answer).text for answer in answers) == 1
    assert (await paged.timeline()).count("escalated") == 1
    again = await client.post(link)
    assert "This link was used already" in shown(again).text
    assert again.headers["tocsin-done"] == "no"
    assert (await paged.incident())["status"] == "open"


async def test_what_somebody_has_is_not_escalated_by_an_old_link(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    paged = await two_steps(world, signer)
    link = await paged.link()
    await world.act(paged.admin, paged.number, "acknowledge")
    before = await paged.timeline()
    page = shown(await client.post(f"{link}/escalate"))
    assert "has acknowledged this incident" in page.text
    assert await paged.timeline() == before


async def test_reading_the_address_of_the_button_does_nothing(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    paged = await two_steps(world, signer)
    before = await paged.timeline()
    answer = await client.get(f"{await paged.link()}/escalate")
    assert answer.status_code in (404, 405)
    assert await paged.timeline() == before


async def test_a_made_up_link_escalates_nothing(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    paged = await two_steps(world, signer)
    forged = "/a/" + signer.link("unsubscribe", 1)
    shown(await client.post(f"{forged}/escalate"), 404)
    assert "escalated" not in await paged.timeline()
