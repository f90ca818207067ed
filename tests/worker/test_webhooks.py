"""Webhook subscriptions are told of events: each that they want, once, signed, and in time."""

import asyncio
from typing import Any

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from app.db.session import WriteSession, transaction_time
from app.services import webhook_delivery as delivery_service
from app.worker import webhooks as webhooks_module
from app.worker.relay import Relay
from tests.channels.servers import answer, http_server
from tests.channels.test_webhook_target import Names
from tests.worker.hooks import (
    SUBSCRIPTIONS,
    deliveries,
    mark_of,
    opened,
    run,
    sender,
    shown,
    subscribe,
    tell,
    webhooks,
)
from tests.world import World

NOWHERE = "http://127.0.0.1:9/hook"


async def test_what_happens_to_an_incident_is_told_signed_and_in_the_standard_form(
    world: World,
) -> None:
    admin = await world.admin()
    async with http_server(answer(204)) as server:
        made = await subscribe(world, admin, server.url)
        incident = await world.declare(admin, severity="critical")
        await Relay(world.database).round()
        await run(webhooks(world))
    [request] = server.requests
    body = opened(request, made["secret"])
    assert body.keys() == {"type", "timestamp", "data"}
    assert body["type"] == "incident.created"
    assert body["timestamp"].endswith("Z")
    about = {name: body["data"][name] for name in ("incident_id", "service", "severity")}
    assert about == {"incident_id": incident["id"], "service": "database", "severity": "critical"}
    assert body["data"]["position"] > 0

    [delivery] = await deliveries(world, admin, made)
    assert delivery["webhook_id"] == mark_of(request)
    assert (delivery["status"], delivery["attempts"], delivery["response_code"]) == (
        "delivered",
        1,
        204,
    )
    assert delivery["next_attempt_at"] is None
    assert delivery["settled_at"]


async def test_a_request_that_was_tampered_with_is_not_believed(world: World) -> None:
    admin = await world.admin()
    async with http_server(answer(204)) as server:
        made = await subscribe(world, admin, server.url)
        await tell(world)
        await run(webhooks(world))
    [request] = server.requests
    for forged in (request.replace(b"Disk full", b"Disk fine"), request.replace(b"v1,", b"v1,A")):
        with pytest.raises(WebhookVerificationError):
            opened(forged, made["secret"])


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({}, [1, 2, 3]),
        ({"event_types": ["incident.created"]}, [1, 3]),
        ({"services": ["checkout", "search"]}, [1, 2]),
        ({"severities": ["SEV1"]}, [2]),
        ({"event_types": ["incident.created"], "services": ["mail"]}, [3]),
        ({"services": ["nothing"]}, []),
    ],
)
async def test_only_what_passes_the_filters_is_told(
    world: World, filters: dict[str, Any], wanted: list[int]
) -> None:
    admin = await world.admin()
    made = await subscribe(world, admin, NOWHERE, **filters)
    await tell(world, "incident.created", incident_id=1)
    await tell(world, "incident.commented", incident_id=2, severity="critical")
    await tell(world, "incident.created", incident_id=3, service="mail")
    await tell(world, "incident.created", incident_id=4, audience="public")
    await webhooks(world).read_feed()
    found = await world.sql("SELECT data->>'incident_id' FROM webhook_deliveries ORDER BY id")
    assert [int(number) for (number,) in found] == wanted
    assert (await deliveries(world, admin, made, "?status=delivered")) == []
    assert len(await deliveries(world, admin, made, "?status=pending")) == len(wanted)


async def test_a_subscription_is_told_of_nothing_that_was_before_it(world: World) -> None:
    admin = await world.admin()
    await tell(world)
    made = await subscribe(world, admin, NOWHERE)
    await webhooks(world).read_feed()
    assert await deliveries(world, admin, made) == []
    await tell(world, incident_id=8)
    await webhooks(world).read_feed()
    assert len(await deliveries(world, admin, made)) == 1


async def test_many_readers_make_one_delivery_of_each_event(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks_module, "EVENTS_AT_ONCE", 3)
    admin = await world.admin()
    subscriptions = [await subscribe(world, admin, NOWHERE) for _ in range(3)]
    for number in range(20):
        await tell(world, incident_id=number)
    await asyncio.gather(*(webhooks(world).read_feed() for _ in range(5)))
    await webhooks(world).read_feed()
    for one in subscriptions:
        found = await deliveries(world, admin, one, "?per_page=100")
        assert len(found) == len({delivery["event_id"] for delivery in found}) == 20


