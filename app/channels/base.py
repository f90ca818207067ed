"""What a channel is: it takes one message and says how that went, in three outcomes.

A channel knows no database and never raises for what the world does to it: a refused
connection, a slow server or a wrong address is an outcome.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from app.domain.notification import Channel


@dataclass(frozen=True)
class Message:
    """One message, rendered. `mark` is the same at every attempt, so a resend can be told."""

    mark: str  # unique and stable: becomes Message-ID, webhook-id
    thread: str  # the same for all messages about one incident
    address: str
    subject: str
    text: str
    html: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)  # for channels that speak JSON


@dataclass(frozen=True)
class Sent:
    """A provider took it; or, with `kept_at`, it was only written to a local file."""

    provider_id: str | None = None
    kept_at: str | None = None


@dataclass(frozen=True)
class RetryLater:
    """It did not go out, and may later."""

    error: str
    after: timedelta | None = None  # the provider's own wish (Retry-After)


@dataclass(frozen=True)
class GaveUp:
    """It will never go out like this."""

    error: str


Outcome = Sent | RetryLater | GaveUp


class Sender(Protocol):
    """One way out. Every send ends within `timeout`."""

    channel: Channel
    timeout: timedelta
    concurrency: int

    async def send(self, message: Message) -> Outcome: ...

    def state(self) -> str:
        """How this channel stands, for /health: `ready`, `outbox`, …"""
        ...

    async def close(self) -> None: ...
