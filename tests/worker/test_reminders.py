"""Reminders of action items: on the morning before and after, once each, for what still is so."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.duty import move_to, turn
from tests.postmortems import begun, item, resolved
from tests.world import Person, Scripted, World

BERLIN = {"time_zone": "Europe/Berlin"}
DUE = datetime(2027, 3, 29, tzinfo=UTC)  # in Berlin, the clocks change on the night before


async def owned(world: World, **fields: Any) -> tuple[Person, dict[str, Any]]:
    """Somebody with an action item that is due on that day."""
    ana = await world.person("ana@example.org", full_name="Ana", **BERLIN)
    postmortem = await begun(world, ana, await resolved(world, ana))
    body = {"owner_id": ana.id, "due_on": DUE.date().isoformat(), **fields}
    made = await item(world, ana, postmortem["id"], **body)
    return ana, made


async def reminded(world: World, person: Person) -> list[str]:
    """What somebody was reminded of so far."""
    rows = await world.sql(
        "SELECT kind FROM notifications WHERE user_id = :id AND kind LIKE 'action_item%'"
        " ORDER BY id",
        id=person.id,
    )
    return [row[0] for row in rows]


async def at(world: World, day: datetime, hour: int, minute: int = 0) -> None:
    """Let it be then, in UTC, and turn the loop twice: what was told is not told again."""
    await move_to(world, day.replace(hour=hour, minute=minute))
    await turn(world)
    await turn(world)


async def test_the_owner_is_reminded_before_and_after(world: World) -> None:
    ana, made = await owned(world)
    before, after = DUE - timedelta(days=1), DUE + timedelta(days=1)
    await at(world, before, 6, 59)  # 08:59 in Berlin, where summer has just begun
    assert await reminded(world, ana) == []
    await at(world, before, 7)
    assert await reminded(world, ana) == ["action_item_due"]
    await at(world, after, 6, 59)
    assert await reminded(world, ana) == ["action_item_due"]
    await at(world, after, 7)
    assert await reminded(world, ana) == ["action_item_due", "action_item_overdue"]
    await at(world, after + timedelta(days=30), 7)
    assert await reminded(world, ana) == ["action_item_due", "action_item_overdue"]
    sender = Scripted()
    await world.deliver(sender)
    mails = {one.subject: one.text for one in sender.messages}
    text = mails["Overdue: Rotate the logs"]
    assert "Ana, an action item of yours is overdue." in text
    assert "2027-03-29" in text
    assert f"/incidents/{made['postmortem']['incident_id']}/postmortem" in text
    assert "Due tomorrow: Rotate the logs" in mails


async def test_what_is_done_is_nobodys_reminder(world: World) -> None:
    ana, made = await owned(world)
    one = f"/v1/action-items/{made['id']}"
    await world.call("PATCH", one, ana, json={"state": "done"})
    await at(world, DUE - timedelta(days=1), 12)
    assert await reminded(world, ana) == []
    await world.call("PATCH", one, ana, json={"state": "open"})
    await at(world, DUE + timedelta(days=1), 12)
    assert await reminded(world, ana) == ["action_item_overdue"]


async def test_reminders_follow_the_day_and_the_owner(world: World) -> None:
    ana, made = await owned(world)
    ben = await world.person("ben@example.org", full_name="Ben")
    one = f"/v1/action-items/{made['id']}"
    later = DUE + timedelta(days=10)
    await world.call("PATCH", one, ana, json={"due_on": later.date().isoformat()})
    await at(world, DUE + timedelta(days=2), 12)
    assert await reminded(world, ana) == []
    await world.call("PATCH", one, ana, json={"owner_id": ben.id})
    await at(world, later, 12)
    assert (await reminded(world, ana), await reminded(world, ben)) == ([], ["action_item_due"])


async def test_a_day_that_is_moved_to_and_fro_is_told_once(world: World) -> None:
    ana, made = await owned(world)
    one = f"/v1/action-items/{made['id']}"
    await at(world, DUE - timedelta(days=1), 12)
    for day in (DUE + timedelta(days=9), DUE):
        await world.call("PATCH", one, ana, json={"due_on": day.date().isoformat()})
    await turn(world)
    await at(world, DUE + timedelta(days=1), 12)
    assert await reminded(world, ana) == ["action_item_due", "action_item_overdue"]


async def test_a_morning_that_has_passed_is_nobodys_reminder(world: World) -> None:
    ana, _ = await owned(world, due_on=(await world.clock.now()).date().isoformat())
    await turn(world)
    assert await reminded(world, ana) == []


async def test_who_switched_it_off_is_left_alone(world: World) -> None:
    ana, _ = await owned(world)
    settings = {"action_reminders": False}
    await world.call("PUT", "/v1/users/me/digest-settings", ana, json=settings)
    await at(world, DUE - timedelta(days=1), 12)
    assert await reminded(world, ana) == []
    await world.call("PUT", "/v1/users/me/digest-settings", ana, json={"action_reminders": True})
    await at(world, DUE + timedelta(days=1), 12)
    assert await reminded(world, ana) == ["action_item_overdue"]


async def test_quiet_hours_put_it_off(world: World) -> None:
    ana, _ = await owned(world)
    await world.sql(
        "UPDATE notification_rules SET quiet_from = '08:00', quiet_until = '10:30'"
        " WHERE user_id = :id",
        id=ana.id,
    )
    before = DUE - timedelta(days=1)
    await at(world, before, 7)
    assert await reminded(world, ana) == []
    await at(world, before, 8, 30)
    assert await reminded(world, ana) == ["action_item_due"]


async def test_with_its_incident_goes_what_was_promised(world: World) -> None:
    admin = await world.admin()
    ana, made = await owned(world)
    key = made["postmortem"]["incident_id"]
    await world.call("DELETE", f"/v1/incidents/{key}?confirm={key}", admin, expect=204)
    await at(world, DUE - timedelta(days=1), 12)
    assert await reminded(world, ana) == []