async def test_a_reader_that_dies_before_its_commit_leaves_everything_to_the_next(
    world: World,
) -> None:
    admin = await world.admin()
    made = await subscribe(world, admin, NOWHERE)
    await tell(world)

    async def die_late(session: WriteSession) -> None:
        now = await transaction_time(session)
        assert await delivery_service.promise_next(session, limit=10, now=now) == 1
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await world.database.write(die_late)
    assert await deliveries(world, admin, made) == []
    await webhooks(world).read_feed()
    assert len(await deliveries(world, admin, made)) == 1


async def test_a_gap_in_the_feed_holds_up_nobody(world: World) -> None:
    """As after a restore, and when old events were forgotten."""
    admin = await world.admin()
    made = await subscribe(world, admin, NOWHERE)
    await tell(world)
    await world.sql("UPDATE event_feed SET position = position + 1000")
    works = webhooks(world)
    assert await works.read_feed() is None
    await tell(world, incident_id=8)
    assert await works.read_feed() is None
    assert len(await deliveries(world, admin, made)) == 2


async def test_an_endpoint_that_does_not_answer_keeps_no_other_waiting(world: World) -> None:
    admin = await world.admin()
    gate = asyncio.Event()

    async def stall(writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        writer.write(answer(200))

    async with http_server(stall) as slow, http_server(answer(200)) as quick:
        stuck = await subscribe(world, admin, slow.url)
        for number in range(30):
            await tell(world, incident_id=number)
        works = webhooks(world, concurrency=8)
        await works.read_feed()
        await works.deliver_due()
        other = await subscribe(world, admin, quick.url)
        await tell(world)
        await works.read_feed()
        free = asyncio.Event()
        works.freed = free.set
        await works.deliver_due()
        await asyncio.wait_for(free.wait(), 5)
        assert [one["status"] for one in await deliveries(world, admin, other)] == ["delivered"]
        sending = await deliveries(world, admin, stuck, "?status=sending&per_page=100")
        assert len(sending) == webhooks_module.EACH
        gate.set()
        await run(works)
    assert len(slow.requests) == 31


async def test_a_name_that_leads_inside_is_refused_each_time_it_is_resolved(world: World) -> None:
    """Rebinding: public when it was looked at first, private when it counts."""
    admin = await world.admin()
    names = Names(["93.184.216.34", "10.0.0.1"], ["127.0.0.1"])
    made = await subscribe(world, admin, "http://rebinding.invalid/hook")
    await tell(world)
    await run(webhooks(world, sender(resolver=names, allowed=())))
    [refused] = await deliveries(world, admin, made)
    assert (refused["status"], refused["response_code"]) == ("pending", None)
    assert "is not a public address" in refused["last_error"]
    world.clock.forward(seconds=6)
    await run(webhooks(world, sender(resolver=names, allowed=())))
    [refused] = await deliveries(world, admin, made)
    assert refused["attempts"] == 2
    assert "is not a public address" in refused["last_error"]


async def test_the_old_secret_signs_beside_the_new_one_for_a_day(world: World) -> None:
    admin = await world.admin()
    async with http_server(answer(200)) as server:
        made = await subscribe(world, admin, server.url)
        path = f"{SUBSCRIPTIONS}/{made['id']}/rotate-secret"
        rotated = await world.call("POST", path, admin, expect=201)
        await tell(world)
        await run(webhooks(world))
        world.clock.forward(hours=23, minutes=59)
        await tell(world, incident_id=8)
        await run(webhooks(world))
        for request in server.requests:
            assert opened(request, made["secret"]) == opened(request, rotated["secret"])

        world.clock.forward(minutes=2)
        await tell(world, incident_id=9)
        await run(webhooks(world))
        last = server.requests[-1]
        assert opened(last, rotated["secret"])["data"]["incident_id"] == 9
        with pytest.raises(WebhookVerificationError):
            opened(last, made["secret"])


async def test_a_secret_that_cannot_be_read_is_said_and_sends_nothing(world: World) -> None:
    admin = await world.admin()
    async with http_server(answer(200)) as server:
        made = await subscribe(world, admin, server.url)
        other = await subscribe(world, admin, server.url)
        # A row's secret is of no use in another row.
        await world.sql(
            "UPDATE webhook_subscriptions SET secret ="
            " (SELECT secret FROM webhook_subscriptions WHERE id = :other) WHERE id = :id",
            id=made["id"],
            other=other["id"],
        )
        await tell(world)
        await run(webhooks(world))
    assert len(server.requests) == 1
    assert opened(server.requests[0], other["secret"])
    [delivery] = await deliveries(world, admin, made)
    assert "rotate it" in delivery["last_error"]
    assert (await shown(world, admin, made))["failing_since"]
