"""A channel that nobody has set up: every message on it fails at once, and says so."""

from datetime import timedelta

from app.channels.base import GaveUp, Message, Outcome
from app.domain.notification import Channel


class UnconfiguredSender:
    timeout = timedelta(seconds=5)
    concurrency = 4

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    async def send(self, message: Message) -> Outcome:
        return GaveUp(f"No provider for {self.channel} is set up in this installation.")

    def state(self) -> str:
        return "not configured"

    async def close(self) -> None:
        pass
