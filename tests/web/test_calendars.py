"""Calendars of others at the console: followed, looked after, and their addresses kept."""

from tests.calendar_files import duty, ics
from tests.duty import midnight
from tests.web.consoles import console
from tests.web.html import read
from tests.world import World

PLACE = "/calendars"
FORM = {"name": "On call elsewhere", "kind": "on_call", "time_zone": "Europe/Berlin"}


async def test_a_calendar_is_uploaded_and_what_is_nobody_s_is_named(world: World) -> None:
    ada = await console(world, await world.admin())
    assert "No calendar yet" in (await ada.page(PLACE)).text
    start = await midnight(world, days=2)
    text = ics(duty(start, "ada@nowhere.example"), duty(start, ada.person.email, uid="2")).decode()
    place = await ada.do(f"{PLACE}/new", {**FORM, "ical": text})
    page = await ada.page(place)
    assert "Shifts that are nobody’s here" in page.text
    assert "ada@nowhere.example" in page.text
    assert "The next of 2 entries" in page.text
    assert "On call elsewhere" in (await ada.page(PLACE)).text
    await ada.do(place, {"name": "Renamed", "time_zone": "UTC", "url": ""})
    found = await world.call("GET", f"/v1{place}", ada.person)
    assert (found["name"], found["time_zone"], found["entries_ahead"]) == ("Renamed", "UTC", 2)
    await ada.do(f"{place}/refresh")
    assert await ada.do(f"{place}/delete") == PLACE
    await ada.get(place, expect=404)


async def test_its_address_is_a_secret(world: World) -> None:
    ada = await console(world, await world.admin())
    url = "https://calendar.example.org/secret-8f3a/basic.ics"
    place = await ada.do(f"{PLACE}/new", {**FORM, "url": url})
    for path in (PLACE, place):
        html = await ada.get(path)
        assert "secret-8f3a" not in html
        assert "calendar.example.org" in html


async def test_what_is_wrong_stands_at_its_field(world: World) -> None:
    ada = await console(world, await world.admin())
    for change, field in (
        ({"name": "", "url": "https://a.example"}, "name"),
        ({"url": "ftp://a.example/x"}, "url"),
        ({"time_zone": "Mars", "url": "https://a.example"}, "time_zone"),
        ({"ical": "no calendar"}, "file"),
    ):
        answer = await ada.post(f"{PLACE}/new", {**FORM, **change})
        assert answer.status_code == 422, change
        page = read(answer.text)
        assert [one["name"] for _, one in page.elements if "aria-invalid" in one] == [field]
    assert "both" in (await ada.post(f"{PLACE}/new", FORM)).text


async def test_only_admins_change_them(world: World) -> None:
    ada = await console(world, await world.admin())
    place = await ada.do(f"{PLACE}/new", {**FORM, "ical": ics().decode()})
    ana = await console(world, await world.person())
    assert f"{place}/delete" not in (await ana.page(place)).addresses
    for path in (f"{PLACE}/new", place, f"{place}/refresh", f"{place}/delete"):
        assert (await ana.post(path, FORM)).status_code == 403
