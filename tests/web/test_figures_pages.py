"""Figures at the console: what is drawn is what was counted, and each chart has its numbers."""

import re
from datetime import timedelta

import pytest

from app.web import charts
from app.web.charts import Point
from tests.web.consoles import console
from tests.world import World


async def test_incidents_are_counted_drawn_and_narrowed_by_the_address(world: World) -> None:
    ada = await console(world, await world.admin())
    assert "No incident in this time" in (await ada.page("/analytics")).text
    for service in ("shop", "shop", "search"):
        made = await world.declare(ada.person, service=service, severity="high", title="It broke")
        await world.act(ada.person, made["id"], "acknowledge")
    page = await ada.page("/analytics")
    assert "Incidents opened 3" in page.text
    charted = [one for one in page.all("div") if one.get("class") == "plot"]
    assert len(charted) == 2
    assert all(one.get("aria-label") for one in charted)
    assert "Incidents opened 2" in (await ada.page("/analytics?service=shop")).text
    assert "No incident in this time" in (await ada.page("/analytics?severity=low")).text
    html = await ada.get("/analytics/frequency")
    drawn = r'class="name".*?title="(.*?)".*?width="([\d.]+)%".*?words">(\d+)<'
    bars = re.findall(drawn, html, re.DOTALL)
    assert bars[:2] == [("shop", "100", "2"), ("search", "50", "1")]
    world.clock.forward(days=60)
    ada = await console(world, ada.person)  # that login has run out
    assert "No incident in this time" in (await ada.page("/analytics?range=7")).text
    assert "Incidents opened 3" in (await ada.page("/analytics?range=90")).text


async def test_every_chart_has_its_numbers_as_a_file(world: World) -> None:
    ana = await console(world, await world.person())
    await world.declare(ana.person, service="shop", severity="high")
    found = set()
    for view in ("", "/frequency", "/people", "/noise"):
        addresses = (await ana.page(f"/analytics{view}?range=7")).addresses
        found |= {one for one in addresses if ".csv" in one}
    assert any(one.startswith("/analytics/services.csv") for one in found)
    for address in found:
        assert "range=7" in address
    assert "shop,,1," in await ana.get("/analytics/services.csv?range=7")
    assert (await ana.get("/analytics/response.csv?service=other")).count("\n") == 1
    for name in ("trend", "hours", "frequency", "pages", "on-call", "noise"):
        assert "," in await ana.get(f"/analytics/{name}.csv?range=365"), name
    await ana.get("/analytics/passwords.csv", expect=404)


async def test_people_see_who_was_paged(world: World) -> None:
    ada = await console(world, await world.admin())
    assert "Nobody was paged or on call" in (await ada.page("/analytics/people")).text
    assert "Nothing cries wolf" in (await ada.page("/analytics/noise")).text


def test_an_axis_ends_at_a_round_number_above_all_columns() -> None:
    drawn = charts.columns([Point("a", 3, "3"), Point("b", 11, "11"), Point("c", 0, "0")], "x")
    assert [tick.words for tick in drawn.lines] == ["0", "5", "10", "15"]
    assert [column.is_highest for column in drawn.columns] == [False, True, False]
    assert drawn.columns[1].height == pytest.approx(charts.HEIGHT * 11 / 15, abs=0.1)
    assert drawn.columns[2].height == 0
    assert "b 11" in drawn.label


def test_columns_fill_the_width_and_their_names_keep_apart() -> None:
    drawn = charts.columns([Point(str(at), 1, "1") for at in range(365)], "x")
    last = drawn.columns[-1]
    assert float(last.x[:-1]) + float(last.width[:-1]) <= 100
    assert len(drawn.names) <= charts.MOST_LABELS
    assert charts.columns([], "x").columns == ()


def test_spans_are_told_in_a_unit_that_suits_them() -> None:
    hours = timedelta(hours=5).total_seconds()
    assert charts.time_unit([30, 90]) == ("seconds", 1)
    assert charts.time_unit([30, 600]) == ("minutes", 60)
    assert charts.time_unit([hours])[0] == "hours"


def test_the_longest_bar_takes_all_the_room() -> None:
    found = charts.bars([Point("a", 4, "4"), Point("b", 1, "1")], ["/a"])
    assert [(one.width, one.href) for one in found] == [("100%", "/a"), ("25%", None)]
    assert [one.width for one in charts.bars([Point("a", 0, "0")])] == ["0%"]
