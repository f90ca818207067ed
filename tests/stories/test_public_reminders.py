"""People are reminded of what the public waits to hear: once, whoever looks, and by a row."""

import asyncio
from typing import Any

from app.worker.public_page import PublicPages
from tests.api.publishing import PAGE, post, public, publish, turn
from tests.world import Person, Scripted, World


async def reminders(world: World) -> list[Any]:
    return await world.sql(
        "SELECT user_id, channel, facts FROM notifications WHERE kind = 'public_reminder'"
        " ORDER BY id"
    )


async def assign(world: World, who: Person, incident: Any, role: str) -> None:
    body = {"user_id": who.id, "role": role}
    await world.act(who, incident["id"], "assignments", json=body)


async def test_whoever_leads_is_reminded_a_little_before_the_update_is_due(world: World) -> None:
    admin, ana, bob = await world.admin(), await world.person(), await world.person("bob@x.example")
    incident = await world.declare(admin, severity="critical")
    await assign(world, ana, incident, "responder")
    await assign(world, bob, incident, "commander")
    made = await publish(world, admin, incident)
    assert made["next_update_due_at"] is not None
    world.clock.forward(minutes=24)
    await turn(world)
    assert await reminders(world) == []
    world.clock.forward(minutes=2)
    await turn(world)
    [told] = await reminders(world)
    assert (told.user_id, told.channel) == (bob.id, "email")
    world.clock.forward(minutes=30)
    await turn(world)
    assert len(await reminders(world)) == 1
    timeline = await world.call("GET", f"/v1/incidents/{incident['id']}/timeline", admin)
    entry = timeline["items"][-1]
    assert entry["event_type"] == "public_reminder"
    assert "bob" in entry["description"]


async def test_an_update_sets_the_clock_anew_and_an_end_stops_it(world: World) -> None:
    admin = await world.admin()
    incident = await world.declare(admin, severity="critical")
    await publish(world, admin, incident)
    world.clock.forward(minutes=20)
    await post(world, admin, incident)
    world.clock.forward(minutes=20)
    await turn(world)
    assert await reminders(world) == []
    await post(world, admin, incident, next_update_minutes=0)
    assert (await world.call("GET", public(incident), admin))["next_update_due_at"] is None
    await post(world, admin, incident, next_update_minutes=10)
    await post(world, admin, incident, status="resolved")
    world.clock.forward(hours=5)
    await turn(world)
    assert await reminders(world) == []


async def test_a_severity_without_a_clock_promises_nothing(world: World) -> None:
    admin = await world.admin()
    await world.call("PATCH", PAGE, admin, json={"update_minutes": {"critical": 15}})
    incident = await world.declare(admin, severity="low")
    assert (await publish(world, admin, incident))["next_update_due_at"] is None


async def test_two_replicas_remind_once(world: World) -> None:
    admin = await world.admin()
    for _ in range(5):
        await publish(world, admin, await world.declare(admin, severity="critical"))
    world.clock.forward(minutes=27)
    loops = [PublicPages(world.database) for _ in range(4)]
    for _ in range(5):
        await asyncio.gather(*(loop.round() for loop in loops))
    assert len(await reminders(world)) == 5


async def test_a_recovery_publishes_nothing_and_reminds_its_people_once(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    number = (await world.alert(key))["incident_id"]
    await publish(world, admin, {"id": number})
    await turn(world)
    assert await reminders(world) == []
    await world.alert(key, status="resolved")
    await turn(world)
    await turn(world)
    [told] = await reminders(world)
    assert told.facts["due_at"] is None
    assert told.facts["status"] == "investigating"
    # Over once more is another end.
    await world.act(admin, number, "reopen")
    await turn(world)
    assert len(await reminders(world)) == 1
    await world.act(admin, number, "resolve")
    await turn(world)
    assert len(await reminders(world)) == 2
    await post(world, admin, {"id": number}, status="resolved", body="It is over.")
    await turn(world)
    assert len(await reminders(world)) == 2


async def test_what_a_reminder_says_reaches_its_reader(world: World) -> None:
    admin = await world.admin()
    incident = await world.declare(admin, severity="critical")
    await publish(world, admin, incident)
    world.clock.forward(minutes=27)
    await turn(world)
    sender = Scripted()
    await world.deliver(sender)
    [mail] = [one for one in sender.messages if "Update due" in one.subject]
    assert "Checkout is slow" in mail.subject
    assert f"/incidents/{incident['id']}" in mail.text
