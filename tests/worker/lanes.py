"""Lanes at a test's command: senders that wait, limits that are soon reached, storms of alerts."""

import asyncio
from datetime import timedelta
from typing import Any

from app.channels.base import Message, Outcome, Sender
from app.crud.crud_outbox import Leasing, Term
from app.db.session import WriteSession, transaction_time
from app.domain.bundle import PageLimit
from app.domain.notification import Channel
from app.services import outbox
from app.worker.compose import composer
from app.worker.delivery import Lane
from tests.world import Person, Scripted, World, deliver

FEW = PageLimit(3, timedelta(minutes=10))
MANY = PageLimit(1000)
URL = "https://tocsin.test"


class Gated(Scripted):
    """A sender that waits at a gate, so that a test can act while a message is on its way."""

    def __init__(self, *outcomes: Outcome) -> None:
        super().__init__(*outcomes)
        self.began = asyncio.Event()
        self.gate = asyncio.Event()

    async def send(self, message: Message) -> Outcome:
        self.began.set()
        await self.gate.wait()
        return await super().send(message)


def lane(world: World, sender: Sender, limit: PageLimit = FEW, **options: Any) -> Lane:
    compose = composer(world.service.signer, URL, world.service.vault)
    options.setdefault("chance", lambda: 0.5)
    return Lane(world.database, sender, compose, limit=limit, **options)


async def pass_time(world: World, way: Lane, **span: float) -> None:
    """Move the clock on, climb, and send what is due."""
    world.clock.forward(**span)
    await world.climb()
    await deliver(way)


async def lease(
    session: WriteSession,
    limit: PageLimit,
    *,
    free: int = 8,
    seconds: float = 20,
    channel: Channel = Channel.EMAIL,
) -> Leasing:
    """What a sender does first, and a test instead of one that then vanishes."""
    now = await transaction_time(session)
    term = Term(channel, now, now + timedelta(seconds=seconds))
    return await outbox.lease(session, term, limit=limit, free=free)


async def storm(world: World, key: str, count: int, first: int = 0) -> list[int]:
    """So many incidents at once; their numbers."""
    body = [
        {"title": f"Problem {n}", "dedup_key": f"problem {n}", "severity": "high"}
        for n in range(first, first + count)
    ]
    answer = await world.call("POST", "/v1/webhooks/alerts", headers={"X-API-Key": key}, json=body)
    await world.climb()
    return [alert["incident_id"] for alert in answer["alerts"]]


async def pages(world: World, who: Person) -> list[dict[str, Any]]:
    """Everything a person was promised, oldest first."""
    path = f"/v1/notifications?user_id={who.id}&per_page=100"
    answer = await world.call("GET", path, who)
    items: list[dict[str, Any]] = answer["items"]
    return items[::-1]


async def statuses(world: World) -> dict[str, int]:
    """How many pages stand how."""
    rows = await world.sql(
        "SELECT status, count(*) FROM notifications WHERE kind = 'page' GROUP BY status"
    )
    return dict(tuple(row) for row in rows)
