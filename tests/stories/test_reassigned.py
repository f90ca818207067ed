"""Pages of assignees follow the incident: whoever has it no longer is not paged for it any more,
and whoever has it is."""

import pytest

from app.channels.base import GaveUp, RetryLater
from tests.reaching import add_verified, rules_of
from tests.stories.storms import stories
from tests.worker.lanes import Gated, lane
from tests.world import Person, Scripted, World


@pytest.fixture
async def admin(world: World) -> Person:
    return await world.admin()


@pytest.fixture
async def ana(world: World) -> Person:
    """She is paged at once, and again after five minutes."""
    ana = await world.person(full_name="Ana")
    second = await add_verified(world, ana, address="ana.second@example.org")
    first = (await world.call("GET", rules_of(ana), ana))["items"][0]
    rules = [
        {"contact_method_id": first["contact_method_id"], "delay_minutes": 0},
        {"contact_method_id": second["id"], "delay_minutes": 5},
    ]
    await world.call("PUT", rules_of(ana), ana, json={"items": rules})
    await world.sql("UPDATE notifications SET status = 'sent', sent_at = now(), ready_at = NULL")
    return ana


@pytest.fixture
async def ben(world: World) -> Person:
    return await world.person("ben@example.org", full_name="Ben")


async def unassign(world: World, by: Person, incident_id: int, who: Person) -> None:
    await world.call("DELETE", f"/v1/incidents/{incident_id}/assignments/{who.id}", by)


async def test_what_waits_for_somebody_who_has_it_no_longer_is_called_off(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    await world.policy(admin, [(0, "assignees"), (30, "assignees")], final_delay_minutes=600)
    mail = Scripted()
    number = (await world.declare(admin, assignees=[ana.id]))["id"]
    await world.pass_time(mail)
    assert mail.recipients == ["ana@example.org"]
    await world.act(admin, number, "assignments", json={"user_id": ben.id})
    await unassign(world, admin, number, ana)
    _, waiting = await world.notifications(admin, number)
    assert (waiting["status"], waiting["reason"]) == ("cancelled", "Ana is no longer assigned.")
    await world.pass_time(mail, minutes=10)
    assert mail.recipients == ["ana@example.org"]
    await world.pass_time(mail, minutes=20)
    assert mail.recipients == ["ana@example.org", "ben@example.org"]


async def test_if_nothing_had_left_the_next_step_comes_at_once(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    """Or nobody would be told for half an hour."""
    await world.policy(admin, [(0, "assignees"), (30, "assignees")], final_delay_minutes=600)
    mail = Scripted()
    number = (await world.declare(admin, assignees=[ana.id]))["id"]
    await world.climb()
    await world.act(admin, number, "assignments", json={"user_id": ben.id})
    await unassign(world, admin, number, ana)
    shown = await world.call("GET", f"/v1/incidents/{number}", admin)
    assert shown["assigned_to"] == ben.id
    assert len(await stories(world, admin, number, "escalation_hurried")) == 1
    await world.pass_time(mail)
    assert mail.recipients == ["ben@example.org"]


async def test_whoever_is_paged_for_another_reason_still_is(
    world: World, admin: Person, ana: Person
) -> None:
    await world.policy(admin, [(0, {"user": ana.id})], final_delay_minutes=600)
    mail = Scripted()
    number = (await world.declare(admin, assignees=[ana.id]))["id"]
    await world.climb()
    await unassign(world, admin, number, ana)
    await world.pass_time(mail, minutes=5)
    assert sorted(mail.recipients) == ["ana.second@example.org", "ana@example.org"]


async def test_others_who_have_it_are_paged_as_before(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    await world.policy(admin, [(0, "assignees")], final_delay_minutes=600)
    mail = Scripted()
    number = (await world.declare(admin, assignees=[ana.id, ben.id]))["id"]
    other = (await world.declare(admin, assignees=[ana.id]))["id"]
    await world.climb()
    await unassign(world, admin, number, ana)
    await world.pass_time(mail, minutes=5)
    told = [(message.address, message.data["data"]["incident"]["id"]) for message in mail.messages]
    assert sorted(told) == [
        ("ana.second@example.org", other),
        ("ana@example.org", other),
        ("ben@example.org", number),
    ]


async def test_an_observer_only_watches(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    await world.policy(admin, [(0, "assignees")], final_delay_minutes=600)
    mail = Scripted()
    number = (await world.declare(admin, assignees=[ben.id, ana.id]))["id"]
    await world.climb()
    body = {"user_id": ana.id, "role": "observer"}
    shown = await world.act(admin, number, "assignments", json=body)
    assert shown["assigned_to"] == ben.id
    await world.pass_time(mail, minutes=5)
    assert mail.recipients == ["ben@example.org"]


async def test_a_page_that_was_on_its_way_is_not_tried_again(
    world: World, admin: Person, ana: Person, ben: Person
) -> None:
    await world.policy(admin, [(0, "assignees"), (30, {"user": ben.id})], final_delay_minutes=600)
    number = (await world.declare(admin, assignees=[ana.id]))["id"]
    await world.climb()
    slow = Gated(RetryLater("Busy."))
    way = lane(world, slow)
    await way.deliver_due()
    await slow.began.wait()
    await unassign(world, admin, number, ana)
    slow.gate.set()
    await way.drain()
    mail = Scripted()
    await world.pass_time(mail, minutes=1)
    page, second, *_ = await world.notifications(admin, number)
    assert (page["status"], page["reason"]) == (
        "cancelled",
        "The recipient is no longer assigned.",
    )
    assert second["status"] == "cancelled"
    await world.pass_time(mail)
    assert mail.recipients == ["ben@example.org"]  # the step has lost its last page


async def test_a_person_who_gets_it_back_is_paged_again(
    world: World, admin: Person, ana: Person
) -> None:
    await world.policy(admin, [(0, "assignees"), (30, "assignees")], final_delay_minutes=600)
    mail = Scripted(GaveUp("No such mailbox."))
    number = (await world.declare(admin, assignees=[ana.id]))["id"]
    await world.pass_time(mail)
    await unassign(world, admin, number, ana)
    await world.act(admin, number, "assignments", json={"user_id": ana.id})
    await world.pass_time(mail)
    assert mail.recipients == ["ana@example.org", "ana@example.org"]
