"""Declaring an incident at the console, with a template or without; and editing one."""

from typing import Any

from tests.api.test_incident_templates import a_template
from tests.web.consoles import Console, console
from tests.web.html import Page, read
from tests.world import World

WHOLE = {"title": "Disk full", "severity": "high", "service": "database"}


async def responding(world: World) -> Console:
    return await console(world, await world.person(full_name="Ana Díaz"))


def filled_in(page: Page) -> dict[str, Any]:
    """What stands in the fields of the form."""
    found: dict[str, Any] = {
        str(one["name"]): one.get("value")
        for one in page.all("input")
        if one.get("name") and one.get("type") != "radio"
    }
    checked = [one["value"] for one in page.all("input") if "checked" in one]
    return found | {"severity": checked[0] if checked else None}


async def test_an_incident_is_declared_as_it_was_typed(world: World) -> None:
    ana = await responding(world)
    form = {**WHOLE, "description": "Since **noon**", "tags": "eu, postgres ,eu,", "assignees": ""}
    to = await ana.do("/incidents/new", form)
    made = await world.call("GET", f"/v1{to}", ana.person)
    assert {name: made[name] for name in WHOLE} == WHOLE
    assert (made["description"], made["tags"]) == ("Since **noon**", ["eu", "postgres"])
    assert (made["created_by"], made["assignments"]) == (ana.person.id, [])
    mine = await ana.do("/incidents/new", {**WHOLE, "assignees": str(ana.person.id)})
    assert (await world.call("GET", f"/v1{mine}", ana.person))["assigned_to"] == ana.person.id


async def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(world: World) -> None:
    ana = await responding(world)
    form = {"title": "x" * 256, "severity": "high", "service": "", "description": "<b>kept</b>"}
    answer = await ana.post("/incidents/new", form)
    assert answer.status_code == 422
    page = read(answer.text)
    invalid = {one["name"] for one in page.all("input") if one.get("aria-invalid") == "true"}
    assert invalid == {"title", "service"}
    assert "<b>kept</b>" in page.text
    assert filled_in(page)["severity"] == "high"
    missing = await ana.post("/incidents/new", {"title": "x", "severity": "low"})
    assert "is needed" in read(missing.text).text.lower()
    assert (await world.call("GET", "/v1/incidents", ana.person))["total"] == 0


async def test_a_template_fills_the_form_and_is_remembered(world: World) -> None:
    admin, ana = await world.admin(), await responding(world)
    template = await a_template(world, admin)
    draft = await a_template(world, admin, name="Draft", is_active=False)
    plain = await ana.page("/incidents/new")
    assert f"/incidents/new?template={template['id']}" in plain.addresses
    assert f"/incidents/new?template={draft['id']}" not in plain.addresses
    page = await ana.page(f"/incidents/new?template={template['id']}")
    form = filled_in(page)
    assert (form["title"], form["severity"], form["service"], form["tags"]) == (
        template["title"], "critical", "database", "postgres",
    )  # fmt: skip
    assert "Is the replica well?" in page.text
    to = await ana.do("/incidents/new", {**form, "description": "", "title": "Replica lags"})
    made = await world.call("GET", f"/v1{to}", ana.person)
    assert (made["title"], made["severity"], made["description"]) == (
        "Replica lags",
        "critical",
        "",
    )
    text = (await ana.page(to)).text
    assert "☐ Is the replica well?" in text
    assert "Template Database is down" in text


async def test_who_would_be_paged_is_shown_before_anything_is_declared(world: World) -> None:
    admin, ana = await world.admin(), await responding(world)
    await world.policy(
        admin, [(0, "creator"), (5, {"user": admin.id})], conditions={"service": "db"}
    )
    page = read(await ana.get("/incidents/new/preview?severity=high&service=db", part=True))
    assert "Ana Díaz is paged by mail at once." in page.text
    assert "Step 2 after 5 min" in page.text
    lone = read(await ana.get("/incidents/new/preview?severity=&service=", part=True))
    assert "Choose a service and a severity" in lone.text
    assert (await world.sql("SELECT count(*) FROM incidents"))[0][0] == 0
    assert (await world.sql("SELECT count(*) FROM notifications"))[0][0] == 0


async def test_fields_of_the_installation_are_asked_for_by_their_types(world: World) -> None:
    admin, ana = await world.admin(), await responding(world)
    for body in (
        {"key": "customers", "label": "Customers", "type": "number"},
        {"key": "is_known", "label": "Known", "type": "boolean"},
        {"key": "region", "label": "Region", "type": "select", "options": ["eu", "us"]},
        {"key": "teams", "label": "Teams", "type": "multi_select", "options": ["a", "b"]},
    ):
        await world.call("POST", "/v1/custom-fields", admin, expect=201, json=body)
    own = {
        "custom_fields.customers": "42",
        "custom_fields.is_known": "false",
        "custom_fields.region": "eu",
        "custom_fields.teams[]": ["", "a", "b"],
    }
    to = await ana.do("/incidents/new", {**WHOLE, **own})
    made = await world.call("GET", f"/v1{to}", ana.person)
    assert made["custom_fields"] == {
        "customers": 42, "is_known": False, "region": "eu", "teams": ["a", "b"],
    }  # fmt: skip
    assert "Customers 42 Known no Region eu Teams a, b" in (await ana.page(to)).text
    wrong = await ana.post("/incidents/new", {**WHOLE, "custom_fields.customers": "many"})
    assert wrong.status_code == 422
    assert "must be a number" in read(wrong.text).text
    # An edit that leaves one empty removes it.
    emptied = {**WHOLE, **own, "custom_fields.customers": "", "custom_fields.teams[]": ""}
    await ana.do(f"{to}/edit", emptied)
    kept = (await world.call("GET", f"/v1{to}", ana.person))["custom_fields"]
    assert kept == {"is_known": False, "region": "eu"}


async def test_an_edit_begins_with_what_is_and_writes_what_was_changed(world: World) -> None:
    ana = await responding(world)
    made = await world.declare(ana.person, description="Old", tags=["eu"])
    path = f"/incidents/{made['id']}/edit"
    form = filled_in(await ana.page(path))
    assert (form["title"], form["severity"], form["tags"]) == ("Disk full", "high", "eu")
    await ana.do(path, {**form, "description": "", "tags": "", "title": "Disk is full"})
    now = await world.call("GET", f"/v1/incidents/{made['id']}", ana.person)
    assert (now["title"], now["description"], now["tags"]) == ("Disk is full", None, [])
    refused = await ana.post(path, {**form, "url": "javascript:alert(1)"})
    assert refused.status_code == 422
    invalid = [one["name"] for one in read(refused.text).all("input") if "aria-invalid" in one]
    assert invalid == ["url"]
