"""The public page as the console sets it up: components in their order, maintenance, settings."""

from app.domain.user import Role
from tests.web.consoles import Console, console
from tests.web.html import read
from tests.world import World

PLACE = "/status-page"
MAINTENANCES = f"{PLACE}/maintenances"


async def order(world: World, who: Console) -> list[str]:
    found = await world.call("GET", "/v1/status-page/components", who.person)
    return [one["name"] for one in found["items"]]


async def test_components_are_made_put_in_order_and_taken_off(world: World) -> None:
    ada = await console(world, await world.admin())
    assert "The page has no component yet" in (await ada.page(PLACE)).text
    assert await ada.do(f"{PLACE}/groups/new", {"name": "Shop"}) == PLACE
    [[group]] = await world.sql("SELECT max(id) FROM component_groups")
    for name in ("Checkout", "Search", "Images"):
        form = {"name": name, "group_id": group, "shows_uptime": "true"}
        assert await ada.do(f"{PLACE}/components/new", form) == PLACE
    assert await order(world, ada) == ["Checkout", "Search", "Images"]
    [[images]] = await world.sql("SELECT max(id) FROM status_components")
    await ada.do(f"{PLACE}/components/{images}/move", {"to": "up"})
    assert await order(world, ada) == ["Checkout", "Images", "Search"]
    await ada.do(f"{PLACE}/components/{images}/move", {"to": "up"})
    await ada.do(f"{PLACE}/components/{images}/move", {"to": "up"})  # it is the first: it stays
    assert await order(world, ada) == ["Images", "Checkout", "Search"]
    await ada.do(f"{PLACE}/components/{images}/move", {"to": "down"})
    assert await order(world, ada) == ["Checkout", "Images", "Search"]
    for to, expected in (
        ("0", ["Images", "Checkout", "Search"]),  # as it is dragged
        ("2", ["Checkout", "Search", "Images"]),
        ("3", ["Checkout", "Search", "Images"]),  # there is no such place
        ("-1", ["Checkout", "Search", "Images"]),
        ("", ["Checkout", "Search", "Images"]),
        ("1", ["Checkout", "Images", "Search"]),
    ):
        await ada.do(f"{PLACE}/components/{images}/move", {"to": to})
        assert await order(world, ada) == expected
    edit = f"{PLACE}/components/{images}/edit"
    await ada.do(edit, {"name": "Pictures", "group_id": "", "only_show_if_degraded": "true"})
    page = await ada.page(PLACE)
    assert "hidden while it is well · without its days" in page.text
    assert "In no group" in page.text
    assert (await ada.post(edit, {"name": "", "group_id": ""})).status_code == 422
    await ada.do(f"{PLACE}/components/{images}/delete")
    assert "Pictures" not in (await ada.page(PLACE)).text
    await ada.do(f"{PLACE}/groups/{group}/edit", {"name": "Store"})
    assert "Store" in (await ada.page(PLACE)).text
    await ada.do(f"{PLACE}/groups/{group}/delete")
    assert "Store" not in (await ada.page(PLACE)).text
    assert await order(world, ada) == ["Checkout", "Search"]


async def test_a_responder_says_how_a_component_is_and_changes_nothing_else(world: World) -> None:
    ada = await console(world, await world.admin())
    await ada.do(f"{PLACE}/components/new", {"name": "Checkout", "shows_uptime": "true"})
    [[key]] = await world.sql("SELECT max(id) FROM status_components")
    ana = await console(world, await world.person())
    place = f"{PLACE}/components/{key}"
    await ana.do(f"{place}/status", {"status": "partial_outage"})
    [made] = (await world.call("GET", "/v1/status-page/components", ada.person))["items"]
    assert made["status"] == "partial_outage"
    for act in ("edit", "move", "delete"):
        assert (await ana.post(f"{place}/{act}", {"name": "x"})).status_code == 403, act
    vic = await console(world, await world.person("vic@example.org", Role.VIEWER))
    assert (await vic.post(f"{place}/status", {"status": "operational"})).status_code == 403
    assert f"{place}/status" not in (await vic.page(PLACE)).addresses


async def test_the_page_is_set_up_by_admins(world: World) -> None:
    ada = await console(world, await world.admin())
    form = {
        "name": "Shop status",
        "url": "https://status.example.org",
        "time_zone": "Europe/Berlin",
        "minutes.critical": "30",
        "shows_authors": "true",
    }
    await ada.do(f"{PLACE}/edit", form)
    got = await world.call("GET", "/v1/status-page", ada.person)
    assert (got["name"], got["update_minutes"]) == ("Shop status", {"critical": 30})
    assert got["shows_authors"] is True
    answer = await ada.post(f"{PLACE}/edit", {**form, "minutes.critical": "1"})
    assert answer.status_code == 422
    fields = read(answer.text).all("input")
    assert [one["name"] for one in fields if "aria-invalid" in one] == ["minutes.critical"]
    ana = await console(world, await world.person())
    assert (await ana.post(f"{PLACE}/edit", form)).status_code == 403


async def test_maintenance_is_announced_told_about_and_ended(world: World) -> None:
    ana = await console(world, await world.person(time_zone="Europe/Berlin"))
    assert "Nothing was announced yet" in (await ana.page(MAINTENANCES)).text
    form = {
        "title": "New disks",
        "body": "Slow for a while.",
        "scheduled_for": "2027-01-31T02:00",
        "scheduled_until": "2027-01-31T04:00",
        "starts_itself": "true",
        "ends_itself": "false",
        "notifies": "false",
    }
    place = await ana.do(f"{MAINTENANCES}/new", form)
    [made] = (await world.call("GET", "/v1/status-page/maintenances", ana.person))["items"]
    assert made["scheduled_for"] == "2027-01-31T01:00:00Z"  # as their clock has it
    assert made["ends_itself"] is False
    fields = (await ana.page(f"{place}/edit")).all("input")
    values = {one.get("name"): one.get("value") for one in fields}
    assert values["scheduled_for"] == "2027-01-31T02:00"
    await ana.do(f"{place}/edit", {**form, "title": "Newer disks"})
    await ana.do(f"{place}/updates", {"body": "We begin.", "status": "in_progress"})
    page = await ana.page(place)
    assert "We begin." in page.text
    assert "In progress" in page.text
    assert (await ana.post(f"{place}/updates", {"body": ""})).status_code == 422
    await ana.do(f"{place}/updates", {"body": "Done.", "status": "completed"})
    page = await ana.page(place)
    assert f"{place}/updates" not in page.addresses
    await ana.do(f"{place}/withdraw")
    assert "disks" not in (await ana.page(MAINTENANCES)).text


async def test_a_fault_of_an_announcement_stands_at_its_field(world: World) -> None:
    ana = await console(world, await world.person())
    form = {"title": "x", "body": "y", "scheduled_for": "2027-01-31T04:00"}
    answer = await ana.post(f"{MAINTENANCES}/new", {**form, "scheduled_until": ""})
    assert answer.status_code == 422
    fields = read(answer.text).all("input")
    assert [one["name"] for one in fields if "aria-invalid" in one] == ["scheduled_until"]


async def test_published_incidents_are_listed(world: World) -> None:
    ana = await console(world, await world.person())
    assert "Nothing is published" in (await ana.page(f"{PLACE}/incidents")).text
    incident = await world.declare(ana.person)
    form = {"title": "Checkout is slow", "body": "We look.", "status": "investigating"}
    await ana.do(f"/incidents/{incident['id']}/public", form)
    page = await ana.page(f"{PLACE}/incidents")
    assert "Checkout is slow" in page.text
    assert f"/incidents/{incident['id']}/public" in page.addresses
