"""A process that stops: what it was sending is finished, or another one's at once."""

import asyncio

import pytest

from app.channels.base import Message, Outcome, Sent
from app.domain.bundle import PageLimit
from tests.worker.lanes import Gated, deliver, lane, pages
from tests.world import Person, Scripted, World


@pytest.fixture
async def ana(world: World) -> Person:
    admin = await world.admin()
    ana = await world.person()
    await world.policy(admin, [(0, {"user": ana.id})], final_delay_minutes=600)
    return ana


async def test_what_is_in_mid_send_is_anothers_at_once_and_may_be_a_copy(
    world: World, ana: Person
) -> None:
    incident = await world.declare(ana)
    await world.climb()
    stuck = Gated()
    stopping = lane(world, stuck)
    await stopping.deliver_due()
    await stuck.began.wait()
    await stopping.abandon()
    assert not stopping.is_sending
    other = Scripted()
    await deliver(lane(world, other))  # no time has passed: the lease is not waited for
    [message] = other.messages
    assert "may be a copy" in message.text
    [page] = await world.notifications(ana, incident["id"])
    assert (page["status"], page["is_resend"]) == ("sent", True)
    assert [attempt["outcome"] for attempt in page["history"]] == ["unknown", "sent"]
    assert "was stopped" in page["history"][0]["error"]


async def test_what_was_never_begun_goes_back_as_it_was(world: World, ana: Person) -> None:
    await world.declare(ana)
    await world.climb()
    unused = Scripted()
    stopping = lane(world, unused)
    leasing = await stopping._lease(unused.concurrency)
    assert len(leasing.leased) == 1  # its task has had no turn yet
    await stopping.abandon()
    assert unused.messages == []
    [page] = await pages(world, ana)
    assert (page["status"], page["attempts"], page["is_resend"]) == ("pending", 0, False)
    assert (page["history"], page["last_error"]) == ([], None)
    await deliver(lane(world, unused))
    assert len(unused.messages) == 1


async def test_what_was_answered_meanwhile_is_not_handed_over(world: World, ana: Person) -> None:
    incident = await world.declare(ana)
    await world.climb()
    stuck = Gated()
    stopping = lane(world, stuck)
    await stopping.deliver_due()
    await stuck.began.wait()
    await world.act(ana, incident["id"], "acknowledge")
    await stopping.abandon()
    [page] = await pages(world, ana)
    assert (page["status"], page["reason"]) == ("cancelled", "The incident was answered first.")
    assert [attempt["outcome"] for attempt in page["history"]] == ["unknown"]


async def test_what_ended_is_written_down_and_not_sent_again(world: World, ana: Person) -> None:
    """Abandoned between the provider's yes and our record of it."""
    await world.declare(ana)
    await world.climb()

    class Stopping(Scripted):
        async def send(self, message: Message) -> Outcome:
            asyncio.get_running_loop().call_soon(stop.set)
            return await super().send(message)

    stop = asyncio.Event()
    mail = Stopping(Sent("taken"))
    stopping = lane(world, mail)
    await stopping.deliver_due()
    await stop.wait()
    await stopping.abandon()
    [page] = await pages(world, ana)
    assert (page["status"], page["attempts"]) == ("sent", 1)


async def test_an_abandoned_lane_leases_nothing_more(world: World, ana: Person) -> None:
    mail = Scripted()
    stopping = lane(world, mail, PageLimit(100))
    await stopping.abandon()
    await world.declare(ana)
    await world.climb()
    await deliver(stopping)
    assert mail.messages == []


async def test_a_probe_that_is_abandoned_leaves_the_breaker_to_the_next(
    world: World, ana: Person
) -> None:
    await world.declare(ana)
    await world.climb()
    stuck = Gated()
    stopping = lane(world, stuck)
    await stopping.deliver_due()
    await stuck.began.wait()
    await stopping.abandon()
    report = stopping.report()["email"]
    assert (report["under_way"], report["failures"]) == (0, 0)
