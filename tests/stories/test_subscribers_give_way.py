"""Pages go first: however many subscribers are told, nobody who is paged waits for them."""

import asyncio
from datetime import timedelta

import pytest

from app.channels.base import Message, Outcome
from app.domain.notification import Channel
from app.worker.compose import composer
from app.worker.delivery import Lane
from app.worker.loop import Loop
from tests.channels.servers import Mailbox, mail_server
from tests.worker.subscribing import loops, notice, public_incident, sent, subscribe, to_server
from tests.world import Person, Scripted, World, deliver

MANY = 10_000


async def a_page_is_due(world: World, admin: Person) -> None:
    await world.policy(admin, [(0, {"user": admin.id})])
    await world.declare(admin)
    await world.climb()


async def test_nothing_is_leased_for_subscribers_while_a_page_waits(world: World) -> None:
    admin = await world.admin()
    await subscribe(world)
    await notice(world, await public_incident(world))
    way = Scripted()
    works = loops(world, [way])
    await works.fan_out()
    await a_page_is_due(world, admin)
    lead = await works.deliver_due()
    assert way.messages == []
    assert lead is not None
    assert lead < timedelta(seconds=1)  # it looks again soon
    pager = Scripted()
    await world.deliver(pager)
    assert pager.messages
    await works.deliver_due()
    await works.drain()
    assert len(way.messages) == 1


async def test_a_page_on_one_channel_holds_up_nobody_on_another(world: World) -> None:
    admin = await world.admin()
    await subscribe(world, "slack://TokenA/TokenB/TokenC", channel=Channel.CHAT)
    await notice(world, await public_incident(world))
    chat = Scripted(channel=Channel.CHAT)
    works = loops(world, [Scripted(), chat])
    await works.fan_out()
    await a_page_is_due(world, admin)
    await works.deliver_due()
    await works.drain()
    assert len(chat.messages) == 1


class Slow(Scripted):
    """Takes each message and ends it only when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = asyncio.Event()
        self.most = 0
        self.now = 0

    async def send(self, message: Message) -> Outcome:
        self.now += 1
        self.most = max(self.most, self.now)
        await self.let_go.wait()
        self.now -= 1
        return await super().send(message)


async def test_a_slow_server_has_few_of_theirs_at_a_time_and_pages_have_their_own_senders(
    world: World,
) -> None:
    admin = await world.admin()
    for number in range(20):
        await subscribe(world, f"s{number}@example.org")
    await notice(world, await public_incident(world))
    slow = Slow()
    works = loops(world, [slow], each=3)
    await works.fan_out()
    await works.deliver_due()
    await asyncio.sleep(0)
    assert [row[1] for row in await sent(world)].count("sending") == 3
    await a_page_is_due(world, admin)
    pager = Scripted()
    await world.deliver(pager)
    assert pager.messages
    slow.let_go.set()
    await works.drain()
    assert slow.most == 3


@pytest.mark.stress
async def test_ten_thousand_subscribers_delay_no_page(world: World) -> None:
    """By the order in which a real mail server took them, while both kinds of loops run."""
    admin = await world.admin()
    await world.policy(admin, [(0, {"user": admin.id})])
    await world.sql(
        "INSERT INTO subscribers (channel, address, address_hash, link_number, token_hash, state,"
        " origin, asked_at, confirmed_at) SELECT 'email', 's' || n || '@example.org',"
        " md5(n::text), n, md5('t' || n), 'active', 'import', now(), now()"
        " FROM generate_series(1, :many) n",
        many=MANY,
    )
    world.clock.forward(seconds=1)
    await notice(world, await public_incident(world))
    mailbox = Mailbox()
    with mail_server(mailbox):
        works = loops(world, [to_server(mailbox)], world.database.beside(pool_size=3))
        await works.fan_out()
        lane = Lane(
            world.database,
            to_server(mailbox),
            composer(world.service.signer, "https://tocsin.test"),
        )
        telling = Loop("telling", works.deliver_due, longest_sleep=timedelta(seconds=1))
        works.freed = telling.ring
        telling.start()
        waits = []
        try:
            for _ in range(10):
                before = len(mailbox.envelopes)
                while len(mailbox.envelopes) < before + 20:
                    await asyncio.sleep(0.01)
                await world.declare(admin)
                await world.climb()
                ahead = len(mailbox.envelopes)
                await deliver(lane)
                took = [one.rcpt_tos for one in mailbox.envelopes[ahead:]]
                waits.append(took.index([admin.email]))
        finally:
            await telling.stop()
            await works.drain()
    # Those that had been handed to a sender before the page was due, and no other.
    assert max(waits) <= 8
    found = await world.sql("SELECT count(*) FROM subscriber_deliveries")
    assert found == [(MANY,)]
