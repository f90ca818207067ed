"""Maintenance windows at the console: planned on one's own clock, changed, ended, cancelled."""

from datetime import timedelta

from tests.web.consoles import Console, console
from tests.web.html import read
from tests.world import World

PLACE = "/maintenance-windows"


async def service_of(ada: Console) -> str:
    place = await ada.do("/services/new", {"name": "checkout"})
    return place.rsplit("/", 1)[1]


async def test_a_window_is_planned_changed_and_cancelled(world: World) -> None:
    ada = await console(
        world, await world.person("ada@example.org", "admin", time_zone="Asia/Tokyo")
    )
    assert "No maintenance yet" in (await ada.page(PLACE)).text
    key = await service_of(ada)
    begins = (await world.clock.now()) + timedelta(days=1)
    form = {
        "title": "New disks",
        "starts_at": f"{begins:%Y-%m-%d}T10:00",
        "ends_at": f"{begins:%Y-%m-%d}T12:00",
        "service_ids[]": [key],
    }
    assert (await ada.post(f"{PLACE}/new", {**form, "service_ids[]": []})).status_code == 422
    place = await ada.do(f"{PLACE}/new", form)
    [made] = (await world.call("GET", "/v1/maintenance-windows", ada.person))["items"]
    assert made["starts_at"] == f"{begins:%Y-%m-%d}T01:00:00Z"  # ten o'clock in Tokyo
    assert "New disks" in (await ada.page(f"/services/{key}")).text
    page = await ada.page(place)
    assert [one["value"] for one in page.all("input") if "checked" in one] == [key]
    await ada.do(place, {**form, "title": "Newer disks"})
    assert "Newer disks" in (await ada.page(f"{PLACE}?status=scheduled")).text
    assert "Newer disks" not in (await ada.page(f"{PLACE}?status=running")).text
    await ada.do(f"{place}/cancel")
    assert "Newer disks" in (await ada.page(f"{PLACE}?status=cancelled")).text


async def test_a_window_that_is_on_is_lengthened_and_ended(world: World) -> None:
    ada = await console(world, await world.admin())
    key = await service_of(ada)
    ends = (await world.clock.now()) + timedelta(hours=2)
    form = {"title": "Now", "ends_at": f"{ends:%Y-%m-%dT%H:%M}", "service_ids[]": [key]}
    place = await ada.do(f"{PLACE}/new", form)
    assert "worked on" in (await ada.page(f"/services/{key}")).text
    later = f"{ends + timedelta(hours=1):%Y-%m-%dT%H:%M}"
    await ada.do(place, {**form, "ends_at": later})
    await ada.do(f"{place}/end")
    assert "worked on" not in (await ada.page(f"/services/{key}")).text
    assert "Over" in (await ada.page(place)).text


async def test_only_admins_plan_for_everything(world: World) -> None:
    ana = await console(world, await world.person())
    ends = (await world.clock.now()) + timedelta(hours=2)
    form = {"title": "All", "ends_at": f"{ends:%Y-%m-%dT%H:%M}", "is_for_everything": "true"}
    assert "is_for_everything" not in await ana.get(f"{PLACE}/new")
    answer = await ana.post(f"{PLACE}/new", form)
    assert answer.status_code == 422
    assert "admin" in read(answer.text).text
    ada = await console(world, await world.admin())
    await ada.do(f"{PLACE}/new", form)
    assert "Every service" in (await ada.page(PLACE)).text
