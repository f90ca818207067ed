"""More pages than a person can read: the first at once, the rest together, none later than
a minute, and every one of them on record."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from fastapi import FastAPI

from app.channels.base import GaveUp, Message, RetryLater, Sent
from app.domain.bundle import BUNDLE_EVERY, MOST_IN_A_BUNDLE, PageLimit
from app.domain.notification import Channel
from app.worker.delivery import Lane
from tests.stories.storms import set_service_limit
from tests.worker.lanes import FEW, Gated, deliver, lane, pages, pass_time, statuses, storm
from tests.world import Person, Scripted, World


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    """Here services have no limit of their own: only people do."""
    set_service_limit(app, 0)
    return app


@pytest.fixture
async def ana(world: World) -> Person:
    admin = await world.admin()
    ana = await world.person()
    ben = await world.person("ben@example.org")
    await world.policy(admin, [(0, {"user": ana.id}), (60, {"user": ben.id})])
    return ana


@pytest.fixture
async def key(world: World, ana: Person) -> str:
    admin = await world.login((await world.sql("SELECT min(id) FROM users"))[0][0])
    return await world.integration_key(admin)


@pytest.fixture
def mail() -> Scripted:
    return Scripted()


@pytest.fixture
def way(world: World, mail: Scripted) -> Lane:
    return lane(world, mail)


async def test_the_first_come_at_once_and_the_rest_as_one_within_a_minute(
    world: World, ana: Person, key: str, mail: Scripted, way: Lane
) -> None:
    await storm(world, key, 12)
    await deliver(way)
    assert len(mail.messages) == 3
    held = [page for page in await pages(world, ana) if page["held_until"]]
    assert len(held) == 9
    assert {page["status"] for page in held} == {"pending"}
    assert {page["attempts"] for page in held} == {0}

    await pass_time(world, way, seconds=58)
    assert len(mail.messages) == 3
    await pass_time(world, way, seconds=2)
    assert len(mail.messages) == 4
    bundle = mail.messages[3]
    assert bundle.subject == "[HIGH] 9 incidents at once"
    told = bundle.data["data"]["incidents"]
    assert {one["id"] for one in told} == {page["incident_id"] for page in held}
    assert len({one["acknowledge_url"] for one in told}) == 9


async def test_everything_in_a_bundle_is_on_record(
    world: World, ana: Person, key: str, mail: Scripted, way: Lane
) -> None:
    await storm(world, key, 8)
    await deliver(way)
    mail.outcomes = [Sent("provider-1")]
    await pass_time(world, way, minutes=1)
    bundled = (await pages(world, ana))[3:]
    [leader] = [page for page in bundled if page["bundled_into"] is None]
    assert {page["bundled_into"] for page in bundled} == {None, leader["id"]}
    for page in bundled:
        assert (page["status"], page["sent_to"]) == ("sent", "ana@example.org")
        [attempt] = page["history"]
        assert (attempt["outcome"], attempt["provider_id"]) == ("sent", "provider-1")


async def test_each_link_of_a_bundle_acknowledges_its_own_incident(
    world: World, ana: Person, key: str, mail: Scripted, way: Lane
) -> None:
    await storm(world, key, 6)
    await pass_time(world, way)
    await pass_time(world, way, minutes=1)
    [first, second, _] = mail.messages[3].data["data"]["incidents"]
    answer = await world.client.post(first["acknowledge_url"].removeprefix("https://tocsin.test"))
    assert answer.status_code == 200
    assert (await world.call("GET", f"/v1/incidents/{first['id']}", ana))["assigned_to"] == ana.id
    other = await world.call("GET", f"/v1/incidents/{second['id']}", ana)
    assert other["status"] == "open"


async def test_what_comes_while_some_are_held_is_told_with_them(
    world: World, ana: Person, key: str, mail: Scripted, way: Lane
) -> None:
    await storm(world, key, 5)
    await deliver(way)
    world.clock.forward(seconds=50)
    late = await storm(world, key, 2, first=5)
    await deliver(way)
    assert len(mail.messages) == 3
    await pass_time(world, way, seconds=10)
    assert len(mail.messages) == 4
    assert {one["id"] for one in mail.messages[3].data["data"]["incidents"]} > set(late)
    await pass_time(world, way, minutes=5)
    assert len(mail.messages) == 4


async def test_a_bundle_of_one_is_an_ordinary_page(
    world: World, ana: Person, key: str, mail: Scripted, way: Lane
) -> None:
    await storm(world, key, 4)
    await deliver(way)
    await pass_time(world, way, minutes=1)
    page = mail.messages[3]
    assert page.subject.startswith("[HIGH] Problem 3 · ")
    assert page.data["type"] == "incident.paged"
    assert (await pages(world, ana))[3]["bundled_into"] is None


async def test_a_page_long_after_the_last_message_is_not_held(
    world: World, ana: Person, key: str, mail: Scripted, way: Lane
) -> None:
    await storm(world, key, 3)
    await deliver(way)
    world.clock.forward(seconds=61)
    await storm(world, key, 1, first=3)
    await deliver(way)
    assert len(mail.messages) == 4
    await storm(world, key, 1, first=4)
    await deliver(way)
    assert len(mail.messages) == 4


async def test_when_the_window_is_over_pages_come_one_by_one_again(
    world: World, ana: Person, key: str, mail: Scripted, way: Lane
) -> None:
    await storm(world, key, 3)
    await deliver(way)
    world.clock.forward(minutes=10.1)
    await storm(world, key, 3, first=3)
    await deliver(way)
    assert [message.data["type"] for message in mail.messages] == ["incident.paged"] * 6


async def test_what_is_held_stays_together_though_the_window_is_over(
    world: World, ana: Person, key: str, mail: Scripted
) -> None:
    way = lane(world, mail, PageLimit(3, timedelta(seconds=30)))
    await storm(world, key, 9)
    await deliver(way)
    await pass_time(world, way, minutes=1)
    assert [message.data["type"] for message in mail.messages[3:]] == ["incident.bundle"]


async def test_an_answer_cancels_what_is_held(
    world: World, ana: Person, key: str, mail: Scripted, way: Lane
) -> None:
    incidents = await storm(world, key, 6)
    await deliver(way)
    for incident_id in incidents[3:5]:
        await world.act(ana, incident_id, "acknowledge")
    await pass_time(world, way, minutes=1)
    assert len(mail.messages) == 4
    assert mail.messages[3].subject.startswith("[HIGH] Problem 5")
    assert await statuses(world) == {"sent": 4, "cancelled": 2}


async def test_a_bundle_looks_at_every_incident_whatever_was_forgotten_before(
    world: World, ana: Person, key: str, mail: Scripted, way: Lane
) -> None:
    """Answering cancels what waits; should that be missed, a bundle does not tell it either."""
    incidents = await storm(world, key, 8)
    await deliver(way)
    await world.sql(
        "UPDATE incidents SET status = 'resolved', resolved_at = now() WHERE id = ANY(:ids)",
        ids=incidents[6:],
    )
    await pass_time(world, way, minutes=1)
    told = [one["id"] for one in mail.messages[3].data["data"]["incidents"]]
    assert sorted(told) == incidents[3:6]
    assert await statuses(world) == {"sent": 6, "cancelled": 2}


async def test_what_is_answered_while_its_bundle_is_on_its_way_says_so(
    world: World, ana: Person, key: str, way: Lane
) -> None:
    incidents = await storm(world, key, 6)
    await deliver(way)
    world.clock.forward(minutes=1)
    slow = Gated()
    late = lane(world, slow)
    await late.deliver_due()
    await slow.began.wait()
    await world.act(ana, incidents[4], "resolve")
    slow.gate.set()
    await late.drain()
    page = (await pages(world, ana))[4]
    assert page["status"] == "sent"
    assert page["overtaken_at"] is not None


async def test_a_bundle_that_must_be_tried_again_stays_one_message(
    world: World, ana: Person, key: str, mail: Scripted, way: Lane
) -> None:
    incidents = await storm(world, key, 7)
    await deliver(way)
    mail.outcomes = [RetryLater("Busy.", timedelta(seconds=90))]
    await pass_time(world, way, minutes=1)
    waiting = (await pages(world, ana))[3:]
    assert {(page["status"], page["bundled_into"]) for page in waiting} == {("pending", None)}
    assert {page["last_error"] for page in waiting} == {"Busy."}
    await world.act(ana, incidents[6], "acknowledge")
    await pass_time(world, way, seconds=91)
    assert len(mail.messages) == 5
    assert len(mail.messages[4].data["data"]["incidents"]) == 3
    assert await statuses(world) == {"sent": 6, "cancelled": 1}


async def test_the_same_bundle_bears_the_same_mark_and_another_another(
    world: World, ana: Person, key: str, mail: Scripted, way: Lane
) -> None:
    """A receiver that knows a mark drops the message: no page may be lost like that."""
    await storm(world, key, 6)
    await deliver(way)
    mail.outcomes = [RetryLater("Busy."), RetryLater("Still busy.")]
    await pass_time(world, way, minutes=1)
    await pass_time(world, way, seconds=5)
    await storm(world, key, 1, first=6)
    await pass_time(world, way, minutes=2)
    first, again, more = mail.messages[3:]
    assert first.mark == again.mark
    assert len(more.data["data"]["incidents"]) == 4
    assert more.mark != first.mark


async def test_a_bundle_that_fails_for_good_fails_for_each_and_hurries_each_ladder(
    world: World, ana: Person, key: str, mail: Scripted, way: Lane
) -> None:
    incidents = await storm(world, key, 6)
    await deliver(way)
    mail.outcomes = [GaveUp("No such mailbox.")]
    await pass_time(world, way, minutes=1)
    for incident_id in incidents[3:]:
        story = await world.timeline(ana, incident_id)
        assert "notification_failed" in story
        assert "escalation_hurried" in story
    assert "notification_failed" not in await world.timeline(ana, incidents[0])
    await pass_time(world, way)
    assert Counter(mail.recipients)["ben@example.org"] == 3


async def test_only_pages_to_the_same_person_over_the_same_channel_count(
    world: World, key: str, mail: Scripted, way: Lane
) -> None:
    admin = await world.login((await world.sql("SELECT min(id) FROM users"))[0][0])
    cleo = await world.person("cleo@example.org")
    url = "https://hooks.example.org/x"
    steps = [
        {
            "delay_minutes": 0,
            "actions": [
                {"type": "notify", "target": {"user": cleo.id}},
                {"type": "webhook", "url": url},
            ],
        }
    ]
    await world.policy(admin, [], name="Other", steps=steps)
    await storm(world, key, 5)
    await deliver(way)
    assert Counter(mail.recipients) == {"ana@example.org": 3, "cleo@example.org": 3}
    calls = Scripted(channel=Channel.WEBHOOK)
    await deliver(lane(world, calls))
    assert len(calls.messages) == 5


async def test_a_bundle_tells_only_so_many_and_the_next_comes_at_once(
    world: World, ana: Person, key: str, mail: Scripted, way: Lane
) -> None:
    await storm(world, key, 3 + MOST_IN_A_BUNDLE + 20)
    await deliver(way)
    await pass_time(world, way, minutes=1)
    told = [len(message.data["data"]["incidents"]) for message in mail.messages[3:]]
    assert told == [MOST_IN_A_BUNDLE, 20]


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_comes_when_nobody_is_told_late_twice_or_too_often(
    world: World, ana: Person, key: str, mail: Scripted, way: Lane, seed: int
) -> None:
    chance = random.Random(seed)
    tick, opened, refused = 7.0, 0, 0
    for turn in range(120):
        world.clock.forward(seconds=tick)
        if turn < 100 and chance.random() < (0.5 if turn % 40 < 20 else 0.1):
            count = chance.choice([1, 1, 2, 9])
            await storm(world, key, count, first=opened)
            opened += count
        if turn < 100 and chance.random() < 0.1:
            mail.outcomes = [RetryLater("Busy.")]
        before = len(mail.outcomes)
        await deliver(way)
        refused += before - len(mail.outcomes)
    assert await statuses(world) == {"sent": opened}
    told = [incident for message in mail.messages for incident in incidents_in(message)]
    [[retried]] = await world.sql(
        "SELECT count(*) FROM notification_attempts WHERE outcome = 'retry'"
    )
    assert len(set(told)) == opened
    assert len(told) == opened + retried
    [[latest]] = await world.sql(
        "SELECT max(sent_at - due_at) FROM notifications WHERE attempts = 1"
    )
    assert latest <= BUNDLE_EVERY + timedelta(seconds=tick)
    sent = await world.sql("SELECT sent_at FROM notifications WHERE bundled_into IS NULL")
    moments = [moment for (moment,) in sent]
    assert len(moments) == len(mail.messages) - refused
    most = FEW.pages + FEW.window / BUNDLE_EVERY + 1 + refused
    for moment in moments:
        assert len([one for one in moments if moment <= one < moment + FEW.window]) <= most


def incidents_in(message: Message) -> list[int]:
    said = message.data["data"]
    return [one["id"] for one in said.get("incidents") or [said["incident"]]]


async def test_a_limit_that_nobody_reaches_changes_nothing(
    world: World, ana: Person, key: str, mail: Scripted
) -> None:
    await storm(world, key, 12)
    await deliver(lane(world, mail, PageLimit(12)))
    assert len(mail.messages) == 12
    assert not [page for page in await pages(world, ana) if page["held_until"]]
