"""Templates of incidents at the console: written by admins, offered to whoever declares."""

from tests.web.consoles import console
from tests.web.html import read
from tests.world import World

PLACE = "/incident-templates"
FORM = {
    "name": "Database is down",
    "title": "The primary does not answer",
    "severity": "critical",
    "service": "database",
    "tags": "eu, postgres",
    "checklist": "- [ ] look",
    "is_active": ["false", "true"],
}


async def test_an_admin_writes_changes_and_deletes_a_template(world: World) -> None:
    ada = await console(world, await world.admin())
    assert "No template yet" in (await ada.page(PLACE)).text
    assert await ada.do(f"{PLACE}/new", FORM) == PLACE
    page = await ada.page(PLACE)
    assert "Database is down" in page.text
    [edit] = [link for link in page.addresses if link.endswith("/edit")]
    form = await ada.page(edit)
    assert "- [ ] look" in form.text
    await ada.do(edit, {**FORM, "name": "DB", "checklist": "", "is_active": "false"})
    [made] = (await world.call("GET", "/v1/incident-templates", ada.person))["items"]
    assert (made["name"], made["checklist"], made["is_active"]) == ("DB", None, False)
    assert made["tags"] == ["eu", "postgres"]
    assert "Draft" in (await ada.page(PLACE)).text
    assert await ada.do(edit.replace("edit", "delete")) == PLACE
    assert "No template yet" in (await ada.page(PLACE)).text
    await ada.get(edit, expect=404)


async def test_what_is_wrong_stands_at_its_field(world: World) -> None:
    ada = await console(world, await world.admin())
    await ada.do(f"{PLACE}/new", FORM)
    for form, field in (
        ({**FORM, "name": "DATABASE IS DOWN"}, "name"),
        ({**FORM, "title": ""}, "title"),
    ):
        answer = await ada.post(f"{PLACE}/new", form)
        assert answer.status_code == 422
        page = read(answer.text)
        assert [one["name"] for one in page.all("input") if "aria-invalid" in one] == [field]
        assert "- [ ] look" in page.text


async def test_only_admins_write_them(world: World) -> None:
    ana = await console(world, await world.person())
    await ana.get(PLACE)
    await ana.get(f"{PLACE}/new", expect=403)
    assert (await ana.post(f"{PLACE}/new", FORM)).status_code == 403
