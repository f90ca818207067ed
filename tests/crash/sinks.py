"""What both sinks share: troubles, and the record of every message.

A sink runs in the harness, which nobody kills. It writes down what it took *before* it says
so, as a careful provider does; so what the ledger has is at least what a person would see.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator

from tests.crash.ledger import Arrival, Fault, Ledger
from tests.crash.plan import Order, SinkFault

TOKEN = re.compile(r"\b(k\d+x\d{5})\b")
OWN_LINK = re.compile(r"http://127\.0\.0\.1:(\d+)/")
FOREVER = 3600.0

KillSender = Callable[[int], Awaitable[bool]]  # by the port that its messages show


class Sink:
    """The record of one channel, and what is to be done to its next messages."""

    def __init__(
        self,
        channel: str,
        ledger: Ledger,
        troubles: Iterator[Order | None],
        kill_sender: KillSender,
    ) -> None:
        self.channel = channel
        self.letters: dict[str, str] = {}  # by address, the last one that was no page
        self.is_troubled = False  # else it is a sink that anybody could wish for
        self._ledger = ledger
        self._troubles = troubles
        self._kill_sender = kill_sender

    def next_order(self) -> Order | None:
        """What is to be done to a message that begins to arrive now."""
        order = next(self._troubles) if self.is_troubled else None
        if order is None:
            return None
        now = time.time()
        self._ledger.faulted(Fault("sink", f"{self.channel}: {order.fault}", now, now))
        return order

    def refused(self, arrival: Arrival) -> None:
        self._ledger.arrived(arrival)

    def took(self, arrival: Arrival) -> None:
        """It is here now, whatever its sender will be told."""
        arrival.taken_at = time.time()
        if arrival.kind != "page":
            self.letters[arrival.address] = arrival.text
        self._ledger.arrived(arrival)

    def said_so(self, arrival: Arrival) -> None:
        arrival.answered_at = time.time()
        self._ledger.changed(arrival)

    async def dwell(self, order: Order | None, arrival: Arrival) -> bool:
        """Do to a taken message what was ordered; whether its sender is to be told."""
        if order is None:
            return True
        match order.fault:
            case SinkFault.STALL:
                await asyncio.sleep(order.seconds)
                return True
            case SinkFault.SILENCE:
                await asyncio.sleep(FOREVER)  # until its sender has had enough
                return False
            case SinkFault.KILL:
                return arrival.slot is None or not await self._kill_sender(arrival.slot)
            case _:
                return False


def port_of(text: str) -> int | None:
    """The port of the replica whose links a message shows."""
    found = OWN_LINK.search(text)
    return int(found[1]) if found else None


def token_of(text: str) -> str | None:
    found = TOKEN.search(text)
    return found[1] if found else None
