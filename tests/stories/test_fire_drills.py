"""Fire drills from the button to the answer: real loops, real links, moved time."""

from typing import Any

import httpx

from app.channels.base import GaveUp
from app.core.security import Signer
from app.services.notification import LINK_PURPOSE
from tests.api.test_fire_drills import drill, method_of, read
from tests.web.html import read as read_page
from tests.world import Person, Scripted, World


async def link(world: World, signer: Signer, who: Person, made: dict[str, Any]) -> str:
    """The link that the drill's newest page bears."""
    page = (await read(world, who, made))["pages"][-1]
    return "/a/" + signer.link(LINK_PURPOSE, page["notification_id"])


async def standing(world: World, who: Person, made: dict[str, Any]) -> str:
    incident = await world.call("GET", f"/v1/incidents/{made['incident_id']}", who)
    return str(incident["status"])


async def test_a_drill_is_answered_by_the_link_and_timed(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana Díaz")
    mail = Scripted()
    made = await drill(world, ana)
    await world.pass_time(mail)
    assert mail.recipients == ["ana@example.org"]
    path = await link(world, signer, ana, made)

    asked = read_page((await client.get(path)).text)
    assert "Answer the drill as Ana Díaz" in asked.text
    assert (await read(world, ana, made))["state"] == "running"  # a look is no answer
    world.clock.forward(seconds=42)
    told = read_page((await client.post(path)).text)

    found = await read(world, ana, made)
    (page,) = found["pages"]
    assert (found["state"], found["answered_by"]) == ("answered", ana.id)
    assert 42 <= found["answer_seconds"] < 52
    assert found["notification_id"] == page["notification_id"]
    assert (page["status"], page["sent_at"] is not None) == ("sent", True)
    assert "You have answered the fire drill after 4" in told.text
    assert await standing(world, ana, made) == "resolved"
    assert (await world.timeline(ana, made["incident_id"]))[-1] == "drill_answered"
    assert "This fire drill is over" in read_page((await client.post(path)).text).text
    assert (await read(world, ana, made)) == found  # the first answer stands


async def test_an_answer_over_the_api_stops_the_rules_that_wait(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    items = [
        {"contact_method_id": await method_of(world, ana), "delay_minutes": delay}
        for delay in (0, 5)
    ]
    await world.call("PUT", "/v1/users/me/notification-rules", ana, json={"items": items})
    policy = await world.policy(admin, [(0, {"user": ana.id}), (1, "admins")])
    mail = Scripted()
    made = await drill(world, admin, policy_id=policy["id"])
    await world.pass_time(mail)
    await world.pass_time(mail, minutes=2)
    assert mail.recipients == ["ana@example.org"]

    answered = await world.act(ana, made["incident_id"], "acknowledge")

    assert answered["status"] == "resolved"
    found = await read(world, admin, made)
    assert (found["state"], found["answered_by"], found["notification_id"]) == (
        "answered", ana.id, None,
    )  # fmt: skip
    assert [page["status"] for page in found["pages"]] == ["sent", "cancelled"]
    await world.pass_time(mail, hours=2)
    assert len(mail.messages) == 1  # no second page, no step 2, no fallback, no news


async def test_who_wanted_news_gets_none_of_a_drill(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    await world.sql("UPDATE contact_methods SET wants_updates = true")
    mail = Scripted()
    made = await drill(world, ana)
    await world.pass_time(mail)
    await world.act(admin, made["incident_id"], "acknowledge")
    await world.pass_time(mail, minutes=5)
    assert mail.recipients == ["ana@example.org"]


async def test_a_drill_that_nobody_answers_is_missed_and_pages_nobody_else(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    mail = Scripted()
    made = await drill(world, ana)
    await world.pass_time(mail)
    await world.pass_time(mail, minutes=29)
    assert (await read(world, ana, made))["state"] == "running"

    await world.pass_time(mail, minutes=2)
    await world.pass_time(mail, hours=1)

    found = await read(world, ana, made)
    assert (found["state"], found["answered_at"], found["answer_seconds"]) == ("missed", None, None)
    assert found["missed_at"] is not None
    assert await standing(world, admin, made) == "resolved"
    assert mail.recipients == ["ana@example.org"]


async def test_a_drill_whose_page_is_lost_is_missed_at_once(world: World) -> None:
    ana = await world.person("ana@example.org")
    made = await drill(world, ana)
    await world.pass_time(Scripted(GaveUp("There is no such mailbox.")))
    await world.pass_time(seconds=1)
    found = await read(world, ana, made)
    assert (found["state"], found["pages"][0]["reason"]) == ("missed", "There is no such mailbox.")


async def test_resolving_calls_a_drill_off_and_it_cannot_be_reopened(world: World) -> None:
    admin = await world.admin()
    made = await drill(world, admin)
    await world.act(admin, made["incident_id"], "resolve")
    assert (await read(world, admin, made))["state"] == "called_off"
    refused = await world.act(admin, made["incident_id"], "reopen", expect=409)
    assert refused["code"] == "DRILL_IS_OVER"
    mail = Scripted()
    await world.pass_time(mail, minutes=1)
    assert mail.messages == []


async def new_method(world: World, who: Person) -> int:
    new = {"channel": "email", "address": "ana@home.example"}
    await world.call("POST", "/v1/users/me/contact-methods", who, expect=201, json=new)
    [(key,)] = await world.sql("SELECT id FROM contact_methods WHERE address = 'ana@home.example'")
    return int(key)


async def test_answering_by_its_link_verifies_a_contact_method(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana")
    method = await new_method(world, ana)
    mail = Scripted()
    await world.deliver(mail)  # the code
    made = await drill(world, admin, contact_method_id=method)
    await world.pass_time(mail)
    assert mail.recipients == ["ana@home.example", "ana@home.example"]

    await client.post(await link(world, signer, admin, made))

    found = await read(world, admin, made)
    assert (found["state"], found["answered_by"]) == ("answered", ana.id)
    methods = await world.call("GET", "/v1/users/me/contact-methods", ana)
    verified = {one["id"]: one["verified_at"] for one in methods["items"]}
    assert verified[method] == found["answered_at"]
    rules = await world.call("GET", "/v1/users/me/notification-rules", ana)
    assert [rule["contact_method_id"] for rule in rules["items"]][-1] == method
    incident = await world.declare(admin)
    assert incident["status"] == "open"


async def test_only_its_own_link_verifies_a_contact_method(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    method = await new_method(world, ana)
    made = await drill(world, ana, contact_method_id=method)
    await world.pass_time(Scripted())
    await world.act(admin, made["incident_id"], "acknowledge")  # says nothing of the address
    await client.post(await link(world, signer, ana, made))
    assert (await read(world, ana, made))["answered_by"] == admin.id
    assert await world.sql(
        "SELECT 1 FROM contact_methods WHERE id = :m AND verified_at IS NULL", m=method
    )


async def test_an_address_that_has_moved_since_is_not_proved(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    await world.admin()
    ana = await world.person("ana@example.org")
    method = await new_method(world, ana)
    made = await drill(world, ana, contact_method_id=method)
    await world.pass_time(Scripted())
    await world.sql(
        "UPDATE contact_methods SET address = 'eve@example.org' WHERE id = :m", m=method
    )
    await client.post(await link(world, signer, ana, made))
    assert (await read(world, ana, made))["state"] == "answered"
    assert await world.sql(
        "SELECT 1 FROM contact_methods WHERE id = :m AND verified_at IS NULL", m=method
    )


async def test_a_page_of_an_incident_still_refuses_an_address_that_is_not_proved(
    world: World,
) -> None:
    """What a drill may do, a page may not."""
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    await world.policy(admin, [(0, {"user": ana.id})])
    await world.declare(admin)
    await world.climb()
    await world.sql("UPDATE contact_methods SET verified_at = NULL WHERE user_id = :u", u=ana.id)
    mail = Scripted()
    await world.deliver(mail)
    assert mail.messages == []


async def test_two_who_answer_at_once_are_one_answer(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    admin = await world.admin()
    made = await drill(world, admin)
    await world.pass_time(Scripted())
    path = await link(world, signer, admin, made)
    first, second = await client.post(path), await client.post(path)
    stories = [read_page(answer.text).text for answer in (first, second)]
    assert ["You have answered" in story for story in stories] == [True, False]
    told = await world.timeline(admin, made["incident_id"])
    assert told.count("drill_answered") == 1


async def test_an_ordinary_link_page_says_nothing_of_drills(
    world: World, signer: Signer, client: httpx.AsyncClient
) -> None:
    admin = await world.admin()
    await world.declare(admin)
    await world.climb()
    [(page,)] = await world.sql("SELECT id FROM notifications")
    answer = await client.get("/a/" + signer.link(LINK_PURPOSE, page))
    assert "drill" not in answer.text.lower()
