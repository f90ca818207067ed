"""A receipt may come at any moment: before we have written down what it is about, too."""

import asyncio
from typing import Any

import pytest

from app.channels.base import Message, Outcome, RetryLater, Sent
from tests.worker.lanes import FEW, deliver, lane, lease, pages, pass_time, storm
from tests.world import Person, Scripted, World

DELIVERED = {"status": "delivered"}
FAILED = {"status": "failed", "error": "unknown number"}


class Hasty(Scripted):
    """A provider that calls back before it has answered."""

    def __init__(self, world: World, word: dict[str, str], *outcomes: Outcome) -> None:
        super().__init__(*outcomes)
        self.world = world
        self.word = word

    async def send(self, message: Message) -> Outcome:
        outcome = await super().send(message)
        [[newest]] = await self.world.sql(
            "SELECT id FROM notifications WHERE status = 'sending' AND bundled_into IS NULL"
        )
        await report(self.world, newest, self.word)
        return outcome


async def report(world: World, number: int, word: dict[str, str]) -> None:
    path = f"/v1/receipts/{world.service.signer.link('receipt', number)}"
    await world.call("POST", path, json=word, expect=204)


@pytest.fixture
async def ana(world: World) -> Person:
    admin = await world.admin()
    ana, ben = await world.person(), await world.person("ben@example.org")
    steps = [(0, {"user": ana.id}), (60, {"user": ben.id})]
    await world.policy(admin, steps, final_delay_minutes=600)
    return ana


@pytest.mark.parametrize(("word", "status"), [(DELIVERED, "delivered"), (FAILED, "failed")])
async def test_a_receipt_that_comes_before_the_answer_counts(
    world: World, ana: Person, word: dict[str, str], status: str
) -> None:
    incident = await world.declare(ana)
    await world.climb()
    await world.deliver(Hasty(world, word, Sent("msg-1")))
    [page] = await pages(world, ana)
    assert page["status"] == status
    assert len(page["history"]) == 1
    hurried = "escalation_hurried" in await world.timeline(ana, incident["id"])
    assert hurried is (status == "failed")


async def test_a_page_that_arrived_after_all_is_not_sent_again(world: World, ana: Person) -> None:
    """The answer was lost on the way, the message was not."""
    await world.declare(ana)
    mail = Scripted(RetryLater("No answer in time."))
    await world.pass_time(mail)
    [page] = await pages(world, ana)
    await report(world, page["id"], DELIVERED)
    await world.pass_time(mail, minutes=1)
    assert len(mail.messages) == 1
    assert (await pages(world, ana))[0]["status"] == "delivered"


async def test_an_old_receipt_does_not_call_off_what_somebody_sends_again(
    world: World, ana: Person
) -> None:
    await world.declare(ana)
    mail = Scripted()
    await world.pass_time(mail)
    [page] = await pages(world, ana)
    await world.call("POST", f"/v1/notifications/{page['id']}/resend", ana, expect=202)
    await report(world, page["id"], DELIVERED)
    await world.deliver(mail)
    assert len(mail.messages) == 2


async def test_a_receipt_for_a_bundle_counts_for_all_it_told(world: World, ana: Person) -> None:
    admin = await world.admin("root@example.org")
    key = await world.integration_key(admin)
    incidents = await storm(world, key, 9)
    way = lane(world, Scripted())
    await deliver(way)
    world.clock.forward(minutes=1)
    await deliver(lane(world, Hasty(world, FAILED, Sent("msg-1"))))
    found = (await pages(world, ana))[3:]
    assert {page["status"] for page in found} == {"failed"}
    for incident_id in incidents[3:]:
        assert "escalation_hurried" in await world.timeline(ana, incident_id)
    await report(world, next(one["id"] for one in found if one["bundled_into"] is None), DELIVERED)
    assert {page["status"] for page in (await pages(world, ana))[3:]} == {"delivered"}


async def test_receipts_answers_and_outcomes_at_once_end_well(world: World, ana: Person) -> None:
    admin = await world.admin("root@example.org")
    key = await world.integration_key(admin)
    for round_ in range(4):
        incidents = await storm(world, key, 9, first=9 * round_)
        await deliver(lane(world, Scripted()))
        world.clock.forward(minutes=1)
        async with world.database.writing() as session:
            leased = (await lease(session, FEW)).leased
        word: Any = FAILED if round_ % 2 else DELIVERED
        await asyncio.gather(
            *(report(world, one.id, word) for one in leased for _ in range(2)),
            *(world.act(ana, number, "acknowledge") for number in incidents[4:]),
        )
        await pass_time(world, lane(world, Scripted()), minutes=11)
    waiting = await world.sql("SELECT 1 FROM notifications WHERE status IN ('pending', 'sending')")
    assert waiting == []
