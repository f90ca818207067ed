"""Deliveries that were not taken: when they come again, what ends them, and who is told."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.crud import crud_webhook_delivery
from app.db.session import WriteSession, transaction_time
from app.domain.webhook import WAITS, Heard, Hook
from app.services import webhook_delivery as delivery_service
from app.services.webhook_delivery import Recorded
from app.worker.housekeeping import Housekeeping
from app.worker.webhooks import EACH
from tests.channels.servers import answer, http_server
from tests.worker.hooks import (
    FAIL,
    SUBSCRIPTIONS,
    TAKE,
    deliveries,
    fail_on,
    mark_of,
    only,
    opened,
    run,
    sender,
    subscribe,
    tell,
    webhooks,
)
from tests.world import World


async def test_what_is_not_taken_comes_again_on_the_standard_schedule(world: World) -> None:
    admin = await world.admin()
    async with http_server(FAIL) as server:
        made = await fail_on(world, admin, server)
        for number, wait in enumerate(WAITS, 1):
            delivery = await only(world, admin, made)
            assert (delivery["status"], delivery["attempts"]) == ("pending", number)
            assert delivery["response_code"] == 500
            assert "answered 500: Out of order" in delivery["last_error"]
            due = datetime.fromisoformat(delivery["next_attempt_at"])
            began = datetime.fromisoformat(delivery["claimed_at"])
            assert abs(due - began - wait) < timedelta(seconds=3)
            assert len(server.requests) == number
            world.clock.forward(seconds=(due - await world.clock.now()).total_seconds() + 0.01)
            await run(webhooks(world))
        assert len(server.requests) == 10
        world.clock.forward(days=1)
        await run(webhooks(world))
        assert len(server.requests) == 10
        delivery = await only(world, admin, made)
        assert (delivery["status"], delivery["next_attempt_at"]) == ("failed", None)
        assert delivery["last_error"].startswith("Gave up after 10 attempts: ")

        replay = f"{SUBSCRIPTIONS}/{made['id']}/deliveries/{delivery['id']}/replay"
        once = {"Idempotency-Key": "once more"}
        told = await world.call("POST", replay, admin, expect=202, headers=once)
        await run(webhooks(world))
        assert await world.call("POST", replay, admin, headers=once) == told
        log = (await world.call("GET", "/v1/audit-log?action=webhook.replayed", admin))["items"]
        assert [(one["resource_id"], one["changes"]["delivery_id"]["after"]) for one in log] == [
            (str(made["id"]), delivery["id"])
        ]
        again = await only(world, admin, made)
        assert (again["status"], again["attempts"]) == ("pending", 11)
    assert len({mark_of(request) for request in server.requests}) == 1
    assert len({opened(request, made["secret"])["type"] for request in server.requests}) == 1


async def test_before_its_time_nothing_comes_again(world: World) -> None:
    admin = await world.admin()
    async with http_server(FAIL) as server:
        await fail_on(world, admin, server)
        world.clock.forward(seconds=2)
        await run(webhooks(world))
    assert len(server.requests) == 1


async def test_an_endpoint_that_names_a_time_is_left_alone_until_then(world: World) -> None:
    admin = await world.admin()
    async with http_server(answer(429, retry_after="120"), TAKE) as server:
        made = await fail_on(world, admin, server)
        world.clock.forward(seconds=100)
        await run(webhooks(world))
        assert len(server.requests) == 1
        world.clock.forward(seconds=25)
        await run(webhooks(world))
    assert (await only(world, admin, made))["status"] == "delivered"


async def test_where_nothing_gets_through_one_is_tried_at_a_time(world: World) -> None:
    admin = await world.admin()
    async with http_server(FAIL) as server:
        await fail_on(world, admin, server)
        for number in range(10):
            await tell(world, incident_id=number)
        works = webhooks(world)
        await works.read_feed()
        await works.deliver_due()
        await works.drain()
    assert len(server.requests) == 2


async def test_what_was_sent_and_not_recorded_is_sent_again_under_the_same_mark(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is killed between the answer and the record."""
    admin = await world.admin()

    async def die(session: WriteSession, *_: Any, **__: Any) -> Recorded:
        raise asyncio.CancelledError

    async with http_server(TAKE) as server:
        made = await subscribe(world, admin, server.url)
        await tell(world)
        with monkeypatch.context() as killed:
            killed.setattr(delivery_service, "record", die)
            await run(webhooks(world))
        assert (await only(world, admin, made))["status"] == "sending"
        await run(webhooks(world))
        assert len(server.requests) == 1

        world.clock.forward(seconds=19)
        await run(webhooks(world))
    first, second = server.requests
    assert mark_of(first) == mark_of(second)
    delivery = await only(world, admin, made)
    assert (delivery["status"], delivery["attempts"], delivery["is_resend"]) == (
        "delivered",
        2,
        True,
    )


