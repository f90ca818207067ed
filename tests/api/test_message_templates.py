"""How an installation words its messages: checked before it is kept, shown before it is sent."""

import asyncio
from typing import Any

import pytest

from app.domain.notification import INCIDENT_KINDS
from app.domain.user import Role
from app.messages.wording import WORDED_CHANNELS
from tests.api.answers import faulty, refused, send
from tests.world import Person, World

TEMPLATES = "/v1/message-templates"
PAGE = f"{TEMPLATES}/page/email"
OWN = {"subject": "!! {{ title }}", "body": "{{ service }} needs you.\n{{ acknowledge_url }}"}


@pytest.fixture
async def admin(world: World) -> Person:
    return await world.admin()


@pytest.fixture
async def ana(world: World) -> Person:
    return await world.person(role=Role.VIEWER)


async def test_every_message_about_an_incident_is_listed_as_it_reads(
    world: World, ana: Person
) -> None:
    items = (await world.call("GET", TEMPLATES, ana))["items"]
    listed = [(one["kind"], one["channel"]) for one in items]
    assert listed == [(kind, channel) for kind in INCIDENT_KINDS for channel in WORDED_CHANNELS]
    for one in items:
        assert (one["is_custom"], one["subject"], one["body"], one["fault"]) == (
            False,
            None,
            None,
            None,
        )
        assert one["sample"]["text"]
        assert await world.call("GET", f"{TEMPLATES}/{one['kind']}/{one['channel']}", ana) == one


async def test_an_own_wording_takes_the_place_of_the_built_in_one_until_it_is_dropped(
    world: World, admin: Person, ana: Person
) -> None:
    built_in = await world.call("GET", PAGE, ana)

    put = await world.call("PUT", PAGE, admin, json=OWN)

    assert {name: put[name] for name in OWN} == OWN
    assert (put["is_custom"], put["revision"], put["updated_by"]) == (True, 1, admin.id)
    assert put["sample"]["subject"] == "!! Disk almost full on db-1"
    assert put["sample"]["text"].startswith("database needs you.\nhttps://")
    assert await world.call("GET", PAGE, ana) == put
    [custom] = [
        one for one in (await world.call("GET", TEMPLATES, ana))["items"] if one["is_custom"]
    ]
    assert custom == put
    for _ in range(2):
        await world.call("DELETE", PAGE, admin, expect=204)
        assert await world.call("GET", PAGE, ana) == built_in


async def test_a_wording_is_replaced_whole_and_its_revision_counts(
    world: World, admin: Person
) -> None:
    await world.call("PUT", PAGE, admin, json=OWN)
    assert (await world.call("PUT", PAGE, admin, json=OWN))["revision"] == 1
    other = await world.admin("other@example.org")
    put = await world.call("PUT", PAGE, other, json={"body": "{{ title }}"})
    assert (put["subject"], put["revision"], put["updated_by"]) == (None, 2, other.id)


async def test_two_admins_at_once_end_in_one_wording(world: World, admin: Person) -> None:
    bodies = [{"body": f"{{{{ title }}}} {number}"} for number in range(6)]
    answers = await asyncio.gather(*(send(world, "PUT", PAGE, admin, json=body) for body in bodies))
    assert {answer.status_code for answer in answers} == {200}
    assert await world.sql("SELECT count(*), max(revision) FROM message_templates") == [(1, 6)]


async def test_a_wording_that_cannot_work_is_refused_line_by_line(
    world: World, admin: Person
) -> None:
    body = {"subject": "{{ nonsense }}", "body": "{{ title }}\n{{ title.__class__ }}\n{{ x }}"}
    details = await refused(world, "PUT", PAGE, admin, 422, "INVALID_TEMPLATE", json=body)
    found = [(fault["path"], fault["line"]) for fault in details["errors"]]
    assert found == [("subject", 1), ("body", 2), ("body", 3)]
    assert all(fault["message"] for fault in details["errors"])
    assert (await world.call("GET", PAGE, admin))["is_custom"] is False


