"""Bundles where it gets rough: replicas side by side, senders that vanish in mid-bundle."""

import asyncio
from collections import Counter

import pytest
from fastapi import FastAPI
from sqlalchemy import event

from app.channels.base import RetryLater, Sent
from app.db.session import Database
from app.domain.bundle import USUAL_LIMIT, PageLimit
from app.domain.notification import MAX_ATTEMPTS
from app.worker.compose import composer
from app.worker.delivery import Lane
from tests.stories.storms import set_service_limit
from tests.worker.lanes import (
    FEW,
    URL,
    Gated,
    deliver,
    lane,
    lease,
    pages,
    pass_time,
    statuses,
    storm,
)
from tests.world import Person, Scripted, World


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    """Here services have no limit of their own: only people do."""
    set_service_limit(app, 0)
    return app


@pytest.fixture
async def people(world: World) -> tuple[Person, Person, str]:
    """Somebody who is paged for everything, somebody else, and a tool's key."""
    admin = await world.admin()
    ana, ben = await world.person(), await world.person("ben@example.org")
    target = [(0, {"user": ana.id})]
    await world.policy(admin, target, final_delay_minutes=600)
    return ana, ben, await world.integration_key(admin)


async def together(world: World, ways: list[Lane]) -> None:
    """Let all lanes work at once until nothing is due, however they meet."""
    due = True
    while due:
        await asyncio.gather(*(deliver(way) for way in ways))
        now = await world.clock.now()
        [[due]] = await world.sql(
            "SELECT count(*) FROM notifications WHERE ready_at <= :now", now=now
        )


@pytest.mark.parametrize("round_", range(5))
async def test_replicas_side_by_side_keep_one_limit_and_tell_everything_once(
    world: World, people: tuple[Person, Person, str], database_url: str, round_: int
) -> None:
    _, _, key = people
    replica = Database(database_url, pool_size=10)
    senders = [Scripted() for _ in range(4)]
    compose = composer(world.service.signer, URL)
    databases = [world.database, replica]
    ways = [Lane(databases[n % 2], one, compose, limit=FEW) for n, one in enumerate(senders)]
    await storm(world, key, 40)
    replica.clock_shift = world.database.clock_shift
    await together(world, ways)
    assert sum(len(one.messages) for one in senders) == FEW.pages
    world.clock.forward(minutes=1)
    replica.clock_shift = world.database.clock_shift
    await together(world, ways)
    await replica.close()
    told = [message for one in senders for message in one.messages]
    assert Counter(message.data["type"] for message in told) == {
        "incident.paged": FEW.pages,
        "incident.bundle": 1,
    }
    assert await statuses(world) == {"sent": 40}
    [[doubled]] = await world.sql("SELECT count(*) FROM notifications WHERE attempts > 1")
    assert doubled == 0


async def test_whoever_leases_for_a_person_keeps_others_from_it_but_from_nobody_else(
    world: World, people: tuple[Person, Person, str]
) -> None:
    ana, ben, key = people
    await storm(world, key, 4)
    admin = await world.login((await world.sql("SELECT min(id) FROM users"))[0][0])
    await world.policy(admin, [(0, {"user": ben.id})], name="Ben's")
    await storm(world, key, 1, first=4)
    async with world.database.writing() as first:
        taken = await lease(first, USUAL_LIMIT, free=1)
        assert {leased.user_id for leased in taken.leased} == {ana.id}
        async with world.database.writing() as second:
            others = await asyncio.wait_for(lease(second, USUAL_LIMIT), 5)
        assert {leased.user_id for leased in others.leased} == {ben.id}
    world.clock.forward(seconds=1)
    async with world.database.writing() as third:
        assert len((await lease(third, USUAL_LIMIT)).leased) == 4
    assert await statuses(world) == {"sending": 6}