async def test_a_sender_that_was_taken_for_dead_changes_nothing_any_more(world: World) -> None:
    admin = await world.admin()
    gate = asyncio.Event()

    async def stall(writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        writer.write(FAIL)

    async with http_server(stall, TAKE) as server:
        made = await subscribe(world, admin, server.url)
        await tell(world)
        slow = webhooks(world)
        await slow.read_feed()
        await slow.deliver_due()
        while not server.requests:
            await asyncio.sleep(0.01)
        world.clock.forward(minutes=1)
        await run(webhooks(world))
        gate.set()
        await slow.drain()
    delivery = await only(world, admin, made)
    assert (delivery["status"], delivery["response_code"]) == ("delivered", 200)


class Gated:
    """A way out that waits at a gate, so that a test can act while something is on its way."""

    timeout = timedelta(seconds=5)

    def __init__(self, heard: Heard) -> None:
        self.heard = heard
        self.began, self.gate = asyncio.Event(), asyncio.Event()

    async def send(self, _: Hook) -> Heard:
        self.began.set()
        await self.gate.wait()
        return self.heard

    async def close(self) -> None:
        self.gate.set()


async def test_a_process_that_stops_hands_over_what_it_was_sending(world: World) -> None:
    admin = await world.admin()
    async with http_server(TAKE) as server:
        made = await subscribe(world, admin, server.url)
        await tell(world)
        way = Gated(Heard(200))
        stopping = webhooks(world, way)
        await stopping.read_feed()
        await stopping.deliver_due()
        await way.began.wait()
        await stopping.abandon()
        delivery = await only(world, admin, made)
        assert (delivery["status"], delivery["is_resend"]) == ("pending", True)
        assert "was stopped" in delivery["last_error"]
        await run(webhooks(world))
    assert (await only(world, admin, made))["status"] == "delivered"


@pytest.mark.parametrize(
    ("heard", "end"),
    [(Heard(200), "delivered"), (Heard(500, "It answered 500."), "cancelled")],
)
async def test_what_was_on_its_way_when_it_was_switched_off_is_not_tried_again(
    world: World, heard: Heard, end: str
) -> None:
    admin = await world.admin()
    made = await subscribe(world, admin, "http://127.0.0.1:9/")
    await tell(world)
    way = Gated(heard)
    works = webhooks(world, way)
    await works.read_feed()
    await works.deliver_due()
    await way.began.wait()
    await tell(world, incident_id=8)
    await works.read_feed()
    path = f"{SUBSCRIPTIONS}/{made['id']}"
    await world.call("PATCH", path, admin, json={"is_active": False})
    way.gate.set()
    await works.drain()
    ends = [one["status"] for one in await deliveries(world, admin, made)]
    assert sorted(ends) == sorted([end, "cancelled"])


async def test_what_nobody_will_send_again_is_ended_by_the_housekeeper(world: World) -> None:
    admin = await world.admin()
    made = await subscribe(world, admin, "http://127.0.0.1:9/")
    await tell(world)
    way = Gated(Heard(200))
    works = webhooks(world, way)
    await works.read_feed()
    await works.deliver_due()
    path = f"{SUBSCRIPTIONS}/{made['id']}"
    await world.call("PATCH", path, admin, json={"is_active": False})
    await Housekeeping(world.database).sweep()
    assert (await only(world, admin, made))["status"] == "sending"
    world.clock.forward(minutes=1)
    await Housekeeping(world.database).sweep()
    assert (await only(world, admin, made))["status"] == "cancelled"
    way.gate.set()
    await works.drain()


async def test_a_redirect_is_not_followed(world: World) -> None:
    admin = await world.admin()
    async with (
        http_server(TAKE) as inside,
        http_server(answer(302, location=inside.url)) as server,
    ):
        made = await fail_on(world, admin, server)
    assert inside.requests == []
    assert "a redirect, which we do not follow" in (await only(world, admin, made))["last_error"]


async def test_what_one_process_takes_another_passes_over_without_waiting(world: World) -> None:
    admin = await world.admin()
    await subscribe(world, admin, "http://127.0.0.1:9/")
    for number in range(EACH + 1):
        await tell(world, incident_id=number)
    await webhooks(world).read_feed()

    async def lease(session: WriteSession) -> set[int]:
        now = await transaction_time(session)
        until = now + timedelta(minutes=1)
        taken = await crud_webhook_delivery.lease_due(
            session, now=now, until=until, most=8, each=EACH
        )
        return {one.id for one in taken}

    async with world.database.writing() as first:
        mine = await lease(first)
        theirs = await asyncio.wait_for(world.database.write(lease), 5)
    assert (len(mine), len(theirs)) == (EACH, 1)
    assert not mine & theirs


async def test_two_processes_send_each_delivery_once(world: World) -> None:
    admin = await world.admin()
    async with http_server(TAKE) as server:
        await subscribe(world, admin, server.url)
        for number in range(40):
            await tell(world, incident_id=number)
        await asyncio.gather(*(run(webhooks(world, sender())) for _ in range(3)))
        await run(webhooks(world))
    assert len(server.requests) == 40
    assert len({mark_of(request) for request in server.requests}) == 40