async def test_a_text_message_has_no_subject(world: World, admin: Person) -> None:
    path = f"{TEMPLATES}/page/sms"
    details = await refused(world, "PUT", path, admin, 422, "INVALID_TEMPLATE", json=OWN)
    assert [fault["path"] for fault in details["errors"]] == ["subject"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_what_a_webhook_is_sent_is_not_worded(
    world: World, admin: Person, method: str
) -> None:
    kw: dict[str, Any] = {"json": OWN} if method == "PUT" else {}
    faults = await faulty(world, method, f"{TEMPLATES}/page/webhook", admin, **kw)
    assert faults == {"channel": "a webhook is sent JSON for programs, which is not worded"}


async def test_what_is_no_message_about_an_incident_is_not_worded(
    world: World, admin: Person
) -> None:
    for kind in ("verification", "signup", "test"):
        faults = await faulty(world, "PUT", f"{TEMPLATES}/{kind}/email", admin, json=OWN)
        assert set(faults) == {"kind"}
    assert set(await faulty(world, "GET", f"{TEMPLATES}/page/pigeon", admin)) == {"channel"}
    assert set(await faulty(world, "GET", f"{TEMPLATES}/variables/signup", admin)) == {"kind"}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "body"),
        ({"body": ""}, "body"),
        ({"body": None}, "body"),
        ({"body": "x" * 10_001}, "body"),
        ({"body": "x", "subject": "x" * 256}, "subject"),
        ({"body": "x\x00"}, "body"),
        ({"body": "x", "html": "<b>x</b>"}, "html"),
    ],
)
async def test_what_is_malformed_is_refused_where_it_stands(
    world: World, admin: Person, body: dict[str, Any], path: str
) -> None:
    assert set(await faulty(world, "PUT", PAGE, admin, json=body)) == {path}


async def test_anybody_may_try_a_wording_and_nothing_is_kept(world: World, ana: Person) -> None:
    body = {"kind": "page", "channel": "email", **OWN}
    shown = await world.call("POST", f"{TEMPLATES}/preview", ana, json=body)
    assert shown["subject"] == "!! Disk almost full on db-1"
    assert "database needs you." in shown["text"]
    assert "database needs you." in shown["html"]
    assert shown["fault"] is None
    assert await world.sql("SELECT id FROM message_templates") == []


async def test_a_preview_without_a_wording_shows_the_one_in_use(
    world: World, admin: Person
) -> None:
    body = {"kind": "resolved", "channel": "sms"}
    path = f"{TEMPLATES}/resolved/sms"
    before = await world.call("POST", f"{TEMPLATES}/preview", admin, json=body)
    assert before["text"] == (await world.call("GET", path, admin))["sample"]["text"]
    assert before["html"] is None
    await world.call("PUT", path, admin, json={"body": "{{ title }}: over."})
    after = await world.call("POST", f"{TEMPLATES}/preview", admin, json=body)
    assert after["text"].strip() == "Disk almost full on db-1: over."


async def test_a_wording_that_cannot_work_is_not_previewed(world: World, ana: Person) -> None:
    path = f"{TEMPLATES}/preview"
    for wording, place in [
        ({"body": "{{ nonsense }}"}, "body"),
        ({"subject": "only a subject"}, "body"),
        ({"body": "{% for a in tags %}{% for b in tags %}{% endfor %}{% endfor %}"}, "body"),
    ]:
        body = {"kind": "page", "channel": "chat", **wording}
        details = await refused(world, "POST", path, ana, 422, "INVALID_TEMPLATE", json=body)
        assert {fault["path"] for fault in details["errors"]} == {place}


async def test_a_kept_wording_that_no_longer_works_says_so_and_shows_the_built_in_one(
    world: World, admin: Person
) -> None:
    """As after an upgrade that took a variable away."""
    built_in = (await world.call("GET", PAGE, admin))["sample"]
    await world.call("PUT", PAGE, admin, json=OWN)
    await world.sql("UPDATE message_templates SET body = '{{ gone }}'")
    shown = await world.call("GET", PAGE, admin)
    assert shown["is_custom"] is True
    assert "gone" in shown["fault"]
    assert shown["sample"] == built_in


async def test_every_variable_is_told_with_an_example_and_can_be_used(
    world: World, admin: Person
) -> None:
    for kind in INCIDENT_KINDS:
        items = (await world.call("GET", f"{TEMPLATES}/variables/{kind}", admin))["items"]
        names = [one["name"] for one in items]
        assert "title" in names
        assert all(one["description"] and one["example"] for one in items)
        flat = [name for name in names if name not in ("tags", "labels")]
        wording = "".join(f"{{{{ {name} }}}}\n" for name in flat)
        await world.call("PUT", f"{TEMPLATES}/{kind}/email", admin, json={"body": wording})


async def test_only_an_admin_words_messages(world: World, ana: Person) -> None:
    ben = await world.person("ben@example.org")
    for person in (ana, ben):
        await refused(world, "PUT", PAGE, person, 403, "FORBIDDEN", json=OWN)
        await refused(world, "DELETE", PAGE, person, 403, "FORBIDDEN")
