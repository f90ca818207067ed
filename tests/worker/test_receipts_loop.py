"""Receipts: providers are asked in time, a few at a time, by one replica, and believed."""

import asyncio
from datetime import timedelta

import pytest

from app.channels.base import Sent
from app.domain.notification import RECEIPT_WAITS, Channel, Receipt
from app.worker.receipts import CONCURRENCY, Receipts
from tests.worker.lanes import deliver, lane, pages, pass_time, storm
from tests.world import Person, Scripted, World


class Provider(Scripted):
    """A sender whose provider can be asked."""

    def __init__(self, *receipts: Receipt) -> None:
        super().__init__(channel=Channel.EMAIL)
        self.receipts = list(receipts)
        self.asked: list[str] = []
        self.number = 0

    async def send(self, message: object) -> Sent:  # type: ignore[override]
        self.number += 1
        return Sent(provider_id=f"msg-{self.number}")

    async def read_receipt(self, provider_id: str) -> Receipt:
        self.asked.append(provider_id)
        return self.receipts.pop(0) if self.receipts else Receipt()


@pytest.fixture
async def ana(world: World) -> Person:
    admin = await world.admin()
    ana, ben = await world.person(), await world.person("ben@example.org")
    steps = [(0, {"user": ana.id}), (60, {"user": ben.id})]
    await world.policy(admin, steps, final_delay_minutes=600)
    return ana


async def paged(world: World, ana: Person, provider: Provider) -> int:
    incident = await world.declare(ana)
    await pass_time(world, lane(world, provider))
    number: int = incident["id"]
    return number


async def test_a_provider_is_asked_until_it_knows(world: World, ana: Person) -> None:
    provider = Provider(Receipt(), Receipt(is_delivered=True))
    await paged(world, ana, provider)
    loop = Receipts(world.database, [provider])
    lead = await loop.read_due()
    assert lead is not None
    assert timedelta(seconds=10) < lead <= timedelta(seconds=15)
    world.clock.forward(seconds=15)
    await loop.read_due()
    [page] = await pages(world, ana)
    assert (page["status"], provider.asked) == ("sent", ["msg-1"])
    world.clock.forward(minutes=1)
    await loop.read_due()
    [page] = await pages(world, ana)
    assert page["status"] == "delivered"
    assert page["sent_at"] < page["delivered_at"]
    world.clock.forward(hours=3)
    assert await loop.read_due() is None
    assert len(provider.asked) == 2


async def test_a_provider_that_never_knows_is_asked_ever_less_and_then_no_more(
    world: World, ana: Person
) -> None:
    provider = Provider()
    await paged(world, ana, provider)
    loop = Receipts(world.database, [provider])
    for turn, wait in enumerate(RECEIPT_WAITS):
        world.clock.forward(seconds=wait.total_seconds() - 1)
        await loop.read_due()
        assert len(provider.asked) == turn
        world.clock.forward(seconds=1.5)
        await loop.read_due()
        assert len(provider.asked) == turn + 1
    world.clock.forward(days=2)
    await loop.read_due()
    assert len(provider.asked) == len(RECEIPT_WAITS)
    assert (await pages(world, ana))[0]["status"] == "sent"


async def test_what_a_provider_lost_fails_and_the_next_step_comes(
    world: World, ana: Person
) -> None:
    provider = Provider(Receipt(error="The number is unknown."))
    incident_id = await paged(world, ana, provider)
    world.clock.forward(seconds=15)
    await Receipts(world.database, [provider]).read_due()
    [page] = await pages(world, ana)
    assert (page["status"], page["reason"]) == ("failed", "The number is unknown.")
    [attempt] = page["history"]
    assert (attempt["outcome"], attempt["error"]) == ("gave_up", "The number is unknown.")
    story = await world.timeline(ana, incident_id)
    assert story[-2:] == ["notification_failed", "escalation_hurried"]
    mail = Scripted()
    await world.pass_time(mail)
    assert mail.recipients == ["ben@example.org"]


