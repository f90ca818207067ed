"""The endpoint of the crash test's subscriptions, with the product's own sender before it."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest

from app.channels.subscriber import SubscriberSender
from app.channels.targets import parse_networks
from app.domain.webhook import Heard, Hook, envelope
from tests.crash import event_sink
from tests.crash.ledger import Arrival, Ledger
from tests.crash.plan import Order, SinkFault
from tests.crash.scenario import EVENT
from tests.crash.sinks import Sink

NOW = datetime(2026, 11, 21, 3, 12, 5, 250_000, tzinfo=UTC)
DATA = {"incident_id": 12, "title": "Alert k7x00042", "entry": "acknowledged", "position": 4}
SLOT = 8123


class Place:
    """A sink that listens, and what it wrote down."""

    def __init__(self, fault: SinkFault | None, senders: Mapping[int, int]) -> None:
        self.ledger = Ledger(StringIO())
        self.killed: list[int] = []
        self.senders = senders
        troubles: Iterator[Order | None] = iter([Order(fault, 0.2) if fault else None])
        self.sink = Sink(EVENT, self.ledger, troubles, self._kill)
        self.sink.is_troubled = True
        self.port = 0

    async def _kill(self, port: int) -> bool:
        self.killed.append(port)
        return True

    async def send(self) -> Heard:
        sender = SubscriberSender(
            "1", allowed=parse_networks("127.0.0.1/32"), timeout=timedelta(seconds=1)
        )
        url = f"http://127.0.0.1:{self.port}/events/desk"
        body = envelope("incident.status_changed", NOW, DATA)
        return await sender.send(Hook("mark-1", url, body, ("whsec_c2VjcmV0",)))

    @property
    def arrival(self) -> Arrival:
        (only,) = self.ledger.books.arrivals
        return only


@asynccontextmanager
async def place(
    fault: SinkFault | None = None, senders: Mapping[int, int] | None = None
) -> AsyncIterator[Place]:
    made = Place(fault, {os.getpid(): SLOT} if senders is None else senders)
    server = await event_sink.listen(made.sink, lambda: made.senders)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await asyncio.sleep(0)


async def test_what_an_endpoint_takes_is_read_whole() -> None:
    async with place() as there:
        assert (await there.send()).is_taken
    found = there.arrival
    assert (found.channel, found.address, found.mark) == (EVENT, "/events/desk", "mark-1")
    assert (found.kind, found.tells) == ("incident.status_changed", "acknowledged")
    assert (found.token, found.slot, found.fault) == ("k7x00042", SLOT, None)
    assert found.taken_at is not None
    assert found.answered_at is not None


async def test_whose_socket_nobody_has_any_more_is_gone() -> None:
    """Process 1 is not us, and another one has ended: neither has this connection."""
    async with place(senders={1: 1, 2**22 + 1: 2}) as there:
        await there.send()
    assert (there.arrival.slot, there.arrival.fault) == (None, event_sink.GONE)


async def test_the_very_sender_is_killed_in_mid_send() -> None:
    async with place(SinkFault.KILL) as there:
        assert not (await there.send()).is_taken
    assert there.killed == [SLOT]
    assert there.arrival.taken_at is not None
    assert there.arrival.answered_at is None
    assert there.arrival.fault == SinkFault.KILL


@pytest.mark.parametrize(
    ("fault", "status"), [(SinkFault.ERROR, 500), (SinkFault.BUSY, 429), (SinkFault.DROP, None)]
)
async def test_what_it_refuses_is_not_taken(fault: SinkFault, status: int | None) -> None:
    async with place(fault) as there:
        heard = await there.send()
    assert (heard.is_taken, heard.status) == (False, status)
    assert all(arrival.taken_at is None for arrival in there.ledger.books.arrivals if arrival.fault)
