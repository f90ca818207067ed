"""Schedules written at the console: layers in a form that grows, and what they change for whom."""

from datetime import datetime, timedelta
from typing import Any

from app.domain.user import Role
from app.web import rota_form
from tests.duty import midnight, schedule
from tests.web.consoles import Console, console
from tests.web.html import Page, read
from tests.world import Person, World

PLACE = "/schedules"


def form(*people: Person, **more: Any) -> dict[str, Any]:
    """One weekly layer."""
    at = "layers[0]"
    turns = {f"{at}.rotation.participants[{turn}]": one.id for turn, one in enumerate(people)}
    return {
        "name": "Nights",
        "time_zone": "Europe/Berlin",
        f"{at}.source": "rotation",
        f"{at}.rotation.kind": "weekly",
        f"{at}.rotation.every": "1",
        f"{at}.rotation.handoff": "2026-01-05T09:00",
        f"{at}.on_holidays": "works",
        **turns,
        **more,
    }


def names(page: Page) -> set[str]:
    fields = [one for tag in ("input", "select", "textarea") for one in page.all(tag)]
    return {str(one["name"]) for one in fields if one.get("name")}


def wrong(page: Page) -> list[str | None]:
    return [one["name"] for _, one in page.elements if "aria-invalid" in one]


async def admins(world: World) -> Console:
    return await console(world, await world.admin())


async def test_a_schedule_is_written_read_and_deleted(world: World) -> None:
    ada, ana = await admins(world), await world.person()
    layer = {
        "layers[0].name": "Weekdays",
        "layers[0].restrictions[0].since": "22:00",
        "layers[0].restrictions[0].until": "06:00",
        "layers[0].restrictions[0].days[]": ["mon", "tue"],
        "layers[1].source": "shifts",
        "layers[1].shifts[0].starts": "2030-01-01T09:00",
        "layers[1].shifts[0].ends": "2030-01-02T09:00",
        "layers[1].shifts[0].user": ana.id,
        "allow_gaps": "true",
    }
    place = await ada.do(f"{PLACE}/new", form(ana, ada.person, **layer))
    found = await world.call("GET", f"/v1{place}", ada.person)
    assert found["layers"][0]["rotation"]["participants"] == [ana.id, ada.person.id]
    assert found["layers"][0]["restrictions"] == [
        {"since": "22:00", "until": "06:00", "days": ["mon", "tue"]}
    ]
    assert found["layers"][1]["shifts"][0]["user"] == ana.id
    page = await ada.page(f"{place}/edit")
    assert {name for name in form(ana, **layer) if "[]" not in name} - {"allow_gaps"} <= names(page)
    # What is written as it was read changes nothing.
    again = rota_form.layers_of({"layers": rota_form.draft_of(found["layers"])})
    assert again == found["layers"]
    assert await ada.do(f"{place}/delete") == PLACE
    await ada.get(place, expect=404)


async def test_gaps_are_named_and_asked_about_before_anything_is_saved(world: World) -> None:
    ada, ana = await admins(world), await world.person()
    hours = {
        "layers[0].restrictions[0].since": "09:00",
        "layers[0].restrictions[0].until": "17:00",
        "layers[0].restrictions[0].days[]": ["mon", "tue", "wed", "thu", "fri"],
    }
    answer = await ada.post(f"{PLACE}/new", form(ana, **hours))
    assert answer.status_code == 422
    page = read(answer.text)
    assert "Nobody would be on call at" in page.text
    assert "16 h)" in page.text  # how long a weekday's night is
    assert "allow_gaps" in names(page)
    assert (await world.call("GET", "/v1/schedules", ada.person))["total"] == 0
    await ada.do(f"{PLACE}/new", form(ana, **hours, allow_gaps="true"))


async def test_faults_stand_at_their_fields(world: World) -> None:
    ada, ana = await admins(world), await world.person()
    turn = "layers[0].rotation.participants[0]"
    for change, fields in (
        ({"name": ""}, ["name"]),
        ({"time_zone": "Mars/Olympus"}, ["time_zone"]),
        ({"layers[0].rotation.every": "0"}, ["layers[0].rotation.every"]),
        ({"layers[0].rotation.handoff": "soon"}, ["layers[0].rotation.handoff"]),
        ({turn: "999999"}, [turn]),
        ({"team_id": "999999"}, ["team_id"]),
    ):
        answer = await ada.post(f"{PLACE}/new", {**form(ana), **change})
        assert answer.status_code == 422, change
        page = read(answer.text)
        assert wrong(page) == fields, change
    nobody = read((await ada.post(f"{PLACE}/new", {**form(ana), turn: ""})).text)
    assert "At least 1 item" in nobody.text or "at least 1 item" in nobody.text