async def test_one_receipt_tells_of_everything_in_a_bundle(world: World, ana: Person) -> None:
    admin = await world.admin("root@example.org")
    key = await world.integration_key(admin)
    provider = Provider(*[Receipt(is_delivered=True)] * 3, Receipt(error="Refused."))
    way = lane(world, provider)
    incidents = await storm(world, key, 8)
    await deliver(way)
    loop = Receipts(world.database, [provider])
    world.clock.forward(seconds=20)
    await loop.read_due()
    await pass_time(world, way, seconds=45)
    world.clock.forward(seconds=20)
    await loop.read_due()
    assert len(provider.asked) == 4
    found = await pages(world, ana)
    assert [page["status"] for page in found] == ["delivered"] * 3 + ["failed"] * 5
    for incident_id in incidents[3:]:
        assert "escalation_hurried" in await world.timeline(ana, incident_id)


async def test_two_replicas_ask_once(world: World, ana: Person) -> None:
    provider = Provider()
    for n in range(20):
        await world.declare(ana, title=f"Problem {n}")
    await world.climb()
    for limit in range(2):
        await pass_time(world, lane(world, provider), minutes=limit)
    world.clock.forward(seconds=20)
    loops = [Receipts(world.database, [provider]) for _ in range(4)]
    await asyncio.gather(*(loop.read_due() for loop in loops))
    assert sorted(provider.asked) == sorted(set(provider.asked))
    assert len(provider.asked) == provider.number


async def test_a_replica_that_dies_over_a_question_costs_one_answer(
    world: World, ana: Person
) -> None:
    class Dying(Provider):
        async def read_receipt(self, provider_id: str) -> Receipt:
            await super().read_receipt(provider_id)
            raise RuntimeError("killed")

    dying = Dying()
    await paged(world, ana, dying)
    world.clock.forward(seconds=15)
    await Receipts(world.database, [dying]).read_due()
    heir = Provider(Receipt(is_delivered=True))
    world.clock.forward(minutes=1)
    await Receipts(world.database, [heir]).read_due()
    assert (await pages(world, ana))[0]["status"] == "delivered"


async def test_a_provider_that_does_not_answer_holds_up_no_loop(world: World, ana: Person) -> None:
    class Silent(Provider):
        async def read_receipt(self, provider_id: str) -> Receipt:
            self.asked.append(provider_id)
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

    silent = Silent()
    silent.timeout = timedelta(milliseconds=50)
    await paged(world, ana, silent)
    world.clock.forward(seconds=15)
    await asyncio.wait_for(Receipts(world.database, [silent]).read_due(), 5)
    assert (await pages(world, ana))[0]["status"] == "sent"


async def test_only_a_few_are_asked_at_a_time(world: World, ana: Person) -> None:
    class Busy(Provider):
        now = most = 0

        async def read_receipt(self, provider_id: str) -> Receipt:
            self.now += 1
            self.most = max(self.most, self.now)
            for _ in range(5):
                await asyncio.sleep(0)
            self.now -= 1
            return await super().read_receipt(provider_id)

    busy = Busy()
    for n in range(10):
        await world.declare(ana, title=f"Problem {n}")
    await world.climb()
    await world.sql("UPDATE notifications SET user_id = NULL, address = 'x@example.org'")
    await deliver(lane(world, busy))
    assert busy.number == 10
    world.clock.forward(seconds=20)
    await Receipts(world.database, [busy]).read_due()
    assert (len(busy.asked), busy.most) == (10, CONCURRENCY)


async def test_who_cannot_be_asked_is_not(world: World, ana: Person) -> None:
    mail = Scripted(Sent("provider-1"))
    await world.declare(ana)
    await world.pass_time(mail)
    assert await world.sql("SELECT 1 FROM notifications WHERE receipt_at IS NOT NULL") == []
    assert await Receipts(world.database, [mail]).read_due() is None
