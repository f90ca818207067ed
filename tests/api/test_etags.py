"""`ETag`, `If-Match`, `If-None-Match`: nobody overwrites what they have not seen."""

import asyncio
from typing import Any

import httpx
import pytest

from app.api.etags import read_tags
from app.crud import crud_message_template
from app.domain.notification import Channel, NotificationKind
from app.domain.user import Role
from app.models import MessageTemplate
from tests.api.answers import faulty, refused, send
from tests.world import Person, World

FIELD = {"key": "customers", "label": "Customers", "type": "number"}
WAITS = """
    SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
WORDS = {"body": "{{ title }}"}


def if_match(tag: str) -> dict[str, str]:
    return {"If-Match": tag}


async def made(
    world: World, admin: Person
) -> dict[str, tuple[str, dict[str, Any], dict[str, Any]]]:
    """Each thing that people edit: its address, a change, and another one."""
    incident = await world.declare(admin)
    policy = await world.policy(admin, [(0, "admins")])
    other = await world.person("ben@example.org", Role.VIEWER)
    await world.integration_key(admin)
    (integration,) = (await world.call("GET", "/v1/integrations", admin))["items"]
    await world.call("POST", "/v1/custom-fields", admin, expect=201, json=FIELD)
    hook = {"name": "Desk", "url": "https://desk.example.org/hook"}
    told = await world.call("POST", "/v1/webhook-subscriptions", admin, expect=201, json=hook)
    return {
        "incident": (f"/v1/incidents/{incident['id']}", {"title": "One"}, {"title": "Two"}),
        "policy": (
            f"/v1/escalation/policies/{policy['id']}", {"name": "One"}, {"name": "Two"},
        ),
        "user": (f"/v1/users/{other.id}", {"full_name": "One"}, {"full_name": "Two"}),
        "me": ("/v1/users/me", {"full_name": "One"}, {"full_name": "Two"}),
        "integration": (f"/v1/integrations/{integration['id']}", {"name": "One"}, {"name": "Two"}),
        "custom field": ("/v1/custom-fields/customers", {"label": "One"}, {"label": "Two"}),
        "webhook": (f"/v1/webhook-subscriptions/{told['id']}", {"name": "One"}, {"name": "Two"}),
        "message": ("/v1/message-templates/page/email", WORDS, {"body": "Two {{ title }}"}),
    }  # fmt: skip


KINDS = ["incident", "policy", "user", "me", "integration", "custom field", "webhook", "message"]
DELETED = {
    "incident": "?confirm={id}", "policy": "", "user": "", "custom field": "", "webhook": "",
    "message": "",
}  # fmt: skip


def verb(kind: str) -> str:
    return "PUT" if kind == "message" else "PATCH"


def kept(answer: httpx.Response) -> dict[str, Any]:
    """What whoever saves is told, and no reader after them."""
    told: dict[str, Any] = answer.json()
    return told | {"findings": None} if "findings" in told else told


def revision(tag: str) -> str:
    return tag.split(".", maxsplit=1)[0]


@pytest.mark.parametrize("kind", KINDS)
async def test_of_two_editors_one_is_told_what_the_other_did(world: World, kind: str) -> None:
    admin = await world.admin()
    path, one, two = (await made(world, admin))[kind]
    seen = (await send(world, "GET", path, admin)).headers["etag"]
    first = await send(world, verb(kind), path, admin, json=one, headers=if_match(seen))
    assert first.status_code == 200
    assert first.headers["etag"] != seen
    details = await refused(
        world, verb(kind), path, admin, 412, "PRECONDITION_FAILED", json=two,
        headers=if_match(seen),
    )  # fmt: skip
    assert details["current"] == kept(first)
    now = await send(world, "GET", path, admin)
    assert (now.json(), now.headers["etag"]) == (kept(first), details["etag"])
    if kept(first) == first.json():
        assert details["etag"] == first.headers["etag"]
    assert revision(details["etag"]) == revision(first.headers["etag"])
    second = await send(world, verb(kind), path, admin, json=two, headers=if_match(details["etag"]))
    assert second.status_code == 200


@pytest.mark.parametrize("kind", KINDS)
async def test_of_two_editors_at_once_one_is_told_what_the_other_did(
    world: World, kind: str
) -> None:
    admin = await world.admin()
    path, one, two = (await made(world, admin))[kind]
    seen = (await send(world, "GET", path, admin)).headers["etag"]
    answers = await asyncio.gather(
        *(
            send(world, verb(kind), path, admin, json=body, headers=if_match(seen))
            for body in (one, two, one, two)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    done = next(answer for answer in answers if answer.status_code == 200)
    for answer in answers:
        if answer is not done:
            assert answer.json()["details"]["current"] == kept(done)


async def test_where_there_is_no_wording_yet_its_place_is_held(world: World) -> None:
    what = (NotificationKind.PAGE, Channel.EMAIL)
    now = await world.clock.now()

    async def second() -> MessageTemplate | None:
        async with world.database.writing() as session:
            return await crud_message_template.lock(session, *what)

    async with world.database.writing() as session:
        assert await crud_message_template.lock(session, *what) is None
        waiting = asyncio.create_task(second())
        while not await world.sql(WAITS):
            assert not waiting.done()
            await asyncio.sleep(0.01)
        row = MessageTemplate(
            kind=what[0], channel=what[1], body="x", revision=1, created_at=now, updated_at=now
        )
        await crud_message_template.add(session, row)
    found = await waiting
    assert found is not None
    assert found.body == "x"


@pytest.mark.parametrize("kind", DELETED)
async def test_what_somebody_changed_is_not_deleted(world: World, kind: str) -> None:
    admin = await world.admin()
    path, one, _ = (await made(world, admin))[kind]
    seen = (await send(world, "GET", path, admin)).headers["etag"]
    changed = await send(world, verb(kind), path, admin, json=one)
    gone = path + DELETED[kind].format(id=path.rsplit("/", 1)[1])
    await refused(world, "DELETE", gone, admin, 412, "PRECONDITION_FAILED", headers=if_match(seen))
    assert (await send(world, "GET", path, admin)).json() == kept(changed)
    await world.call("DELETE", gone, admin, expect=204, headers=if_match(changed.headers["etag"]))


@pytest.mark.parametrize("kind", KINDS)
async def test_without_a_condition_the_last_write_of_a_field_wins(world: World, kind: str) -> None:
    admin = await world.admin()
    path, one, two = (await made(world, admin))[kind]
    for body in (one, two):
        await world.call(verb(kind), path, admin, json=body)
    now = await world.call("GET", path, admin)
    assert {name: now[name] for name in two} == two


async def test_the_revision_in_quotes_will_do(world: World) -> None:
    ana = await world.person()
    incident = await world.declare(ana)
    path = f"/v1/incidents/{incident['id']}"
    tag = f'"{incident["revision"]}"'
    await world.call("PATCH", path, ana, json={"title": "One"}, headers=if_match(tag))
    await world.call("PATCH", path, ana, expect=412, json={"title": "Two"}, headers=if_match(tag))
    await world.call(
        "PATCH", path, ana, json={"title": "Two"}, headers=if_match(f'"1" , {tag}, W/"2"')
    )
    await world.call("PATCH", path, ana, json={"title": "Three"}, headers=if_match("*"))
    await world.call("PATCH", path, ana, expect=412, json={"title": "4"}, headers=if_match('"abc"'))


async def test_an_alert_that_joins_refuses_nobodys_edit(world: World) -> None:
    """It shows, so the tag changes; but nobody edited anything."""
    admin = await world.admin()
    key = await world.integration_key(admin)
    path = f"/v1/incidents/{(await world.alert(key))['incident_id']}"
    seen = (await send(world, "GET", path, admin)).headers["etag"]
    await world.alert(key)
    now = await send(world, "GET", path, admin, headers={"If-None-Match": seen})
    assert (now.status_code, now.json()["alert_count"]) == (200, 2)
    assert now.headers["etag"] != seen
    await world.call("PATCH", path, admin, json={"title": "Edited"}, headers=if_match(seen))


async def test_every_answer_of_an_incident_bears_its_tag(world: World) -> None:
    ana = await world.person()
    body = {"title": "Disk full", "severity": "high", "service": "database"}
    answer = await send(world, "POST", "/v1/incidents", ana, json=body)
    path = f"/v1/incidents/{answer.json()['id']}"
    for action in ("acknowledge", "resolve", "reopen"):
        answer = await send(world, "POST", f"{path}/{action}", ana)
        read = await send(world, "GET", path, ana)
        assert answer.headers["etag"] == read.headers["etag"]
    assert "etag" not in (await send(world, "GET", "/v1/incidents", ana)).headers


@pytest.mark.parametrize("kind", KINDS)
async def test_what_one_has_is_not_sent_again(world: World, kind: str) -> None:
    admin = await world.admin()
    path, one, _ = (await made(world, admin))[kind]
    read = await send(world, "GET", path, admin)
    tag = read.headers["etag"]
    for offered in (tag, f"W/{tag}", f'"abc", {tag}', "*"):
        answer = await send(world, "GET", path, admin, headers={"If-None-Match": offered})
        assert (answer.status_code, answer.content) == (304, b""), offered
        assert answer.headers["etag"] == tag
        assert answer.headers["x-request-id"]
        assert "content-type" not in answer.headers
    await world.call(verb(kind), path, admin, json=one)
    for offered in (tag, '"abc"', "nonsense", tag.strip('"'), f'"{read.json()["revision"]}"'):
        answer = await send(world, "GET", path, admin, headers={"If-None-Match": offered})
        assert answer.status_code == 200, offered


async def test_a_name_that_changes_shows_in_the_tag(world: World) -> None:
    ana, ben = await world.person(), await world.person("ben@example.org")
    number = (await world.declare(ana, assignees=[ben.id]))["id"]
    seen = (await send(world, "GET", f"/v1/incidents/{number}", ana)).headers["etag"]
    await world.call("PATCH", "/v1/users/me", ben, json={"full_name": "Benedikt"})
    now = await send(world, "GET", f"/v1/incidents/{number}", ana, headers={"If-None-Match": seen})
    assert now.status_code == 200
    assert now.json()["assignments"][0]["name"] == "Benedikt"


async def test_a_condition_shows_nobody_what_they_may_not_see(world: World) -> None:
    admin = await world.admin()
    viewer = await world.person("vi@example.org", Role.VIEWER)
    for path, body, _ in (await made(world, admin)).values():
        if path == "/v1/users/me":
            continue
        method = "PUT" if "template" in path else "PATCH"
        await refused(
            world, method, path, viewer, 403, "FORBIDDEN", json=body, headers=if_match('"99"')
        )
        await refused(world, "GET", path, None, 401, "UNAUTHORIZED", headers={"If-None-Match": "*"})


async def test_what_is_not_there_is_not_found_whatever_the_condition(world: World) -> None:
    admin = await world.admin()
    for tag in ("*", '"0"', '"1"'):
        await refused(
            world, "PATCH", "/v1/incidents/999", admin, 404, "INCIDENT_NOT_FOUND",
            json={"title": "x"}, headers=if_match(tag),
        )  # fmt: skip
    gone = (await world.declare(admin))["id"]
    await world.call("DELETE", f"/v1/incidents/{gone}?confirm={gone}", admin, expect=204)
    await refused(
        world, "PATCH", f"/v1/incidents/{gone}", admin, 404, "INCIDENT_NOT_FOUND",
        json={"title": "x"}, headers=if_match('"1"'),
    )  # fmt: skip


@pytest.mark.parametrize("sent", ["7", "7.0d1f"])
def test_a_bare_tag_is_meant_with_its_quotes(sent: str) -> None:
    assert read_tags(sent) == f'"{sent}"'


@pytest.mark.parametrize("sent", ["", '"7', "W/7", '"7",', '* , "7"', '"a""b"'])
async def test_what_is_no_tag_is_told_so(world: World, sent: str) -> None:
    with pytest.raises(ValueError, match="with its quotes"):
        read_tags(sent)
    ana = await world.person()
    incident = await world.declare(ana)
    path = f"/v1/incidents/{incident['id']}"
    faults = await faulty(world, "PATCH", path, ana, json={"title": "x"}, headers=if_match(sent))
    assert "with its quotes" in faults["If-Match"]
    assert (await world.call("GET", path, ana))["title"] == incident["title"]


def test_the_document_says_which_routes_take_conditions(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            named = {one["name"] for one in operation.get("parameters", ())}
            answers = operation["responses"]
            assert ("If-Match" in named) == ("412" in answers), (method, path)
            assert ("If-None-Match" in named) == ("304" in answers), (method, path)
            content = answers.get("200", {}).get("content", {}).get("application/json", {})
            schema = schemas.get(content.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1], {})
            if "revision" in schema.get("properties", {}) and method in ("get", "patch", "put"):
                assert {"If-Match", "If-None-Match"} & named, (method, path)
