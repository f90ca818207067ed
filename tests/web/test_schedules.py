"""Schedules at the console: who is on call, where the holes are, and what can be done about it."""

import re
from datetime import date, timedelta

from app.domain.timeline import Interval
from app.domain.user import Role
from app.web import rota_chart
from app.web.wall import Wall
from tests.duty import midnight, schedule
from tests.web.consoles import Console, console
from tests.web.html import Page, read
from tests.world import Person, World


def rows(page: Page) -> list[str]:
    """The rows of the calendar, by their kinds."""
    return [
        found[1]
        for one in page.all("div")
        if (found := re.fullmatch(r"rota-row rota-(\w+)", one.get("class") or ""))
    ]


def bars(page: Page, kind: str) -> int:
    return sum((one.get("class") or "").startswith(f"bar-{kind} ") for one in page.all("svg"))


async def two(world: World) -> tuple[Console, Person, Person]:
    ana, ben = await world.person(full_name="Ana"), await world.person("ben@example.org")
    return await console(world, ana), ana, ben


async def test_the_list_says_who_is_on_call_and_until_when(world: World) -> None:
    page, ana, ben = await two(world)
    assert "No schedule yet" in (await page.page("/schedules")).text
    await schedule(world, ana, ben)
    shown = await page.page("/schedules")
    assert "Ana" in shown.text
    assert "then ben@example.org" in shown.text
    assert "No holes in 14 days" in shown.text
    assert "No such schedule" in (await page.page("/schedules?q=payments")).text
    assert "Primary" in (await page.page("/schedules?q=prim")).text


