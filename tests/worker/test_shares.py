"""One slow provider among many: it keeps its own messages waiting, and no others."""

import asyncio
from typing import Any

import pytest

from app.channels.base import Message, Outcome
from app.domain.notification import Channel
from app.worker import delivery
from tests.worker.lanes import MANY, lane
from tests.world import Scripted, World

SLOW, QUICK = "slow.example.org", "quick.example.org"


class Hosts(Scripted):
    """A sender to many hosts, one of which takes its time until the gate opens."""

    has_many_providers = True
    concurrency = 4

    def __init__(self) -> None:
        super().__init__(channel=Channel.WEBHOOK)
        self.gate = asyncio.Event()
        self.under_way = 0
        self.most = 0

    def provider_of(self, message: Message) -> str | None:
        return message.address.split("/")[2]

    async def send(self, message: Message) -> Outcome:
        if SLOW in message.address:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            await self.gate.wait()
            self.under_way -= 1
        return await super().send(message)


async def posted(world: World, *addresses: str) -> None:
    for address in addresses:
        await world.sql(
            "INSERT INTO notifications (kind, channel, recipient, rule, address, facts, due_at,"
            " ready_at, incident_id) SELECT 'resolved', 'webhook', 'webhook', 0, :address,"
            ' \'{"actor": "Ana"}\', now(), now(), max(id) FROM incidents',
            address=address,
        )


@pytest.fixture
async def hooks(world: World) -> Any:
    admin = await world.admin()
    await world.declare(admin)
    await posted(world, *[f"https://{SLOW}/{n}" for n in range(10)])
    return admin


async def count(world: World, host: str, status: str) -> int:
    [[found]] = await world.sql(
        "SELECT count(*) FROM notifications WHERE address LIKE :host AND status = :status",
        host=f"%{host}%",
        status=status,
    )
    return int(found)


async def test_what_takes_long_makes_room_and_gets_no_more_than_its_share(
    world: World, hooks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "SLOW", 0.0)  # as if a second had passed for each
    sender = Hosts()
    way = lane(world, sender, MANY)
    await way.deliver_due()
    while sender.under_way < 4 or await count(world, SLOW, "sending") > 4:
        await asyncio.sleep(0.01)
    await posted(world, *[f"https://{QUICK}/{n}" for n in range(10)])
    while await count(world, QUICK, "sent") < 10:
        await way.deliver_due()
        await asyncio.sleep(0.01)
    assert sender.most == sender.concurrency
    rows = await world.sql(
        "SELECT attempts, last_error, ready_at > now() FROM notifications"
        " WHERE address LIKE :host AND status = 'pending'",
        host=f"%{SLOW}%",
    )
    assert len(rows) == 6
    assert all(attempts == 0 and "is slow" in error for attempts, error, _ in rows if error)
    sender.gate.set()
    await way.drain()
    world.clock.forward(minutes=5)
    while await count(world, SLOW, "sent") < 10:
        await way.deliver_due()
        await way.drain()
    assert len(sender.messages) == 20


async def test_a_lane_that_is_full_looks_again_when_its_oldest_send_counts_as_slow(
    world: World, hooks: Any
) -> None:
    sender = Hosts()
    way = lane(world, sender, MANY)
    lead = await way.deliver_due()
    assert lead is not None
    assert 0 < lead.total_seconds() <= delivery.SLOW
    sender.gate.set()
    await way.drain()


async def test_no_lane_has_more_under_way_than_it_has_room_for(
    world: World, hooks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "SLOW", 0.0)
    monkeypatch.setattr(delivery, "ROOM", 1)
    sender = Hosts()
    way = lane(world, sender, MANY)
    await way.deliver_due()
    await posted(world, f"https://{QUICK}/1")
    await way.deliver_due()
    assert await count(world, QUICK, "pending") == 1
    sender.gate.set()
    await way.drain()
