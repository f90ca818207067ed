"""Webhook subscriptions at a test's command: events in the feed, endpoints, loops by hand."""

import asyncio
import json
from datetime import timedelta
from typing import Any

from standardwebhooks import Webhook

from app.channels.subscriber import SubscriberSender
from app.channels.targets import parse_networks
from app.worker.webhooks import HookSender, Webhooks
from tests.channels.factories import TRUST, body_of, headers_of
from tests.channels.servers import HttpRecord, answer
from tests.world import Person, World

SUBSCRIPTIONS = "/v1/webhook-subscriptions"
FAIL, TAKE = answer(500, b"Out of order"), answer(200)


def sender(**options: Any) -> SubscriberSender:
    """The way out, which may reach the loopback network."""
    options.setdefault("allowed", parse_networks("127.0.0.0/8"))
    options.setdefault("timeout", timedelta(seconds=3))
    return SubscriberSender("0.1.0", tls=TRUST, **options)


def webhooks(world: World, way: HookSender | None = None, **options: Any) -> Webhooks:
    """The loops of one process; without jitter."""
    options.setdefault("chance", lambda: 0.0)
    return Webhooks(world.database, way or sender(), world.service.vault, **options)


async def run(works: Webhooks) -> None:
    """Read the feed, and send everything that is due now, as the loops do."""
    await works.read_feed()
    freed = asyncio.Event()
    works.freed = freed.set
    freed.set()
    while freed.is_set():
        freed.clear()
        await works.deliver_due()
        await works.drain()


async def subscribe(world: World, admin: Person, url: str, **fields: Any) -> dict[str, Any]:
    body = {"name": "Desk", "url": url, **fields}
    made: dict[str, Any] = await world.call("POST", SUBSCRIPTIONS, admin, expect=201, json=body)
    return made


async def tell(world: World, kind: str = "incident.created", **fields: Any) -> int:
    """Put an event at the end of the feed; its position."""
    event = {"audience": "console", "incident_id": 7, "service": "checkout", "severity": "high",
             "data": {"title": "Disk full"}, **fields}  # fmt: skip
    row = await world.sql(
        "WITH place AS (INSERT INTO event_feed (id, position) VALUES (1, 1) ON CONFLICT (id)"
        " DO UPDATE SET position = event_feed.position + 1 RETURNING position)"
        " INSERT INTO events (position, type, audience, incident_id, service, severity, data)"
        " SELECT position, :kind, :audience, :incident_id, :service, :severity,"
        " CAST(:data AS jsonb) FROM place RETURNING position",
        **{**event, "kind": kind, "data": json.dumps(event["data"])},
    )
    position: int = row[0][0]
    return position


async def deliveries(
    world: World, admin: Person, subscription: dict[str, Any], query: str = ""
) -> list[dict[str, Any]]:
    """What was and will be sent, newest first."""
    path = f"{SUBSCRIPTIONS}/{subscription['id']}/deliveries{query}"
    items: list[dict[str, Any]] = (await world.call("GET", path, admin))["items"]
    return items


async def shown(world: World, admin: Person, subscription: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await world.call("GET", f"{SUBSCRIPTIONS}/{subscription['id']}", admin)
    return found


def opened(request: bytes, secret: str) -> dict[str, Any]:
    """What an endpoint was sent, checked by the receiver's own library."""
    found: dict[str, Any] = Webhook(secret).verify(body_of(request), headers_of(request))
    return found


def mark_of(request: bytes) -> str:
    return headers_of(request)["webhook-id"]


async def only(world: World, admin: Person, made: dict[str, Any]) -> dict[str, Any]:
    [delivery] = await deliveries(world, admin, made)
    return delivery


async def fail_on(world: World, admin: Person, server: HttpRecord) -> dict[str, Any]:
    """A subscription whose first delivery was not taken."""
    made = await subscribe(world, admin, server.url)
    await tell(world)
    await run(webhooks(world))
    return made
