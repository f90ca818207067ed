"""It is over: whoever was told of an incident hears it, alone or in a storm, whatever went wrong;
and whoever was never told does not."""

import pytest

from app.channels.base import RetryLater, Sent
from app.crud import crud_incident
from app.db.session import transaction_time
from app.domain.notification import NotificationKind
from app.domain.user import Actor
from app.services import status_update
from tests.stories.storms import at_the_minute, climb, flood
from tests.worker.lanes import FEW, lane, lease
from tests.world import Person, Scripted, World, deliver


@pytest.fixture
async def ana(world: World) -> Person:
    """She is paged for everything, and wants to know how it went on."""
    admin = await world.admin()
    ana = await world.person()
    await world.policy(admin, [(0, {"user": ana.id})], final_delay_minutes=600)
    await world.sql("UPDATE contact_methods SET wants_updates = true")
    return ana


@pytest.fixture
async def admin(world: World, ana: Person) -> Person:
    return await world.login((await world.sql("SELECT min(id) FROM users"))[0][0])


@pytest.fixture
async def key(world: World, admin: Person) -> str:
    await at_the_minute(world)
    return await world.integration_key(admin)


async def news(world: World) -> list[int]:
    """Which incidents somebody is told the end of."""
    rows = await world.sql(
        "SELECT incident_id FROM notifications WHERE kind = 'resolved' ORDER BY incident_id"
    )
    return [number for (number,) in rows]


async def test_who_was_told_in_a_bundle_hears_of_each_end(
    world: World, ana: Person, admin: Person, key: str
) -> None:
    mail = Scripted()
    way = lane(world, mail)
    incidents = list((await flood(world, key, 40)).values())
    await climb(world)
    await deliver(way)
    world.clock.forward(minutes=1)
    await deliver(way)
    late = await flood(world, key, 2, first=40)
    await climb(world)
    for number in (incidents[0], incidents[20], incidents[39], late[41]):
        await world.act(admin, number, "resolve")
    assert await news(world) == [incidents[0], incidents[20], incidents[39]]
    await deliver(way)
    assert [message.subject.partition(":")[0] for message in mail.messages[-3:]] == ["Resolved"] * 3


async def test_what_was_held_and_never_told_ends_in_silence(
    world: World, ana: Person, admin: Person, key: str
) -> None:
    incidents = list((await flood(world, key, 40)).values())
    await climb(world)
    await deliver(lane(world, Scripted()))
    for number in incidents:
        await world.act(admin, number, "resolve")
    assert len(await news(world)) == FEW.pages


async def test_a_page_that_may_have_arrived_counts_as_told(
    world: World, ana: Person, admin: Person, key: str
) -> None:
    """Its sender vanished, and who took over had no luck before the end."""
    [number, refused] = (await flood(world, key, 2)).values()
    await climb(world)
    async with world.database.writing() as session:
        await lease(session, FEW, free=1)
    way = lane(world, Scripted(RetryLater("Busy."), RetryLater("Busy.")))
    await deliver(way)
    world.clock.forward(seconds=21)
    await deliver(lane(world, Scripted(RetryLater("Busy."), RetryLater("Busy."))))
    [[tries]] = await world.sql("SELECT count(*) FROM notifications WHERE status = 'pending'")
    assert tries == 2
    for one in (number, refused):
        await world.act(admin, one, "resolve")
    assert await news(world) == [number]


async def test_a_page_that_waits_to_be_sent_again_was_told(
    world: World, ana: Person, admin: Person, key: str
) -> None:
    [number] = (await flood(world, key, 1)).values()
    await climb(world)
    await deliver(lane(world, Scripted()))
    [page] = await world.notifications(admin, number)
    await world.call("POST", f"/v1/notifications/{page['id']}/resend", admin, expect=202)
    await world.act(admin, number, "resolve")
    assert await news(world) == [number]


async def test_what_a_provider_took_and_lost_was_never_told(
    world: World, ana: Person, admin: Person, key: str
) -> None:
    [number] = (await flood(world, key, 1)).values()
    await climb(world)
    await deliver(lane(world, Scripted(Sent("provider-1"))))
    [page] = await world.notifications(admin, number)
    await world.sql(
        "UPDATE notification_attempts SET outcome = 'gave_up' WHERE notification_id = :id",
        id=page["id"],
    )
    await world.sql(
        "UPDATE notifications SET status = 'failed', reason = 'Lost.' WHERE id = :id", id=page["id"]
    )
    await world.act(admin, number, "resolve")
    assert await news(world) == []


async def test_what_is_kept_here_for_want_of_a_provider_counts(
    world: World, ana: Person, admin: Person, key: str
) -> None:
    [number] = (await flood(world, key, 1)).values()
    await climb(world)
    await deliver(lane(world, Scripted(Sent(kept_at="outbox/1"))))
    await world.act(admin, number, "resolve")
    assert await news(world) == [number]


async def test_a_drill_makes_no_news(world: World, ana: Person, admin: Person, key: str) -> None:
    drill, real = (await flood(world, key, 2)).values()
    await climb(world)
    await deliver(lane(world, Scripted()))
    await world.sql("UPDATE incidents SET is_drill = true WHERE id = :id", id=drill)
    async with world.database.writing() as session:
        incidents = await crud_incident.lock_unresolved(session, [drill, real])
        await status_update.announce_many(
            session,
            incidents,
            NotificationKind.RESOLVED,
            actor=Actor("Prometheus"),
            now=await transaction_time(session),
        )
    assert await news(world) == [real]
