"""Services, teams and people at the console: found, set up, changed, and refused."""

from sqlalchemy import text

from app.domain.user import Role
from tests.duty import schedule
from tests.web.consoles import console
from tests.web.html import read
from tests.world import World

SERVICE = {
    "name": "checkout",
    "description": "Paying",
    "urgency.high": "high",
    "urgency.medium": "low",
    "urgency.low": "low",
    "zone": "Europe/Berlin",
    "hours[0].since": "09:00",
    "hours[0].until": "17:00",
    "hours[0].days[]": ["mon", "tue"],
    "auto_resolve_after_minutes": "60",
    "auto_resolve_acknowledged": ["false", "true"],
}


async def test_a_service_is_made_read_changed_and_taken_out(world: World) -> None:
    ada = await console(world, await world.admin())
    assert "The catalogue is empty" in (await ada.page("/services")).text
    place = await ada.do("/services/new", SERVICE)
    page = await ada.page(place)
    assert "09:00–17:00, mon tue" in page.text
    assert "1 h after the last alert, also when acknowledged" in page.text
    [made] = (await world.call("GET", "/v1/services", ada.person))["items"]
    assert made["urgency"] == {"high": "high", "medium": "low", "low": "low"}
    assert made["support_hours"] == {
        "time_zone": "Europe/Berlin",
        "hours": [{"since": "09:00", "until": "17:00", "days": ["mon", "tue"]}],
    }
    form = read(await ada.get(f"{place}/edit"))
    days = [one["value"] for one in form.all("input") if "checked" in one]
    assert days[:2] == ["mon", "tue"]
    assert await ada.do(f"{place}/edit", {"name": "shop", "urgency.low": "high"}) == place
    [made] = (await world.call("GET", "/v1/services", ada.person))["items"]
    assert (made["name"], made["support_hours"]) == ("shop", None)
    assert await ada.do(f"{place}/delete") == "/services"
    await ada.get(place, expect=404)


async def test_the_list_says_how_each_service_stands_and_who_is_on_call(world: World) -> None:
    ada = await console(world, await world.admin())
    bob = await world.person(full_name="Bob Ross")
    number = await schedule(world, bob)
    await ada.do("/services/new", {**SERVICE, "schedule_id": number})
    await ada.do("/services/new", {**SERVICE, "name": "search"})
    page = (await ada.page("/services")).text
    assert "Bob Ross" in page
    assert "No schedule" in page
    assert page.count("Nothing open") == 2
    await world.declare(ada.person, title="Down", service="checkout", severity="high")
    done = await world.declare(ada.person, title="Up", service="checkout", severity="low")
    await world.call("POST", f"/v1/incidents/{done['id']}/resolve", ada.person)
    page = (await ada.page("/services")).text
    assert page.count("Nothing open") == 1
    assert "SEV2 High 1" in page
    assert "SEV4" not in page


async def test_a_service_names_who_is_on_call_for_it(world: World) -> None:
    ada = await console(world, await world.admin())
    bob = await world.person(full_name="Bob Ross")
    number = await schedule(world, bob)
    place = await ada.do("/services/new", {**SERVICE, "schedule_id": number})
    assert "Bob Ross" in (await ada.page(place)).text


async def test_a_fault_of_a_service_stands_at_its_field_and_nothing_is_lost(world: World) -> None:
    ada = await console(world, await world.admin())
    await ada.do("/services/new", SERVICE)
    answer = await ada.post("/services/new", {**SERVICE, "name": "CHECKOUT"})
    assert answer.status_code == 422
    page = read(answer.text)
    assert [one["name"] for one in page.all("input") if "aria-invalid" in one] == ["name"]
    assert "Paying" in page.text
    answer = await ada.post("/services/new", {**SERVICE, "name": "x", "hours[0].until": "25:00"})
    assert answer.status_code == 422


