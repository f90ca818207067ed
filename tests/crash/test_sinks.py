"""The sinks of the crash test, with the product's own senders on the other side."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest

from app.channels.base import Message, RetryLater, Sender, Sent
from app.channels.email import SmtpSender, SmtpServer
from app.channels.targets import parse_networks
from app.channels.webhook import WebhookSender
from app.domain.notification import Channel, NotificationKind
from app.messages.facts import PageFacts
from app.messages.render import render
from tests.crash import hook_sink, mail_sink
from tests.crash.ledger import Arrival, Ledger
from tests.crash.plan import Order, SinkFault
from tests.crash.scenario import FALLBACK, HOOK, MAIL
from tests.crash.sinks import Sink

NOW = datetime(2026, 11, 21, 3, 12, 5, 250_000, tzinfo=UTC)
URL = "http://127.0.0.1:8123"
FACTS = PageFacts(
    incident_id=12, title="Alert k7x00042", severity="critical", service="database", url=None,
    opened_at=NOW, alert_count=1, recipient="Ben", api_url=f"{URL}/v1/incidents/12",
    description=None, source=None, policy_name="Worst first", is_fallback=False, loop=1, step=2,
    step_count=3, message=None, acknowledge_url=f"{URL}/a/token", is_resend=False,
)  # fmt: skip
CHANNELS = {MAIL: Channel.EMAIL, HOOK: Channel.WEBHOOK}


def page(channel: str, facts: PageFacts = FACTS) -> Message:
    rendered = render(NotificationKind.PAGE, CHANNELS[channel], facts, now=NOW)
    return Message(
        "mark.1", "thread", "ben@example.org", rendered.subject, rendered.text, rendered.html,
        rendered.json,
    )  # fmt: skip


class Place:
    """A sink that listens, with a sender that is set up for it."""

    def __init__(self, channel: str, fault: SinkFault | None, seconds: float) -> None:
        self.channel = channel
        self.ledger = Ledger(StringIO())
        self.killed: list[int] = []
        troubles: Iterator[Order | None] = iter([Order(fault, seconds) if fault else None])
        self.sink = Sink(channel, self.ledger, troubles, self._kill)
        self.sink.is_troubled = True
        self.port = 0

    async def _kill(self, port: int) -> bool:
        self.killed.append(port)
        return True

    @property
    def sender(self) -> Sender:
        timeout = timedelta(seconds=1)
        if self.channel == MAIL:
            server = SmtpServer("127.0.0.1", self.port)
            return SmtpSender(server, "tocsin@example.org", timeout=timeout)
        networks = parse_networks("127.0.0.1/32")
        return WebhookSender("whsec_c2VjcmV0", "1", allowed=networks, timeout=timeout)

    async def send(self, message: Message | None = None) -> object:
        message = message or page(self.channel)
        if self.channel == HOOK:
            message = replace(message, address=f"http://127.0.0.1:{self.port}/hook/ben")
        return await self.sender.send(message)

    @property
    def arrival(self) -> Arrival:
        (only,) = self.ledger.books.arrivals
        return only


@asynccontextmanager
async def place(
    channel: str, fault: SinkFault | None = None, seconds: float = 0.0
) -> AsyncIterator[Place]:
    made = Place(channel, fault, seconds)
    listen = mail_sink.listen if channel == MAIL else hook_sink.listen
    server = await listen(made.sink)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await asyncio.sleep(0.05)  # what is cut hears of it before the loop moves on


both = pytest.mark.parametrize("channel", [MAIL, HOOK])


@both
async def test_what_a_sink_takes_is_read_whole(channel: str) -> None:
    began = time.time()
    async with place(channel) as there:
        assert isinstance(await there.send(), Sent)
    found = there.arrival
    assert found.address == ("ben@example.org" if channel == MAIL else "/hook/ben")
    assert "mark.1" in found.mark
    assert (found.kind, found.token, found.policy) == ("page", "k7x00042", "Worst first")
    assert (found.loop, found.step, found.slot) == (1, 2, 8123)
    assert found.claimed_at == (NOW.timestamp() if channel == HOOK else None)
    assert found.taken_at is not None
    assert found.answered_at is not None
    assert began <= found.began <= found.taken_at <= found.answered_at <= time.time()
    assert found.fault is None


@both
async def test_the_fallback_is_a_policy_of_its_own(channel: str) -> None:
    facts = replace(FACTS, is_fallback=True, loop=0, step=0)
    async with place(channel) as there:
        await there.send(page(channel, facts))
    assert (there.arrival.policy, there.arrival.loop, there.arrival.step) == (FALLBACK, 0, 0)


@both
@pytest.mark.parametrize("fault", [SinkFault.ERROR, SinkFault.BUSY, SinkFault.DROP])
async def test_what_a_sink_refuses_is_not_taken(channel: str, fault: SinkFault) -> None:
    async with place(channel, fault) as there:
        assert isinstance(await there.send(), RetryLater)
    arrivals = there.ledger.books.arrivals
    assert all(arrival.taken_at is None for arrival in arrivals if arrival.fault)
    assert [f.what for f in there.ledger.books.faults] == [f"{channel}: {fault}"]


@both
@pytest.mark.parametrize("fault", [SinkFault.RESET, SinkFault.SILENCE, SinkFault.KILL])
async def test_what_a_sink_takes_without_a_word_is_taken_but_not_answered(
    channel: str, fault: SinkFault
) -> None:
    async with place(channel, fault) as there:
        assert isinstance(await there.send(), RetryLater)
    found = there.arrival
    assert found.taken_at is not None
    assert found.answered_at is None
    assert found.fault == fault
    assert there.killed == ([8123] if fault is SinkFault.KILL else [])


@both
async def test_a_stalling_sink_says_so_in_the_end(channel: str) -> None:
    async with place(channel, SinkFault.STALL, seconds=0.2) as there:
        assert isinstance(await there.send(), Sent)
    found = there.arrival
    assert found.taken_at is not None
    assert found.answered_at is not None
    assert found.answered_at - found.taken_at >= 0.2
    assert found.fault == SinkFault.STALL


async def test_a_sink_that_healed_troubles_nobody() -> None:
    async with place(MAIL, SinkFault.RESET) as there:
        there.sink.is_troubled = False
        assert isinstance(await there.send(), Sent)


async def test_what_is_no_page_is_kept_for_whoever_waits_for_it() -> None:
    async with place(HOOK) as there:
        letter = replace(
            page(HOOK),
            data={
                "type": "tocsin.verification",
                "timestamp": "2026-11-21T03:12:05Z",
                "data": {"code": "042137"},
            },
        )
        await there.send(letter)
    assert there.arrival.kind == "tocsin.verification"
    assert '"code":"042137"' in there.sink.letters["/hook/ben"]
