"""What was done by mistake is undone from the toast that tells of it."""

import base64
import json

import pytest

from app.core.security import COOKIE
from tests.duty import schedule
from tests.web.consoles import HTML, Console, console
from tests.web.html import Page, read
from tests.world import World


async def after(who: Console, path: str, cookie: str) -> Page:
    """A page as the browser has it that holds this sentence."""
    cookies = f"__Host-{COOKIE}={who.cookie}; tocsin-said={cookie}"
    answer = await who.world.client.get(path, headers={**HTML, "Cookie": cookies})
    who.world.client.cookies.clear()
    assert answer.status_code == 200
    return read(answer.text)


def offered(page: Page) -> str | None:
    """The form that is sent by the button in the toast."""
    before = None
    for name, attributes in page.elements:
        if name == "form":
            before = attributes.get("action")
        if attributes.get("class") == "toast-undo":
            return before
    return None


async def sentence(who: Console, path: str, form: dict[str, str] | None = None) -> str:
    answer = await who.post(path, form)
    assert answer.status_code == 303
    return str(answer.cookies.get("tocsin-said", "")) or (
        answer.headers["set-cookie"].split("tocsin-said=")[1].split(";")[0].strip('"')
    )


async def state(world: World) -> tuple[str, bool, bool]:
    rows = await world.sql(
        "SELECT status, snoozed_until IS NOT NULL, deleted_at IS NOT NULL FROM incidents"
    )
    status, snoozed, deleted = rows[0]
    return str(status), bool(snoozed), bool(deleted)


@pytest.mark.parametrize(
    ("act", "form", "done", "undone"),
    [
        ("resolve", {}, ("resolved", False, False), ("open", False, False)),
        ("snooze", {"minutes": "30"}, ("open", True, False), ("open", False, False)),
        ("delete", {}, ("resolved", False, True), ("resolved", False, False)),
    ],
)
async def test_what_became_of_an_incident_is_undone(
    world: World,
    act: str,
    form: dict[str, str],
    done: tuple[str, bool, bool],
    undone: tuple[str, bool, bool],
) -> None:
    ada = await console(world, await world.admin())
    number = (await world.declare(ada.person))["id"]
    told = await sentence(ada, f"/incidents/{number}/{act}", form)
    assert await state(world) == done
    way = offered(await after(ada, "/incidents", told))
    assert way is not None
    await ada.do(way)
    assert await state(world) == undone


async def test_what_cannot_be_undone_offers_nothing(world: World) -> None:
    ana = await console(world, await world.person())
    number = (await world.declare(ana.person))["id"]
    told = await sentence(ana, f"/incidents/{number}/acknowledge")
    page = await after(ana, "/incidents", told)
    assert "You have it. Paging has stopped." in page.text
    assert offered(page) is None


@pytest.mark.parametrize(
    "planted",
    [
        ["Free money", "/users/1/deactivate", 1],
        ["Free money", "deleted", "1/../../users/1"],
        ["Free money", "deleted", -1],
        ["Free money", "deleted", 10**30],
        ["Free money", "gone", 1],
        {"words": "Free money"},
        "Free money",
        [["Free money"]],
    ],
)
async def test_a_planted_sentence_makes_no_form(world: World, planted: object) -> None:
    ana = await console(world, await world.person())
    cookie = base64.urlsafe_b64encode(json.dumps(planted).encode()).decode()
    assert offered(await after(ana, "/incidents", cookie)) is None


@pytest.mark.parametrize("junk", ["%%%", "e30", "////", "[" * 4000])
async def test_junk_is_no_sentence(world: World, junk: str) -> None:
    ana = await console(world, await world.person())
    assert offered(await after(ana, "/incidents", junk)) is None


async def test_only_an_admin_restores(world: World) -> None:
    ana = await console(world, await world.person())
    number = (await world.declare(ana.person))["id"]
    assert (await ana.post(f"/incidents/{number}/restore")).status_code == 403


async def test_the_pager_is_given_back_from_its_toast(world: World) -> None:
    ana = await console(world, await world.person())
    place = f"/schedules/{await schedule(world, await world.person('ben@example.org'))}"
    told = await sentence(ana, f"{place}/take", {"for_minutes": "60"})
    way = offered(await after(ana, place, told))
    assert way == f"{place}/give-back"
    assert await ana.do(way) == place
    assert "Take the pager now" in (await ana.page(place)).text