async def test_only_who_leads_the_owner_changes_a_service(world: World) -> None:
    ada = await console(world, await world.admin())
    bob = await world.person()
    team = await ada.do("/teams/new", {"name": "Payments"})
    number = team.rsplit("/", 1)[1]
    place = await ada.do("/services/new", {**SERVICE, "team_id": number})
    ben = await console(world, bob)
    assert f"{place}/edit" not in (await ben.page(place)).addresses
    assert (await ben.post(f"{place}/edit", SERVICE)).status_code == 422
    await ada.do(f"{team}/members", {"user_id": bob.id, "is_lead": ["false", "true"]})
    assert f"{place}/edit" in (await ben.page(place)).addresses
    await ben.do(f"{place}/edit", {**SERVICE, "team_id": number, "description": "By Ben"})
    assert "By Ben" in (await ada.page(place)).text


async def test_a_team_has_members_who_can_leave(world: World) -> None:
    ada = await console(world, await world.admin())
    bob = await world.person()
    assert "No team yet" in (await ada.page("/teams")).text
    place = await ada.do("/teams/new", {"name": "Payments", "time_zone": "Europe/Berlin"})
    assert "Nobody is in it yet" in (await ada.page(place)).text
    await ada.do(f"{place}/members", {"user_id": bob.id, "is_lead": "false"})
    assert bob.email in (await ada.page(place)).text
    ben = await console(world, bob)
    assert "Payments" in (await ben.page("/teams?mine=1")).text
    assert (await ben.post(f"{place}/members", {"user_id": ada.person.id})).status_code == 422
    assert await ben.do(f"{place}/members/{bob.id}/remove") == place
    assert "Nobody is in it yet" in (await ada.page(place)).text
    await ada.do(f"{place}/edit", {"name": "Money", "time_zone": ""})
    assert "Berlin" not in (await ada.page(place)).text
    assert await ada.do(f"{place}/delete") == "/teams"


async def test_a_team_that_owns_something_stays_and_its_page_says_why(world: World) -> None:
    ada = await console(world, await world.admin())
    place = await ada.do("/teams/new", {"name": "Payments"})
    await ada.do("/services/new", {**SERVICE, "team_id": place.rsplit("/", 1)[1]})
    answer = await ada.post(f"{place}/delete")
    assert answer.status_code == 422
    assert read(answer.text).all("div")
    assert "checkout" in (await ada.page(place)).text


async def test_an_admin_makes_accounts_and_deactivates_them(world: World) -> None:
    ada = await console(world, await world.admin())
    form = {"email": "new@example.org", "full_name": "Nia", "role": "viewer", "time_zone": "UTC"}
    answer = await ada.post("/users/new", {**form, "password": "tinyone"})
    assert answer.status_code == 422
    assert "tinyone" not in answer.text
    place = await ada.do("/users/new", {**form, "password": "a good long one"})
    page = await ada.page(place)
    assert "Nia" in page.text
    assert "No policy names them" in page.text
    assert await ada.do(f"{place}/deactivate") == place
    assert "This account is deactivated" in (await ada.page(place)).text
    assert "Nia" not in (await ada.page("/users")).text
    assert "Nia" in (await ada.page("/users?active=no")).text
    await ada.do(f"{place}/activate")
    await ada.do(f"{place}/edit", {**form, "role": "responder"})
    assert "Responder" in (await ada.page(place)).text
    assert await ada.do(f"{place}/delete") == "/users"
    await ada.get(place, expect=404)


async def test_who_cannot_be_paged_is_told_apart(world: World) -> None:
    ada = await console(world, await world.admin())
    bob = await world.person()
    async with world.database.writing() as session:
        from_ = "UPDATE contact_methods SET verified_at = NULL WHERE user_id = :id"
        await session.execute(text(from_), {"id": bob.id})
    assert "No verified contact" in (await ada.page(f"/users?q={bob.email}")).text
    assert "They cannot be paged" in (await ada.page(f"/users/{bob.id}")).text


async def test_who_is_no_admin_sees_people_and_changes_nobody(world: World) -> None:
    ada = await world.admin()
    vic = await console(world, await world.person(role=Role.VIEWER))
    page = await vic.page(f"/users/{ada.id}")
    assert f"/users/{ada.id}/edit" not in page.addresses
    assert "How they are reached" not in page.text
    for path in ("/users/new", f"/users/{ada.id}/edit", f"/users/{ada.id}/deactivate"):
        assert (await vic.post(path, {"role": "admin"})).status_code == 403, path
    await vic.get("/users/new", expect=403)