async def test_buttons_add_move_and_remove_without_saving(world: World) -> None:
    ada, ana = await admins(world), await world.person()
    people = "layers[0].rotation.participants"
    for do, there, gone in (
        ("add layers", "layers[1].source", "layers[2].source"),
        (f"add {people}", f"{people}[2]", f"{people}[3]"),
        (f"remove {people}[0]", f"{people}[0]", f"{people}[1]"),
        ("add layers[0].restrictions", "layers[0].restrictions[0].since", "layers[1].source"),
        ("remove layers[0]", "name", "layers[0].source"),
        ("look", f"{people}[1]", f"{people}[2]"),
    ):
        answer = await ada.post(f"{PLACE}/new", {**form(ana, ada.person), "_do": do})
        assert answer.status_code == 200, do
        found = names(read(answer.text))
        assert there in found, do
        assert gone not in found, do
    moved = read(
        (await ada.post(f"{PLACE}/new", {**form(ana, ada.person), "_do": f"down {people}[0]"})).text
    )
    chosen = [one["value"] for one in moved.all("option") if "selected" in one]
    assert chosen.index(str(ada.person.id)) < chosen.index(str(ana.id))
    other = await ada.post(
        f"{PLACE}/new", {**form(ana), "layers[0].source": "shifts", "_do": "look"}
    )
    assert "Add a shift" in other.text


async def test_what_it_changes_for_whom_is_seen_before_it_is_saved(world: World) -> None:
    ada, ana = await admins(world), await world.person(full_name="Ana")
    number = await schedule(world, ana)
    sent = form(ada.person, _schedule_id=number)
    told = read((await ada.post(f"{PLACE}/preview", sent)).text).text
    assert "Ana → admin@example.org" in told
    assert "720 h → 0 h" in told
    hole = {**sent, "layers[0].starts": "2199-01-01T00:00"}
    assert "Nobody would be on call" in (await ada.post(f"{PLACE}/preview", hole)).text
    broken = {**sent, "layers[0].rotation.every": "never"}
    told = read((await ada.post(f"{PLACE}/preview", broken)).text).text
    assert "layers[0].rotation.every" in told
    without = await ada.post(f"{PLACE}/{number}/edit", {**sent, "_do": "preview"})
    assert "720 h → 0 h" in read(without.text).text
    who = (await world.call("GET", f"/v1/schedules/{number}/on-call", ada.person))["on_call"]
    assert [one["id"] for one in who] == [ana.id]


async def test_somebody_else_s_change_is_not_written_over(world: World) -> None:
    ada, ana = await admins(world), await world.person()
    place = await ada.do(f"{PLACE}/new", form(ana))
    await world.call("PATCH", f"/v1{place}", ada.person, json={"description": "Theirs"})
    late = await ada.post(f"{place}/edit", {**form(ada.person), "_revision": "1"})
    assert late.status_code == 422
    assert "Somebody changed the schedule" in late.text
    await ada.do(f"{place}/edit", {**form(ada.person), "_revision": "2"})


async def test_other_layers_count_for_a_while(world: World) -> None:
    ada, ana = await admins(world), await world.person(full_name="Ana")
    number = await schedule(world, ana)
    place = f"{PLACE}/{number}"
    start = await midnight(world, days=2)
    assert "layers[0].rotation.participants[0]" in names(await ada.page(f"{place}/temporary/new"))
    sent = {key: one for key, one in form(ada.person).items() if key.startswith("layers")}
    sent |= {"ends_at": start.strftime("%Y-%m-%dT00:00"), "reason": "Release week"}
    assert wrong(
        read((await ada.post(f"{place}/temporary/new", {**sent, "ends_at": ""})).text)
    ) == ["ends_at"]
    await ada.do(f"{place}/temporary/new", sent)
    [made] = (await world.call("GET", f"/v1{place}/temporary-schedules", ada.person))["items"]
    assert datetime.fromisoformat(made["ends_at"]) == start
    assert "Release week" in (await ada.page(place)).text
    await ada.do(f"{place}/temporary/{made['id']}/remove")
    assert "Release week" not in (await ada.page(place)).text


