"""Providers that fail: left alone, probed one message at a time, and nothing is lost over it."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.channels.base import Message, Outcome
from app.channels.fallback import Fallback
from app.domain.breaker import Tolerance
from app.domain.notification import MAX_ATTEMPTS, Channel, Receipt
from app.worker.delivery import Lane
from tests.worker.lanes import MANY, Gated, deliver, lane, pages
from tests.world import GaveUp, Person, RetryLater, Scripted, Sent, World

# So long that no slow machine makes a probe due by itself.
PATIENT = Tolerance(first_pause=timedelta(minutes=2), longest_pause=timedelta(minutes=15))
OPENS_AFTER = PATIENT.failures


class Provider(Scripted):
    """A sender whose provider can be down. It counts what it was asked to take."""

    def __init__(self, name: str = "mx.test", channel: Channel = Channel.EMAIL) -> None:
        super().__init__(channel=channel)
        self.name = name
        self.is_down = False
        self.asked = 0

    has_many_providers = False

    def provider_of(self, message: Message) -> str | None:
        return self.name

    async def send(self, message: Message) -> Outcome:
        self.asked += 1
        if self.is_down:
            return RetryLater(f"{self.name} did not answer: it is down.")
        return await super().send(message)


@pytest.fixture
async def ana(world: World) -> Person:
    admin = await world.admin()
    ana = await world.person()
    await world.policy(admin, [(0, {"user": ana.id})], final_delay_minutes=10_000)
    return ana


async def declare(world: World, who: Person, count: int) -> list[int]:
    """So many incidents, each of which pages once."""
    made = [await world.declare(who, title=f"Problem {n}") for n in range(count)]
    await world.climb()
    return [incident["id"] for incident in made]


def way_of(world: World, sender: Any) -> Lane:
    return lane(world, sender, MANY, tolerance=PATIENT)


async def rounds(world: World, count: int, *ways: Lane) -> None:
    """So many probes, or rounds of them: each lane sends what is due whenever the time comes."""
    for _ in range(count):
        world.clock.forward(minutes=16)
        await asyncio.gather(*(deliver(way) for way in ways))


async def test_what_an_open_breaker_turns_away_is_unspent_and_says_why(
    world: World, ana: Person
) -> None:
    await declare(world, ana, OPENS_AFTER + 3)
    mail = Provider()
    mail.is_down = True
    way = way_of(world, mail)
    await deliver(way)
    rows = await pages(world, ana)
    tried, spared = [[row for row in rows if row["attempts"] == n] for n in (1, 0)]
    assert (len(tried), len(spared), mail.asked) == (OPENS_AFTER, 3, OPENS_AFTER)
    for row in spared:
        assert (row["status"], row["history"], row["claimed_at"]) == ("pending", [], None)
        assert row["last_error"].startswith("mx.test has taken nothing for 1 s; tried again at ")
        assert "it is down" in row["last_error"]
    report = way.report()["mx.test"]
    assert (report["state"], report["failures"]) == ("open", OPENS_AFTER)
    assert report["last_error"] == "mx.test did not answer"
    probe_at = datetime.fromisoformat(report["next_probe"])
    [[ready_at]] = await world.sql(
        "SELECT min(ready_at) FROM notifications WHERE attempts = 0 AND status = 'pending'"
    )
    assert ready_at == probe_at


async def test_an_outage_of_hours_costs_no_page_and_no_try(world: World, ana: Person) -> None:
    await declare(world, ana, 12)
    mail = Provider()
    mail.is_down = True
    way = way_of(world, mail)
    await deliver(way)
    await world.sql("UPDATE notifications SET attempts = :n", n=MAX_ATTEMPTS - 2)
    await rounds(world, 24, way)
    assert mail.asked == OPENS_AFTER + 24, "one probe each time"
    rows = await pages(world, ana)
    assert {row["status"] for row in rows} == {"pending"}
    assert sum(len(row["history"]) for row in rows) == mail.asked, "what was tried is on record"
    assert {len(row["history"]) for row in rows} <= {2, 3}, "they take turns"

    mail.is_down = False
    await rounds(world, 3, way)
    assert {row["status"] for row in await pages(world, ana)} == {"sent"}
    assert len({message.mark for message in mail.messages}) == len(mail.messages) == 12
    assert way.report()["mx.test"]["state"] == "closed"


async def test_without_an_outage_every_try_counts(world: World, ana: Person) -> None:
    await declare(world, ana, 1)
    mail = Scripted(RetryLater("Busy."), Sent(), RetryLater("Busy."))
    way = way_of(world, mail)
    await deliver(way)
    await declare(world, ana, 1)
    await world.sql("UPDATE notifications SET attempts = :n", n=MAX_ATTEMPTS - 1)
    await rounds(world, 2, way)
    assert sorted(row["status"] for row in await pages(world, ana)) == ["failed", "sent"]


async def test_an_outage_of_a_day_ends_every_page_with_its_reason(
    world: World, ana: Person
) -> None:
    [incident, *_] = await declare(world, ana, 7)
    mail = Provider()
    mail.is_down = True
    way = way_of(world, mail)
    await deliver(way)
    world.clock.forward(hours=23)
    await deliver(way)
    assert {row["status"] for row in await pages(world, ana)} == {"pending"}
    world.clock.forward(hours=1)
    await rounds(world, 2, way)
    rows = await pages(world, ana)
    assert {row["status"] for row in rows} == {"failed"}
    assert all(row["reason"].startswith("Gave up 24 hours after it was due: ") for row in rows)
    assert "notification_failed" in await world.timeline(ana, incident)
    assert "escalation_hurried" in await world.timeline(ana, incident)


async def test_one_message_at_a_time_finds_out_whether_a_provider_is_back(
    world: World, ana: Person
) -> None:
    class Slow(Gated):
        async def send(self, message: Message) -> Outcome:
            if len(self.messages) < OPENS_AFTER:
                self.messages.append(message)
                return RetryLater("down")
            return await super().send(message)

    await declare(world, ana, 12)
    mail = Slow()
    way = way_of(world, mail)
    await deliver(way)
    world.clock.forward(minutes=3)
    await way.deliver_due()
    await mail.began.wait()
    world.clock.forward(minutes=1)
    await way.deliver_due()
    [[sending]] = await world.sql("SELECT count(*) FROM notifications WHERE status = 'sending'")
    while sending > 1:  # those that are handed back just now
        await asyncio.sleep(0.01)
        [[sending]] = await world.sql("SELECT count(*) FROM notifications WHERE status = 'sending'")
    assert way.report()["email"]["state"] == "half_open"
    assert way.report()["email"]["under_way"] == 1
    mail.gate.set()
    await rounds(world, 2, way)
    assert {row["status"] for row in await pages(world, ana)} == {"sent"}


async def test_two_replicas_share_an_outage_and_send_each_page_once(
    world: World, ana: Person
) -> None:
    await declare(world, ana, 15)
    mail = Provider()
    mail.is_down = True
    one, two = way_of(world, mail), way_of(world, mail)
    await rounds(world, 8, one, two)
    assert {row["status"] for row in await pages(world, ana)} == {"pending"}
    mail.is_down = False
    await rounds(world, 3, one, two)
    assert {row["status"] for row in await pages(world, ana)} == {"sent"}
    assert len({message.mark for message in mail.messages}) == len(mail.messages) == 15


async def test_a_provider_that_refuses_an_address_is_well(world: World, ana: Person) -> None:
    await declare(world, ana, OPENS_AFTER * 2)
    put_off = RetryLater("450 greylisted", is_about_message=True)
    mail = Scripted(*[put_off] * OPENS_AFTER, *[GaveUp("550", is_answer=True)] * OPENS_AFTER)
    way = way_of(world, mail)
    await deliver(way)
    assert len(mail.messages) == OPENS_AFTER * 2
    assert way.report()["email"]["state"] == "closed"


# --- Two providers ------------------------------------------------------------------------


async def test_while_the_first_is_down_messages_leave_over_the_second(
    world: World, ana: Person
) -> None:
    await declare(world, ana, OPENS_AFTER + 4)
    first, second = Provider("one.test"), Provider("two.test")
    first.is_down = True
    way = way_of(world, Fallback(first, second))
    await deliver(way)
    assert first.asked == OPENS_AFTER
    assert second.asked >= 4
    world.clock.forward(minutes=1)
    await deliver(way)
    assert {row["status"] for row in await pages(world, ana)} == {"sent"}
    assert first.asked == OPENS_AFTER
    marks = [message.mark for message in second.messages]
    assert len(set(marks)) == len(marks) == OPENS_AFTER + 4
    assert {name: one["state"] for name, one in way.report().items()} == {
        "one.test": "open",
        "two.test": "closed",
    }


async def test_the_first_is_used_again_as_soon_as_it_takes_something(
    world: World, ana: Person
) -> None:
    await declare(world, ana, OPENS_AFTER)
    first, second = Provider("one.test"), Provider("two.test")
    first.is_down = True
    way = way_of(world, Fallback(first, second))
    await deliver(way)
    first.is_down = False
    await rounds(world, 1, way)
    asked = second.asked
    await declare(world, ana, 5)
    await deliver(way)
    assert second.asked == asked
    assert len(first.messages) + len(second.messages) == OPENS_AFTER + 5


async def test_when_both_are_down_messages_wait_for_whichever_is_tried_first(
    world: World, ana: Person
) -> None:
    await declare(world, ana, OPENS_AFTER * 2 + 3)
    first, second = Provider("one.test"), Provider("two.test")
    first.is_down = second.is_down = True
    way = way_of(world, Fallback(first, second))
    await rounds(world, 2, way)
    assert {row["status"] for row in await pages(world, ana)} == {"pending"}
    second.is_down = False
    await rounds(world, 2, way)
    world.clock.forward(seconds=2)  # what had probed the first comes back
    await deliver(way)
    assert {row["status"] for row in await pages(world, ana)} == {"sent"}


async def test_a_send_whose_end_is_unclear_never_goes_to_the_second_at_once(
    world: World, ana: Person
) -> None:
    await declare(world, ana, 1)
    first, second = Provider("one.test"), Provider("two.test")
    first.is_down = True
    await deliver(way_of(world, Fallback(first, second)))
    [row] = await pages(world, ana)
    assert (row["status"], row["attempts"], second.asked) == ("pending", 1, 0)


async def test_what_either_provider_says_of_a_message_is_believed() -> None:
    class Reader(Provider):
        def __init__(self, receipt: Receipt) -> None:
            super().__init__(channel=Channel.SMS)
            self.receipt = receipt

        async def read_receipt(self, provider_id: str) -> Receipt:
            return self.receipt

    knows, silent = Reader(Receipt(is_delivered=True)), Reader(Receipt())
    for ways in ((knows, silent), (silent, knows)):
        assert (await Fallback(*ways).read_receipt("SM1")).is_delivered
    assert not (await Fallback(silent, silent).read_receipt("SM1")).is_final
    assert await Fallback(silent, knows).send(None) == Sent()  # type: ignore[arg-type]
