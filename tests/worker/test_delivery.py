"""The delivery lanes: leases, what an answer does to what is on its way, vanished senders."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.channels.base import Message, Outcome, Sent
from app.crud.crud_outbox import Leasing
from app.db.session import WriteSession, transaction_time
from app.domain.bundle import USUAL_LIMIT
from app.domain.incident import IncidentStatus
from app.domain.notification import MAX_ATTEMPTS
from app.domain.user import Actor
from app.services import incident as incident_service
from app.worker.compose import composer
from app.worker.delivery import Lane
from tests.worker import lanes
from tests.worker.lanes import Gated
from tests.world import GaveUp, Person, RetryLater, Scripted, World


def lane(world: World, sender: Scripted) -> Lane:
    return lanes.lane(world, sender, USUAL_LIMIT)


async def lease(session: WriteSession, *, seconds: float) -> Leasing:
    return await lanes.lease(session, USUAL_LIMIT, seconds=seconds)


@pytest.fixture
async def ana(world: World) -> Person:
    admin = await world.admin()
    ana = await world.person()
    await world.policy(admin, [(0, {"user": ana.id})], final_delay_minutes=600)
    return ana


async def test_a_page_tells_when_it_was_due_claimed_and_sent(world: World, ana: Person) -> None:
    incident = await world.declare(ana)
    await world.pass_time(Scripted(Sent("provider-7")))
    [page] = await world.notifications(ana, incident["id"])
    assert page["status"] == "sent"
    assert page["due_at"] <= page["claimed_at"] <= page["sent_at"]
    assert page["sent_to"] == "ana@example.org"
    assert page["history"][0]["provider_id"] == "provider-7"


async def test_a_page_on_its_way_when_the_answer_comes_says_so(world: World, ana: Person) -> None:
    incident = await world.declare(ana)
    await world.climb()
    mail = Gated()
    under_way = lane(world, mail)
    await under_way.deliver_due()
    await mail.began.wait()
    await world.act(ana, incident["id"], "acknowledge")
    mail.gate.set()
    await under_way.drain()
    [page] = await world.notifications(ana, incident["id"])
    assert page["status"] == "sent"
    assert page["overtaken_at"] is not None


async def test_a_page_that_would_be_tried_again_is_dropped_once_answered(
    world: World, ana: Person
) -> None:
    incident = await world.declare(ana)
    await world.climb()
    mail = Gated(RetryLater("The server is busy."))
    under_way = lane(world, mail)
    await under_way.deliver_due()
    await mail.began.wait()
    await world.act(ana, incident["id"], "acknowledge")
    mail.gate.set()
    await under_way.drain()
    [page] = await world.notifications(ana, incident["id"])
    assert (page["status"], page["reason"]) == ("cancelled", "The incident was answered first.")


async def test_a_lane_leases_nothing_that_an_uncommitted_answer_is_cancelling(
    world: World, ana: Person
) -> None:
    incident = await world.declare(ana)
    await world.climb()
    mail = Scripted()
    async with world.database.writing() as session:
        await incident_service.change_status(
            session,
            incident["id"],
            IncidentStatus.ACKNOWLEDGED,
            actor=Actor("Ana", ana.id),
            now=await transaction_time(session),
        )
        await world.deliver(mail)
    await world.deliver(mail)
    assert mail.messages == []


async def test_a_lane_leases_no_more_than_it_has_free_senders(world: World, ana: Person) -> None:
    """And keeps some of them free for what is critical."""
    for _ in range(12):
        await world.declare(ana)
    await world.climb()
    mail = Gated()
    full = lane(world, mail)
    await full.deliver_due()
    leased = "SELECT count(*) FROM notifications WHERE status = 'sending'"
    assert await world.sql(leased) == [(mail.concurrency - 1,)]
    for _ in range(3):
        await world.declare(ana, severity="critical")
    await world.climb()
    assert await full.deliver_due() is None
    assert await world.sql(leased) == [(mail.concurrency,)]
    mail.gate.set()
    await full.drain()


async def test_what_only_has_to_be_written_down_keeps_no_sender_busy(
    world: World, ana: Person
) -> None:
    for _ in range(12):
        await world.declare(ana)
    await world.climb()
    mail = Gated()
    way = lanes.lane(world, mail, lanes.MANY)
    await way.deliver_due()
    taken = mail.concurrency - 1
    async with world.database.writing() as holder:  # nothing can be written down for now
        sending = "SELECT id FROM notifications WHERE status = 'sending' FOR UPDATE"
        await holder.execute(text(sending))
        mail.gate.set()
        while len(mail.messages) < taken:
            await asyncio.sleep(0.01)
        await way.deliver_due()
        while len(mail.messages) < 12:
            await asyncio.sleep(0.01)
    await way.drain()
    assert await world.sql("SELECT DISTINCT status FROM notifications") == [("sent",)]


async def test_when_a_sender_vanishes_the_page_goes_out_again_under_its_mark(
    world: World, ana: Person
) -> None:
    incident = await world.declare(ana)
    await world.climb()
    async with world.database.writing() as session:  # leased, and then nothing more
        leasing = await lease(session, seconds=20)
    compose = composer(world.service.signer, "https://tocsin.test")
    [first] = [compose(leased).message for leased in leasing.leased]

    mail = Scripted()
    await world.pass_time(mail, seconds=19)
    assert mail.messages == []
    await world.pass_time(mail, seconds=2)
    [again] = mail.messages
    assert again.mark == first.mark
    assert "may be a copy" in again.text
    [page] = await world.notifications(ana, incident["id"])
    assert page["is_resend"]
    assert [attempt["outcome"] for attempt in page["history"]] == ["unknown", "sent"]


async def test_a_page_whose_sender_vanished_is_dropped_if_it_was_answered_meanwhile(
    world: World, ana: Person
) -> None:
    incident = await world.declare(ana)
    await world.climb()
    async with world.database.writing() as session:
        await lease(session, seconds=20)
    await world.act(ana, incident["id"], "acknowledge")
    mail = Scripted()
    await world.pass_time(mail, minutes=1)
    assert mail.messages == []
    [page] = await world.notifications(ana, incident["id"])
    assert page["status"] == "cancelled"


async def test_a_page_that_kills_every_sender_ends_failed(world: World, ana: Person) -> None:
    incident = await world.declare(ana)
    await world.climb()
    for _ in range(MAX_ATTEMPTS + 1):
        async with world.database.writing() as session:
            await lease(session, seconds=0)
        world.clock.forward(seconds=1)
    mail = Scripted()
    await world.deliver(mail)
    assert mail.messages == []
    [page] = await world.notifications(ana, incident["id"])
    assert page["status"] == "failed"
    assert "vanished" in page["reason"]


async def test_an_outcome_that_comes_after_the_lease_was_lost_changes_nothing(
    world: World, ana: Person
) -> None:
    incident = await world.declare(ana)
    await world.climb()
    slow, quick = Gated(), Scripted()
    late = lane(world, slow)
    await late.deliver_due()
    await slow.began.wait()
    await world.pass_time(quick, minutes=5)
    assert len(quick.messages) == 1
    slow.gate.set()
    await late.drain()
    [page] = await world.notifications(ana, incident["id"])
    assert (page["status"], page["attempts"]) == ("sent", 2)


async def test_an_outcome_that_comes_while_another_sender_has_it_changes_nothing(
    world: World, ana: Person
) -> None:
    """Only the current attempt counts: the older one failing is no news of it."""
    incident = await world.declare(ana)
    await world.climb()
    slow, slower = Gated(GaveUp("No such mailbox.")), Gated()
    late, later = lane(world, slow), lane(world, slower)
    await late.deliver_due()
    await slow.began.wait()
    world.clock.forward(minutes=5)
    await later.deliver_due()
    await slower.began.wait()
    slow.gate.set()
    await late.drain()
    [page] = await world.notifications(ana, incident["id"])
    assert (page["status"], page["attempts"]) == ("sending", 2)
    slower.gate.set()
    await later.drain()
    [page] = await world.notifications(ana, incident["id"])
    assert page["status"] == "sent"


async def test_a_sender_that_raises_is_tried_again_later(world: World, ana: Person) -> None:
    class Broken(Scripted):
        async def send(self, message: Message) -> Outcome:
            raise RuntimeError("a bug")

    incident = await world.declare(ana)
    await world.pass_time(Broken())
    [page] = await world.notifications(ana, incident["id"])
    assert (page["status"], page["attempts"]) == ("pending", 1)
    assert "RuntimeError: a bug" in page["last_error"]


async def test_a_providers_wish_to_wait_is_honoured(world: World, ana: Person) -> None:
    await world.declare(ana)
    mail = Scripted(RetryLater("Slow down.", timedelta(minutes=30)))
    await world.pass_time(mail)
    await world.pass_time(mail, minutes=29)
    assert len(mail.messages) == 1
    await world.pass_time(mail, minutes=2)
    assert len(mail.messages) == 2


async def test_a_page_kept_in_the_outbox_is_never_called_delivered(
    world: World, ana: Person
) -> None:
    incident = await world.declare(ana)
    await world.pass_time(Scripted(Sent(kept_at="/outbox/1.eml")))
    [page] = await world.notifications(ana, incident["id"])
    assert (page["status"], page["sent_at"], page["delivered_at"]) == ("suppressed", None, None)
    assert "/outbox/1.eml" in page["reason"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("status = 'acknowledged', acknowledged_at = now()", "acknowledged first"),
        ("status = 'resolved', resolved_at = now()", "resolved first"),
    ],
)
async def test_a_lease_looks_at_the_incident_whatever_was_forgotten_before(
    world: World, ana: Person, answer: str, reason: str
) -> None:
    """Answering cancels what waits; should that ever be missed, nothing goes out all the same."""
    incident = await world.declare(ana)
    await world.climb()
    await world.sql(f"UPDATE incidents SET {answer} WHERE id = :id", id=incident["id"])
    mail = Scripted()
    await world.deliver(mail)
    assert mail.messages == []
    [page] = await world.notifications(ana, incident["id"])
    assert page["status"] == "cancelled"
    assert reason in page["reason"]
