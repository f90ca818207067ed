"""News: whoever was paged, and wants to know, hears how it went on; and nobody else."""

import pytest

from app.channels.base import GaveUp
from app.crud import crud_incident
from app.db.session import transaction_time
from app.domain.incident import AssignmentRole
from app.domain.notification import Channel, NotificationKind
from app.domain.user import Actor
from app.services import status_update
from tests.world import Person, Scripted, World

ACKNOWLEDGED, RESOLVED = NotificationKind.ACKNOWLEDGED, NotificationKind.RESOLVED


@pytest.fixture
async def ana(world: World) -> Person:
    admin = await world.admin()
    ana, ben = await world.person(), await world.person("ben@example.org")
    await world.policy(
        admin,
        [(0, {"user": ana.id}), (5, {"user": ben.id})],
        final_delay_minutes=600,
    )
    await world.sql("UPDATE contact_methods SET wants_updates = true")
    return ana


async def announce(
    world: World,
    incidents: list[int],
    kind: NotificationKind,
    actor: Actor,
    assignee_id: int | None = None,
) -> None:
    async with world.database.writing() as session:
        now = await transaction_time(session)
        found = [await crud_incident.lock(session, number) for number in incidents]
        held = [incident for incident in found if incident is not None]
        if len(held) == 1:
            await status_update.announce(
                session,
                held[0],
                kind,
                actor=actor,
                now=now,
                assignee_id=assignee_id,
                role=AssignmentRole.COMMANDER if assignee_id else None,
            )
        else:
            await status_update.announce_many(session, held, kind, actor=actor, now=now)


BO = Actor("Bo", 999_999)


async def news(world: World, channel: Channel = Channel.EMAIL) -> list[tuple[str, str]]:
    """Deliver, and say who was told what."""
    sender = Scripted(channel=channel)
    await world.deliver(sender)
    return [(message.address, message.subject.partition(":")[0]) for message in sender.messages]


async def test_whoever_was_paged_hears_of_the_answer(world: World, ana: Person) -> None:
    incident = await world.declare(ana)
    mail = Scripted()
    await world.pass_time(mail)
    await announce(world, [incident["id"]], ACKNOWLEDGED, BO)
    await announce(world, [incident["id"]], RESOLVED, BO)
    await world.deliver(mail)
    page, acknowledged, resolved = mail.messages
    assert acknowledged.subject.startswith("Acknowledged: Disk full")
    assert "Bo acknowledged what you were paged for" in acknowledged.text
    assert resolved.subject.startswith("Resolved: Disk full")
    assert {page.thread, acknowledged.thread, resolved.thread} == {page.thread}
    assert len({page.mark, acknowledged.mark, resolved.mark}) == 3
    assert set(mail.recipients) == {"ana@example.org"}  # Ben was not reached yet


async def test_one_letter_however_often_somebody_was_paged(world: World, ana: Person) -> None:
    admin = await world.admin("root@example.org")
    target = {"user": ana.id}
    await world.policy(admin, [(0, target), (0, target)], name="Again", final_delay_minutes=600)
    incident = await world.declare(ana)
    await world.pass_time(Scripted())
    assert len(await world.notifications(ana, incident["id"])) == 3
    await announce(world, [incident["id"]], RESOLVED, BO)
    assert await news(world) == [("ana@example.org", "Resolved")]


async def test_nobody_is_told_what_they_did_themselves(world: World, ana: Person) -> None:
    incident = await world.declare(ana)
    await world.pass_time(Scripted())
    await announce(world, [incident["id"]], ACKNOWLEDGED, Actor("Ana", ana.id))
    assert await news(world) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE contact_methods SET wants_updates = false",
        "UPDATE contact_methods SET verified_at = NULL",
        "UPDATE users SET is_active = false WHERE email = 'ana@example.org'",
        "INSERT INTO notification_preferences (user_id, channel, is_enabled)"
        " SELECT id, 'email', false FROM users",
    ],
)
async def test_nobody_is_told_who_does_not_want_it_or_is_not_there(
    world: World, ana: Person, change: str
) -> None:
    incident = await world.declare(ana)
    await world.pass_time(Scripted())
    await world.sql(change)
    await announce(world, [incident["id"]], RESOLVED, BO)
    assert await world.sql("SELECT 1 FROM notifications WHERE kind <> 'page'") == []


async def test_a_page_that_never_left_is_followed_by_no_news(world: World, ana: Person) -> None:
    failed, waiting = await world.declare(ana), await world.declare(ana, title="Another")
    await world.climb()
    await world.sql(
        "UPDATE notifications SET ready_at = ready_at + interval '1 hour' WHERE incident_id = :id",
        id=waiting["id"],
    )
    await world.deliver(Scripted(GaveUp("No such mailbox.")))
    await announce(world, [failed["id"], waiting["id"]], RESOLVED, BO)
    assert await world.sql("SELECT 1 FROM notifications WHERE kind <> 'page'") == []


async def test_what_a_tool_resolves_at_once_is_told_for_each(world: World, ana: Person) -> None:
    numbers = [(await world.declare(ana, title=f"Problem {n}"))["id"] for n in range(3)]
    await world.pass_time(Scripted())
    await announce(world, numbers, RESOLVED, Actor("Prometheus"))
    assert await news(world) == [("ana@example.org", "Resolved")] * 3


async def test_a_webhook_that_was_called_hears_how_it_ended(world: World, ana: Person) -> None:
    admin = await world.admin("root@example.org")
    hook = {"type": "webhook", "url": "https://hooks.example.org/x"}
    steps = [{"delay_minutes": 0, "actions": [hook]}]
    await world.policy(admin, [], name="Hook", steps=steps, final_delay_minutes=600)
    incident = await world.declare(ana)
    calls = Scripted(channel=Channel.WEBHOOK)
    await world.pass_time(calls)
    await announce(world, [incident["id"]], RESOLVED, Actor("Ana", ana.id))
    await world.deliver(calls)
    assert calls.recipients == ["https://hooks.example.org/x"] * 2
    assert [call.data["type"] for call in calls.messages] == ["incident.paged", "incident.resolved"]
    assert calls.messages[1].data["data"]["actor"] == "Ana"


async def test_an_assignment_is_news_for_the_assignee_alone(world: World, ana: Person) -> None:
    cleo = await world.person("cleo@example.org")
    await world.sql("UPDATE contact_methods SET wants_updates = true")
    incident = await world.declare(ana)
    await announce(world, [incident["id"]], NotificationKind.ASSIGNED, BO, cleo.id)
    mail = Scripted()
    await world.deliver(mail)
    [message] = mail.messages
    assert message.address == "cleo@example.org"
    assert "Bo put this incident into your hands" in message.text
    assert "commander" in message.text


async def test_taking_an_incident_oneself_is_no_news(world: World, ana: Person) -> None:
    incident = await world.declare(ana)
    actor = Actor("Ana", ana.id)
    await announce(world, [incident["id"]], NotificationKind.ASSIGNED, actor, ana.id)
    assert await news(world) == []


async def test_news_is_not_taken_back_by_what_comes_after_it(world: World, ana: Person) -> None:
    incident = await world.declare(ana)
    await world.pass_time(Scripted())
    await announce(world, [incident["id"]], ACKNOWLEDGED, BO)
    await world.act(ana, incident["id"], "snooze", json={"minutes": 60})
    await world.act(ana, incident["id"], "resolve")
    told = await news(world)
    assert ("ana@example.org", "Acknowledged") in told
