"""Templates of incidents: kept, offered, and taken by whoever declares."""

import asyncio
from typing import Any

from tests.api.answers import faulty, refused, send
from tests.world import Person, World

TEMPLATES, INCIDENTS = "/v1/incident-templates", "/v1/incidents"
WHOLE = {
    "name": "Database is down",
    "title": "The primary does not answer",
    "description": "Checkout takes no payments.",
    "severity": "SEV1",
    "service": "database",
    "tags": ["postgres"],
    "checklist": "- [ ] Is the replica well?",
    "public_text": "Payments are failing.",
}


async def a_template(world: World, admin: Person, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = await world.call(
        "POST", TEMPLATES, admin, expect=201, json={**WHOLE, **fields}
    )
    return made


async def comments(world: World, who: Person, incident_id: int) -> list[str]:
    found = await world.call("GET", f"{INCIDENTS}/{incident_id}/comments", who)
    return [one["content"] for one in found["items"]]


async def test_a_template_comes_back_as_it_was_given_and_changes_where_it_is_told_to(
    world: World,
) -> None:
    admin = await world.admin()
    made = await a_template(world, admin)
    assert {name: made[name] for name in WHOLE} == {**WHOLE, "severity": "critical"}
    assert (made["is_active"], made["revision"]) == (True, 1)
    path = f"{TEMPLATES}/{made['id']}"
    body = {"service": None, "is_active": False}
    changed = await world.call("PATCH", path, admin, json=body)
    assert changed == made | body | {"revision": 2, "updated_at": changed["updated_at"]}
    assert await world.call("GET", path, admin) == changed
    await world.call("DELETE", path, admin, expect=204)
    await refused(world, "GET", path, admin, 404, "INCIDENT_TEMPLATE_NOT_FOUND")
    await refused(world, "DELETE", path, admin, 404, "INCIDENT_TEMPLATE_NOT_FOUND")


async def test_templates_are_listed_by_a_part_of_their_name_and_by_whether_they_are_ready(
    world: World,
) -> None:
    admin = await world.admin()
    await a_template(world, admin)
    await a_template(world, admin, name="Full disk", is_active=False)

    async def listed(query: str) -> list[str]:
        found = await world.call("GET", f"{TEMPLATES}?{query}", admin)
        return [one["name"] for one in found["items"]]

    assert await listed("") == ["Database is down", "Full disk"]
    assert await listed("sort_by=name&sort_order=desc") == ["Full disk", "Database is down"]
    assert await listed("search=DISK") == ["Full disk"]
    assert await listed("search=%25") == []
    assert await listed("is_active=true") == ["Database is down"]
    assert await listed("is_active=false") == ["Full disk"]


async def test_no_two_templates_have_one_name(world: World) -> None:
    admin = await world.admin()
    made = await asyncio.gather(
        *(
            send(world, "POST", TEMPLATES, admin, json={**WHOLE, "name": name})
            for name in ("disk", "Disk", "DISK", "dISK")
        )
    )
    assert sorted(answer.status_code for answer in made) == [201, 409, 409, 409]
    other = await a_template(world, admin, name="Other")
    path, body = f"{TEMPLATES}/{other['id']}", {"name": "DISK"}
    told = await refused(
        world, "PATCH", path, admin, 409, "INCIDENT_TEMPLATE_NAME_TAKEN", json=body
    )
    assert told == {"field": "name"}
    assert (await world.call("PATCH", path, admin, json={"name": "OTHER"}))["name"] == "OTHER"


async def test_what_makes_no_template_is_told_with_its_place(world: World) -> None:
    admin = await world.admin()
    wrong = {"name": " ", "severity": "bad", "tags": [""], "colour": "red"}
    assert set(await faulty(world, "POST", TEMPLATES, admin, json=wrong)) == {
        "name", "title", "severity", "tags[0]", "colour",
    }  # fmt: skip
    path = f"{TEMPLATES}/{(await a_template(world, admin))['id']}"
    assert set(await faulty(world, "PATCH", path, admin, json={"title": None})) == {"title"}


# --- Declaring with one


async def test_whoever_declares_with_a_template_need_say_nothing_else(world: World) -> None:
    admin, ana = await world.admin(), await world.person(full_name="Ana Díaz")
    template = await a_template(world, admin)
    body = {"template_id": template["id"]}
    made = await world.call("POST", INCIDENTS, ana, expect=201, json=body)
    offered = ("title", "description", "severity", "service", "tags")
    assert {name: made[name] for name in offered} == {name: template[name] for name in offered}
    assert made["created_by"] == ana.id
    assert await comments(world, ana, made["id"]) == [WHOLE["checklist"]]
    story = await world.call("GET", f"{INCIDENTS}/{made['id']}/timeline", ana)
    told = [entry["description"] for entry in story["items"]]
    assert told[0] == "Ana Díaz declared the incident from “Database is down”."
    # What the public may be told is nobody's to tell but a person's.
    assert WHOLE["public_text"] not in str(story)


async def test_what_whoever_declares_says_comes_before_the_template(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    template = await a_template(world, admin, checklist=None)
    said = {"title": "Replica lags", "severity": "low", "tags": [], "service": "replica"}
    body = {"template_id": template["id"], **said}
    made = await world.call("POST", INCIDENTS, ana, expect=201, json=body)
    assert {name: made[name] for name in said} == said
    assert made["description"] == WHOLE["description"]
    assert await comments(world, ana, made["id"]) == []


async def test_a_template_without_a_service_has_whoever_declares_name_it(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    template = await a_template(world, admin, service=None)
    body = {"template_id": template["id"]}
    told = await refused(world, "POST", INCIDENTS, ana, 422, "INCIDENT_INCOMPLETE", json=body)
    assert told["errors"] == [{"path": "service", "message": "is needed"}]
    made = await world.call("POST", INCIDENTS, ana, expect=201, json={**body, "service": "db"})
    assert made["service"] == "db"


async def test_nobody_declares_with_a_draft_or_with_what_is_not_there(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    draft = await a_template(world, admin, is_active=False)
    for number, status, code in (
        (draft["id"], 409, "INCIDENT_TEMPLATE_IS_DRAFT"),
        (draft["id"] + 1, 404, "INCIDENT_TEMPLATE_NOT_FOUND"),
    ):
        body = {"template_id": number}
        await refused(world, "POST", INCIDENTS, ana, status, code, json=body)
    assert (await world.call("GET", INCIDENTS, ana))["total"] == 0


async def test_incidents_outlive_the_template_they_were_declared_with(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    template = await a_template(world, admin)
    body = {"template_id": template["id"]}
    made = await world.call("POST", INCIDENTS, ana, expect=201, json=body)
    path = f"{TEMPLATES}/{template['id']}"
    await world.call("PATCH", path, admin, json={"title": "Other", "severity": "low"})
    await world.call("DELETE", path, admin, expect=204)
    kept = await world.call("GET", f"{INCIDENTS}/{made['id']}", ana)
    assert (kept["title"], kept["severity"]) == (WHOLE["title"], "critical")