async def test_a_hole_is_named_with_its_length(world: World) -> None:
    page, ana, _ = await two(world)
    number = await schedule(world, ana)
    start = await midnight(world, days=1)
    layers = [
        {
            "shifts": [
                {
                    "starts": start.strftime("%Y-%m-%dT%H:%M"),
                    "ends": (start + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M"),
                    "user": ana.id,
                }
            ]
        }
    ]
    body = {"layers": layers, "allow_gaps": True}
    admin = await world.admin()
    await world.call("PATCH", f"/v1/schedules/{number}", admin, json=body)
    assert "holes in 14 days" in (await page.page("/schedules")).text
    shown = await page.page(f"/schedules/{number}")
    assert "Nobody is on call" in shown.text
    assert bars(shown, "gap") >= 2


async def test_the_calendar_has_a_final_row_on_top_and_one_for_each_layer(world: World) -> None:
    page, ana, ben = await two(world)
    number = await schedule(world, ana, ben)
    shown = await page.page(f"/schedules/{number}")
    assert rows(shown) == ["final", "layer"]
    assert len([one for one in shown.all("rect") if "rota-day" in (one.get("class") or "")]) == 14
    one_week = await page.page(f"/schedules/{number}?weeks=1")
    assert len([one for one in one_week.all("rect") if "rota-day" in (one.get("class") or "")]) == 7
    odd = await page.page(f"/schedules/{number}?weeks=99&from=never&zone=x")
    assert rows(odd) == ["final", "layer"]
    assert not [one for _, one in shown.elements if "style" in one]


async def test_before_it_was_there_nobody_was_missing(world: World) -> None:
    page, ana, _ = await two(world)
    number = await schedule(world, ana)
    assert bars(await page.page(f"/schedules/{number}?weeks=4"), "gap") == 0


async def test_somebody_is_put_on_call_by_the_form(world: World) -> None:
    page, ana, ben = await two(world)
    number = await schedule(world, ana)
    start = await midnight(world, days=1)
    form = {
        "user_id": str(ben.id),
        "starts_at": start.strftime("%Y-%m-%dT08:00"),
        "ends_at": start.strftime("%Y-%m-%dT10:00"),
        "_zone": "Europe/Berlin",
        "reason": "Dentist",
        "replaces": "",
    }
    assert await page.do(f"/schedules/{number}/overrides?weeks=4", form)
    [made] = (await world.call("GET", f"/v1/schedules/{number}/overrides", ana))["items"]
    wall = Wall("Europe/Berlin")
    assert wall.typed(start.fromisoformat(made["starts_at"])) == form["starts_at"]
    shown = await page.page(f"/schedules/{number}")
    assert rows(shown) == ["final", "passing", "layer"]
    assert "Dentist" in shown.text
    await page.do(f"/schedules/{number}/overrides/{made['id']}/remove")
    assert "Dentist" not in (await page.page(f"/schedules/{number}")).text


async def test_a_fault_in_it_stands_at_its_field_and_nothing_is_lost(world: World) -> None:
    page, ana, ben = await two(world)
    number = await schedule(world, ana)
    start = await midnight(world, days=2)
    good = {"user_id": str(ben.id), "ends_at": start.strftime("%Y-%m-%dT08:00"), "reason": "Why"}
    for wrong, field in (
        ({"ends_at": "2020-01-01T00:00"}, "ends_at"),
        ({"ends_at": "soon"}, "ends_at"),
        ({"user_id": ""}, "user_id"),
        ({"replaces": "999999"}, "replaces"),
    ):
        answer = await page.post(f"/schedules/{number}/overrides", {**good, **wrong})
        assert answer.status_code == 422
        shown = read(answer.text)
        marked = [one for _, one in shown.elements if "aria-invalid" in one]
        assert [one["name"] for one in marked] == [field]
        assert [one["value"] for one in shown.all("input") if one.get("name") == "reason"] == [
            "Why"
        ]


async def test_the_pager_is_taken_and_given_back(world: World) -> None:
    page, ana, ben = await two(world)
    number = await schedule(world, ben)
    place = f"/schedules/{number}"
    assert "ben@example.org" in await page.get(f"{place}?part=now", part=True)
    assert (await page.do(f"{place}/take", {"for_minutes": "60"})) == place
    now = (await world.call("GET", f"/v1{place}/on-call", ana))["on_call"]
    assert [one["id"] for one in now] == [ana.id]
    assert "Give the pager back" in (await page.page(place)).text
    await page.do(f"{place}/give-back")
    now = (await world.call("GET", f"/v1{place}/on-call", ana))["on_call"]
    assert [one["id"] for one in now] == [ben.id]
    await page.do(f"{place}/give-back")  # a second press is told, and is no fault
    for odd in ({"for_minutes": "soon"}, {"until": "1999-01-01T00:00"}):
        assert await page.do(f"{place}/take", odd) == place
    assert "Take the pager now" in (await page.page(place)).text


def answered(page: Page) -> str:
    """What stands between the question and the schedule’s own time."""
    return page.text.partition(", as known")[2].partition("On the schedule")[0]


async def test_who_was_on_call_then_is_told_as_it_was_known(world: World) -> None:
    page, ana, ben = await two(world)
    number = await schedule(world, ana)
    asked = (await world.clock.now() + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M")
    world.clock.forward(days=2)
    layers = [
        {"rotation": {"kind": "daily", "handoff": "2026-01-05T00:00", "participants": [ben.id]}}
    ]
    admin = await world.admin()
    await world.call("PATCH", f"/v1/schedules/{number}", admin, json={"layers": layers})
    place = f"/schedules/{number}/history"
    world.clock.forward(minutes=5)
    later = (await world.clock.now()).strftime("%Y-%m-%dT%H:%M")
    assert "ben@example.org" in answered(await page.page(f"{place}?at={later}"))
    assert "Ana" in answered(await page.page(f"{place}?at={asked}"))
    assert "Ana" in answered(await page.page(f"{place}?at={later}&known_at={asked}"))
    assert "Name a date" in (await page.page(f"{place}?at=noon")).text
    ahead = (await world.clock.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    assert "lies ahead" in (await page.page(f"{place}?at={later}&known_at={ahead}")).text


async def test_viewers_see_it_and_change_nothing(world: World) -> None:
    ana = await world.person(full_name="Ana")
    number = await schedule(world, ana)
    vera = await console(world, await world.person("vera@example.org", Role.VIEWER))
    shown = await vera.page(f"/schedules/{number}")
    assert [one for one in shown.addresses if "override" in one or "/take" in one] == []
    assert (await vera.post(f"/schedules/{number}/take")).status_code == 403
    assert (await vera.post(f"/schedules/{number}/overrides")).status_code == 403
    await vera.get(f"/schedules/{number}/edit", expect=403)
    await vera.get("/schedules/999999", expect=404)


async def test_a_link_for_calendar_programs_is_shown_once_and_ended(world: World) -> None:
    page, ana, _ = await two(world)
    number = await schedule(world, ana)
    for place, end in ((f"/schedules/{number}", f"/schedules/{number}"), ("/schedules/mine",) * 2):
        answer = await page.post(f"{place}/feeds", {"name": "Mine"})
        [url] = [
            one["value"] for one in read(answer.text).all("input") if one.get("id") == "feed-url"
        ]
        path = "/v1/calendar/" + str(url).rsplit("/", 1)[1]
        assert (await world.client.get(path)).status_code == 200
        shown = await page.page(place)
        assert str(url) not in shown.text
        [revoke] = [one for one in shown.addresses if one.endswith("/revoke")]
        assert await page.do(revoke) == end
        assert (await world.client.get(path)).status_code == 404


def test_the_night_on_which_the_clock_is_turned_is_marked() -> None:
    wall = Wall("Europe/Berlin")
    first = date(2026, 10, 19)
    during = rota_chart.frame(wall, first, 1)
    rendered = {"people": [], "final": [], "gaps": [Interval(*during)], "layers": []}
    chart = rota_chart.chart_of(rendered, wall, during, now=during.starts_at)
    assert [day.on for day in chart.days if day.turned] == [date(2026, 10, 25)]
    assert chart.turns == ["Sun 25 Oct, 02:59: the clock goes back by 1 h"]
    assert during.ends_at - during.starts_at == timedelta(days=7, hours=1)
    assert [bar.words for bar in chart.final.bars] == ["Nobody for 7 d 1 h"]
    spring = rota_chart.frame(wall, date(2026, 3, 23), 1)
    chart = rota_chart.chart_of(
        {**rendered, "gaps": []}, wall, spring, now=spring.starts_at - timedelta(days=1)
    )
    assert chart.turns == ["Sun 29 Mar, 01:59: the clock goes forward by 1 h"]
    assert chart.now_x is None
