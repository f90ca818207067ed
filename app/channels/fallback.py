"""Two providers for one channel: the second is used only while the first is known to be down.

Whether it is down is not for one message to say: a send whose end is unclear may have arrived,
and over the other provider it would come twice. So a message that fails is tried again like any
other; once the first has failed so often that it is left alone (`domain.breaker`), and until it
takes something again, messages leave over the second.
"""

import asyncio

from app.channels.base import Message, Outcome, ReceiptReader, Sender
from app.domain.notification import Receipt


class Fallback:
    """The ways out of one channel, best first. Whoever sends chooses: `send` takes the first."""

    def __init__(self, first: Sender, second: Sender) -> None:
        if first.channel is not second.channel:
            raise ValueError("A fallback must be on the same channel.")
        self.channel = first.channel
        self.timeout = max(first.timeout, second.timeout)
        self.concurrency = max(first.concurrency, second.concurrency)
        self.ways = (first, second)

    async def send(self, message: Message) -> Outcome:
        """Send over the first, whatever is known of it."""
        return await self.ways[0].send(message)

    async def read_receipt(self, provider_id: str) -> Receipt:
        """What either says of it: the one that did not take it knows nothing of it."""
        readers = [way for way in self.ways if isinstance(way, ReceiptReader)]
        receipts = await asyncio.gather(*(reader.read_receipt(provider_id) for reader in readers))
        return next((receipt for receipt in receipts if receipt.is_final), Receipt())

    def state(self) -> str:
        """As the first: what the second does meanwhile, the breakers tell."""
        return self.ways[0].state()

    async def close(self) -> None:
        """Close both."""
        await asyncio.gather(*(way.close() for way in self.ways))
