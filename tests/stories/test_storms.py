"""A storm of one service: everybody hears at once that it has begun, and of all of it soon;
nothing is lost, doubled or later than a minute, and what is critical does not wait."""

import asyncio
import random
from collections import Counter
from datetime import timedelta

import pytest
from fastapi import FastAPI

from app.channels.base import RetryLater
from app.db.session import Database
from app.domain.bundle import BUNDLE_EVERY, MOST_IN_A_BUNDLE, USUAL_LIMIT, PageLimit
from app.domain.storm import USUAL_SERVICE_LIMIT
from app.worker.compose import composer
from app.worker.delivery import Lane
from app.worker.escalation import climb_due
from tests.stories.storms import at_the_minute, climb, flood, set_service_limit, stories, told
from tests.worker.lanes import URL, lane, statuses
from tests.world import Person, Scripted, World, deliver

ADDRESSES = {f"{name}@example.org" for name in ("ana", "ben", "cleo")}
AT_ONCE = USUAL_SERVICE_LIMIT.incidents


@pytest.fixture
async def admin(world: World) -> Person:
    return await world.admin()


@pytest.fixture
async def people(world: World, admin: Person) -> list[Person]:
    """Three who are paged for everything."""
    people = [await world.person(address) for address in sorted(ADDRESSES)]
    notify = [{"type": "notify", "target": {"user": who.id}} for who in people]
    steps = [{"delay_minutes": 0, "actions": notify}]
    await world.policy(admin, [], steps=steps, final_delay_minutes=600)
    return people


@pytest.fixture
async def key(world: World, admin: Person, people: list[Person]) -> str:
    await at_the_minute(world)
    return await world.integration_key(admin)