async def held(world: World, key: str, count: int) -> list[int]:
    """A storm whose first pages are told, and the rest due now."""
    incidents = await storm(world, key, FEW.pages + count)
    await deliver(lane(world, Scripted()))
    world.clock.forward(minutes=1)
    return incidents[FEW.pages :]


async def test_when_a_sender_vanishes_in_mid_bundle_the_same_bundle_goes_out_again(
    world: World, people: tuple[Person, Person, str]
) -> None:
    ana, _, key = people
    await held(world, key, 20)
    async with world.database.writing() as session:
        [bundle] = (await lease(session, FEW)).leased
    first = composer(world.service.signer, URL)(bundle).message
    assert len(bundle.rows) == 20

    mail = Scripted()
    way = lane(world, mail)
    await storm(world, key, 2, first=40)  # what comes meanwhile is no part of it
    await pass_time(world, way, seconds=19)
    assert mail.messages == []
    await pass_time(world, way, seconds=2)
    [again] = mail.messages
    assert again.mark == first.mark
    assert again.data["data"]["incidents"] == first.data["data"]["incidents"]
    told = [page for page in await pages(world, ana) if page["is_resend"]]
    assert len(told) == 20
    for page in told:
        assert [attempt["outcome"] for attempt in page["history"]] == ["unknown", "sent"]
    await pass_time(world, way, seconds=60)
    assert await statuses(world) == {"sent": 25}
    assert len(mail.messages) == 2


async def test_of_a_vanished_bundle_only_what_is_still_needed_goes_out_again(
    world: World, people: tuple[Person, Person, str]
) -> None:
    ana, _, key = people
    incidents = await held(world, key, 5)
    async with world.database.writing() as session:
        [bundle] = (await lease(session, FEW)).leased
    assert bundle.incident is not None
    await world.act(ana, bundle.incident.id, "acknowledge")
    mail = Scripted()
    await pass_time(world, lane(world, mail), seconds=21)
    [again] = mail.messages
    left = set(incidents) - {bundle.incident.id}
    assert {one["id"] for one in again.data["data"]["incidents"]} == left
    assert again.mark != composer(world.service.signer, URL)(bundle).message.mark
    assert await statuses(world) == {"sent": 7, "cancelled": 1}


async def test_bundles_that_vanished_together_go_out_again_apart(
    world: World, people: tuple[Person, Person, str]
) -> None:
    _, ben, key = people
    admin = await world.login((await world.sql("SELECT min(id) FROM users"))[0][0])
    target = [(0, {"user": ben.id})]
    await world.policy(admin, target, name="Ben's", final_delay_minutes=600)
    await held(world, key, 12)
    async with world.database.writing() as session:
        bundles = (await lease(session, FEW)).leased
    assert [len(bundle.rows) for bundle in bundles] == [12, 12]
    mail = Scripted()
    await pass_time(world, lane(world, mail), seconds=21)
    compose = composer(world.service.signer, URL)
    marks = {(bundle.address, compose(bundle).message.mark) for bundle in bundles}
    assert {(message.address, message.mark) for message in mail.messages} == marks


async def test_a_vanished_page_is_not_held_because_of_others(
    world: World, people: tuple[Person, Person, str]
) -> None:
    _, _, key = people
    await storm(world, key, 3)
    async with world.database.writing() as session:
        assert len((await lease(session, FEW)).leased) == 3
    world.clock.forward(seconds=21)
    await storm(world, key, 5, first=3)
    mail = Scripted()
    await deliver(lane(world, mail))
    assert len(mail.messages) == 3
    assert {message.data["data"]["is_resend"] for message in mail.messages} == {True}


async def test_an_outcome_that_comes_after_a_bundles_lease_was_lost_changes_nothing(
    world: World, people: tuple[Person, Person, str]
) -> None:
    _, _, key = people
    await held(world, key, 4)
    slow, quick = Gated(RetryLater("Too late.")), Scripted()
    late = lane(world, slow)
    await late.deliver_due()
    await slow.began.wait()
    await pass_time(world, lane(world, quick), seconds=30)
    assert len(quick.messages) == 1
    slow.gate.set()
    await late.drain()
    assert await statuses(world) == {"sent": 7}
    [[tries]] = await world.sql("SELECT count(*) FROM notification_attempts WHERE number = 2")
    assert tries == 4