async def test_leads_write_their_team_s_and_nobody_else_s(world: World) -> None:
    ada = await admins(world)
    lead, other = await world.person("lead@example.org"), await world.person("else@example.org")
    team = await world.call("POST", "/v1/teams", ada.person, expect=201, json={"name": "Databases"})
    members = {"members": [{"user_id": lead.id, "is_lead": True}, {"user_id": other.id}]}
    url = f"/v1/teams/{team['id']}/members"
    await world.call("PUT", url, ada.person, json=members)
    place = await ada.do(f"{PLACE}/new", form(lead, team_id=team["id"]))
    leading = await console(world, lead)
    assert "New schedule" in (await leading.page(PLACE)).text
    await leading.do(f"{place}/edit", form(lead, other, team_id=team["id"]))
    outside = await console(world, other)
    assert f"{place}/edit" not in (await outside.page(place)).addresses
    assert "New schedule" not in (await outside.page(PLACE)).text
    await outside.get(f"{place}/edit", expect=403)
    assert (await outside.post(f"{place}/edit", form(other))).status_code == 403
    assert (await outside.post(f"{PLACE}/new", form(other))).status_code in (403, 422)
    viewer = await console(world, await world.person("v@example.org", Role.VIEWER))
    await viewer.get(f"{PLACE}/new", expect=403)


async def test_a_shift_is_asked_away_taken_and_given_back(world: World) -> None:
    ana, ben = await world.person(full_name="Ana"), await world.person("ben@example.org")
    asking, helping = await console(world, ana), await console(world, ben)
    number = await schedule(world, ana)
    start = await midnight(world, days=1)
    span = {
        "starts_at": start.strftime("%Y-%m-%dT08:00"),
        "ends_at": start.strftime("%Y-%m-%dT12:00"),
    }
    place = f"{PLACE}/{number}/ask"
    [shift] = [one for one in (await asking.page(f"{PLACE}/mine")).addresses if "/ask?" in one]
    assert "starts_at" in names(await asking.page(shift))
    refused = await asking.post(place, {**span, "ends_at": "never"})
    assert wrong(read(refused.text)) == ["ends_at"]
    swap = {"wanted.starts_at": span["starts_at"], "wanted.ends_at": ""}
    assert (await asking.post(place, {**span, **swap})).status_code == 422
    assert await asking.do(place, {**span, "message": "My sister marries."}) == f"{PLACE}/mine"
    [take] = [
        one for one in (await helping.page(f"{PLACE}/mine")).addresses if one.endswith("/take")
    ]
    assert "My sister marries." in (await helping.page(f"{PLACE}/{number}")).text
    await helping.do(take)
    at = (start + timedelta(hours=9)).isoformat().replace("+00:00", "Z")
    url = f"/v1/schedules/{number}/on-call?at={at}"
    assert [one["id"] for one in (await world.call("GET", url, ana))["on_call"]] == [ben.id]
    await helping.do(take)  # a second press is told, and is no fault
    await helping.do(take.replace("/take", "/give-back"))
    assert [one["id"] for one in (await world.call("GET", url, ana))["on_call"]] == [ana.id]
    assert "/take" not in " ".join((await helping.page(f"{PLACE}/mine")).addresses)
    assert (await helping.post("/shift-requests/999999/cancel")).status_code == 404


async def test_what_no_form_of_ours_sends_breaks_nothing(world: World) -> None:
    ada, ana = await admins(world), await world.person()
    for odd in (
        {"layers": "x"},
        {"layers[0]": "x"},
        {"layers[0].rotation": "x"},
        {"layers[0].rotation.participants": "x"},
        {"layers[0].restrictions[0]": "x"},
        {"layers[0].source": "dice"},
        {"layers[9999].name": "far"},
        {"name.first": "x"},
        {"holidays": "x", "_schedule_id": "²"},
    ):
        for sent in (odd, {**form(ana), **odd}):
            for do in ({}, {"_do": "look"}, {"_do": "preview"}):
                answer = await ada.post(f"{PLACE}/new", {**sent, **do})
                assert answer.status_code in (200, 303, 422), odd
            assert (await ada.post(f"{PLACE}/preview", sent)).status_code == 200, odd