@pytest.mark.parametrize("limit", [PageLimit(1), USUAL_LIMIT], ids=["one", "usual"])
async def test_a_storm_pages_each_person_at_once_and_then_tells_them_everything(
    world: World, admin: Person, key: str, limit: PageLimit
) -> None:
    mail = Scripted()
    way = lane(world, mail, limit)
    incidents = await flood(world, key, 500)
    await climb(world)
    await deliver(way)
    assert {who: sum(of.values()) for who, of in told(mail.messages).items()} == dict.fromkeys(
        ADDRESSES, limit.pages
    )
    world.clock.forward(seconds=20)
    await deliver(way)
    assert len(mail.messages) == 3 * limit.pages
    world.clock.forward(seconds=40)
    await deliver(way)
    once = dict.fromkeys(incidents.values(), 1)
    assert told(mail.messages) == dict.fromkeys(ADDRESSES, once)
    assert len(mail.messages) == 3 * (limit.pages + 500 // MOST_IN_A_BUNDLE + 1)
    assert await statuses(world) == {"sent": 1500}


async def test_the_timeline_says_what_waits_and_until_when(
    world: World, admin: Person, key: str
) -> None:
    incidents = await flood(world, key, AT_ONCE + 1)
    until = await world.clock.now() + timedelta(minutes=1)
    said = [await stories(world, admin, number, "held_back") for number in incidents.values()]
    [[story]] = filter(None, said)
    assert story == (
        f"Service “payments” opened more than {AT_ONCE} incidents in 5 minutes;"
        f" its paging waits until {until:%H:%M} UTC and goes out as one."
    )


async def test_only_the_service_that_storms_waits_and_not_for_good(
    world: World, admin: Person, key: str
) -> None:
    async def held() -> int:
        [[count]] = await world.sql("SELECT count(*) FROM escalations WHERE held_until IS NOT NULL")
        return int(count)

    await flood(world, key, AT_ONCE)
    assert await held() == 0
    await flood(world, key, 3, first=100)
    assert await held() == 3
    await flood(world, key, 3, first=200, service="website")
    await world.declare(admin, service="payments")  # a person has looked already
    assert await held() == 3
    world.clock.forward(minutes=5.1)
    await flood(world, key, 3, first=300)
    assert await held() == 3


async def test_drills_make_no_storm(world: World, admin: Person, key: str) -> None:
    await flood(world, key, AT_ONCE)
    await world.sql("UPDATE incidents SET is_drill = true WHERE id % 2 = 0")
    await flood(world, key, AT_ONCE // 2, first=100)
    [[held]] = await world.sql("SELECT count(*) FROM escalations WHERE held_until IS NOT NULL")
    assert held == 0


async def test_a_critical_incident_in_a_storm_pages_at_once_and_alone(
    world: World, admin: Person, key: str
) -> None:
    mail = Scripted()
    way = lane(world, mail, USUAL_LIMIT)
    await flood(world, key, 100)
    await climb(world)
    await deliver(way)
    before = len(mail.messages)
    world.clock.forward(seconds=20)
    fire = await flood(world, key, 1, first=900, severity="critical")
    assert await stories(world, admin, fire[900], "held_back") == []
    await climb(world)
    await deliver(way)
    assert told(mail.messages[before:]) == {who: {fire[900]: 1} for who in ADDRESSES}
    world.clock.forward(seconds=40)
    await deliver(way)
    assert await statuses(world) == {"sent": 303}


async def test_what_becomes_critical_by_its_first_step_is_not_held(
    world: World, admin: Person, key: str
) -> None:
    ana = await world.person("dora@example.org")
    actions = [
        {"type": "set_severity", "severity": "critical"},
        {"type": "notify", "target": {"user": ana.id}},
    ]
    await world.policy(admin, [], name="Worse", steps=[{"delay_minutes": 0, "actions": actions}])
    mail = Scripted()
    await flood(world, key, AT_ONCE + 2)
    await climb(world)
    await deliver(lane(world, mail, PageLimit(1_000)))
    assert {who: len(of) for who, of in told(mail.messages).items()} == dict.fromkeys(
        {*ADDRESSES, "dora@example.org"}, AT_ONCE + 2
    )


async def test_a_first_step_that_comes_later_waits_for_its_own_minute(
    world: World, admin: Person, key: str
) -> None:
    dora = await world.person("dora@example.org")
    await world.policy(admin, [(2.5, {"user": dora.id})], name="Later", final_delay_minutes=600)
    await flood(world, key, AT_ONCE + 5)
    mail = Scripted()
    way = lane(world, mail, PageLimit(1_000))
    for _ in range(5):  # to 12:02:30, and to 12:03
        world.clock.forward(seconds=30)
        await climb(world)
        await deliver(way)
    assert len(told(mail.messages)["dora@example.org"]) == AT_ONCE
    world.clock.forward(seconds=30)
    await deliver(way)
    [bundle] = [one for one in mail.messages if len(told([one])["dora@example.org"]) > 1]
    assert len(told([bundle])["dora@example.org"]) == 5


async def test_later_steps_come_in_their_time_and_a_step_without_anybody_at_once(
    world: World, admin: Person, key: str
) -> None:
    dora, emil = await world.person("dora@example.org"), await world.person("emil@example.org")
    nobody = await world.person("nobody@example.org")
    await world.policy(admin, [(0, {"user": nobody.id}), (30, {"user": dora.id})], name="Gone")
    await world.call("PATCH", f"/v1/users/{nobody.id}", admin, json={"is_active": False})
    await world.policy(admin, [(0, {"user": dora.id}), (0.5, {"user": emil.id})], name="Soon")
    incidents = await flood(world, key, AT_ONCE + 1)
    mail = Scripted()
    way = lane(world, mail, PageLimit(1_000))
    await climb(world)
    await deliver(way)
    # Of the last one “Soon” is held; “Gone” has nobody to page, and goes on at once.
    dora_heard = told(mail.messages)["dora@example.org"]
    assert sorted(dora_heard.values()) == [1] + [2] * AT_ONCE
    world.clock.forward(seconds=31)
    await climb(world)
    await deliver(way)
    assert told(mail.messages)["emil@example.org"] == dict.fromkeys(incidents.values(), 1)
    assert told(mail.messages)["dora@example.org"] == dora_heard


async def test_an_answer_in_a_storm_stops_its_part_of_it(
    world: World, people: list[Person], key: str
) -> None:
    incidents = await flood(world, key, 60)
    mail = Scripted()
    way = lane(world, mail, PageLimit(1))
    await climb(world)
    await deliver(way)
    acknowledged, resolved, snoozed = incidents[5], incidents[45], incidents[55]
    await world.act(people[0], acknowledged, "acknowledge")
    await world.act(people[0], resolved, "resolve")
    await world.act(people[0], snoozed, "snooze", json={"minutes": 30})
    world.clock.forward(minutes=1)
    await deliver(way)
    quiet = {acknowledged, resolved, snoozed}
    assert all(set(of) == set(incidents.values()) - quiet for of in told(mail.messages).values())
    assert await statuses(world) == {"sent": 3 * 57, "cancelled": 6, "pending": 3}
    world.clock.forward(minutes=30)
    await climb(world)
    await deliver(way)
    assert told(mail.messages)["ana@example.org"][snoozed] == 1
    for number in (acknowledged, resolved):
        for page in await world.notifications(people[0], number):
            assert page["reason"].endswith("first.")


async def test_without_a_limit_nothing_waits_for_its_service(
    world: World, app: FastAPI, admin: Person, key: str
) -> None:
    set_service_limit(app, 0)
    await flood(world, key, 2 * AT_ONCE)
    mail = Scripted()
    await climb(world)
    await deliver(lane(world, mail, PageLimit(1_000)))
    assert len(mail.messages) == 6 * AT_ONCE
    [[held]] = await world.sql("SELECT count(*) FROM timeline_events WHERE event_type='held_back'")
    assert held == 0


@pytest.mark.parametrize("seed", range(3))
async def test_two_replicas_in_a_storm_tell_everything_once_however_they_meet(
    world: World, key: str, database_url: str, seed: int
) -> None:
    """Alerts, answers and refusals come at any time; each replica climbs and sends."""
    chance = random.Random(seed)
    replica = Database(database_url, pool_size=10)
    senders = [Scripted() for _ in range(2)]
    compose = composer(world.service.signer, URL)
    databases = [world.database, replica]
    ways = [
        Lane(each, sender, compose, limit=PageLimit(3), chance=lambda: 0.1)
        for each, sender in zip(databases, senders, strict=True)
    ]
    ana = await world.login((await world.sql("SELECT id FROM users WHERE email LIKE 'ana%'"))[0][0])
    incidents: dict[int, int] = {}
    answered: set[int] = set()

    async def turn() -> None:
        replica.clock_shift = world.database.clock_shift
        await asyncio.gather(*(climb_due(each) for each in databases))
        await asyncio.gather(*(deliver(way) for way in ways))

    for _ in range(16):
        world.clock.forward(seconds=chance.choice([1, 7, 13]))
        count = chance.choice([0, 2, 30])
        severity = chance.choice(["high", "high", "critical"])
        incidents |= await flood(world, key, count, first=len(incidents), severity=severity)
        if incidents and chance.random() < 0.4:
            number = chance.choice(list(incidents.values()))
            answered.add(number)
            await world.act(ana, number, "resolve")
        if chance.random() < 0.3:
            chance.choice(senders).outcomes = [RetryLater("Busy.")]
        await turn()
    for _ in range(15):
        world.clock.forward(seconds=10)
        await turn()
    await replica.close()

    [[waiting]] = await world.sql("SELECT count(*) FROM notifications WHERE ready_at IS NOT NULL")
    assert waiting == 0
    found = await world.sql(
        "SELECT incident_id, status, attempts, sent_at - due_at FROM notifications"
    )
    rows = [tuple(row) for row in found]
    assert {row[1] for row in rows} <= {"sent", "cancelled"}
    assert {row[0] for row in rows if row[1] == "cancelled"} <= answered
    assert max(row[3] for row in rows if row[1:3] == ("sent", 1)) < BUNDLE_EVERY + timedelta(
        seconds=20
    )
    paged = Counter(row[0] for row in rows)
    assert set(paged.values()) == {3}
    assert set(incidents.values()) - answered <= set(paged)
    [[retried]] = await world.sql(
        "SELECT count(*) FROM notification_attempts WHERE outcome <> 'sent'"
    )
    every = told(message for sender in senders for message in sender.messages)
    sent = sum(1 for row in rows if row[1] == "sent")
    assert sum(sum(of.values()) for of in every.values()) == sent + retried
    assert sum(len(of) for of in every.values()) >= sent