async def test_a_page_on_its_last_try_is_in_no_bundle(
    world: World, people: tuple[Person, Person, str]
) -> None:
    """Else it would end, or all the others would."""
    _, _, key = people
    incidents = await held(world, key, 4)
    await world.sql(
        "UPDATE notifications SET attempts = :n WHERE incident_id = :id",
        n=MAX_ATTEMPTS - 1,
        id=incidents[2],
    )
    async with world.database.writing() as session:
        leased = (await lease(session, FEW)).leased
    assert sorted(len(message.rows) for message in leased) == [1, 3]
    [alone] = [message for message in leased if len(message.rows) == 1]
    assert alone.incident is not None
    assert (alone.incident.id, alone.is_last_try) == (incidents[2], True)


async def test_a_page_put_off_by_a_snooze_is_not_told_by_a_bundle(
    world: World, people: tuple[Person, Person, str]
) -> None:
    ana, _, key = people
    incidents = await held(world, key, 4)
    await world.act(ana, incidents[1], "snooze", json={"minutes": 30})
    mail = Scripted()
    way = lane(world, mail)
    await deliver(way)
    assert len(mail.messages[0].data["data"]["incidents"]) == 3
    await pass_time(world, way, minutes=31)
    assert len(mail.messages) == 2


async def test_the_limit_is_asked_for_once_and_only_where_people_are_paged(
    world: World, people: tuple[Person, Person, str]
) -> None:
    _, _, key = people
    await storm(world, key, 2)
    seen: list[str] = []

    def note(conn: object, cursor: object, statement: str, *rest: object) -> None:
        seen.append(statement)

    engine = world.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        async with world.database.writing() as session:
            leased = (await lease(session, PageLimit(2))).leased
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(leased) == 2
    assert len([one for one in seen if "notifications" in one]) == 2


async def test_a_storm_to_one_person_is_held_in_one_go(
    world: World, people: tuple[Person, Person, str]
) -> None:
    """Leased and given back a few at a time, it would keep everybody else waiting."""
    _, _, key = people
    await storm(world, key, 50)
    async with world.database.writing() as session:
        leasing = await lease(session, FEW, free=4)
    assert len(leasing.leased) == 3
    [[count]] = await world.sql("SELECT count(*) FROM notifications WHERE held_until IS NOT NULL")
    assert count == 47


async def test_the_count_of_what_was_told_uses_its_index(
    world: World, people: tuple[Person, Person, str]
) -> None:
    """It is asked with every lease: it must not grow with what a person ever got."""
    ana, _, key = people
    [incident] = await storm(world, key, 1)
    await deliver(lane(world, Scripted(Sent())))
    await world.sql(
        "INSERT INTO notifications (incident_id, escalation_id, loop, step, action, recipient,"
        " rule, channel, user_id, contact_method_id, status, due_at, claimed_at, sent_at)"
        " SELECT incident_id, escalation_id, loop, step, 1000 + n, recipient, rule, channel,"
        " user_id, contact_method_id, 'sent', due_at, now() - n * interval '1 minute', now()"
        " FROM notifications, generate_series(1, 5000) n WHERE incident_id = :id",
        id=incident,
    )
    await world.sql("ANALYZE notifications")
    plan = await world.sql(
        "EXPLAIN SELECT 1 FROM notifications n WHERE n.claimed_at > now() - interval '10 minutes'"
        " AND n.kind = 'page' AND n.user_id = :id AND n.channel = 'email'",
        id=ana.id,
    )
    assert "ix_notifications_paged_lately" in str(plan)
