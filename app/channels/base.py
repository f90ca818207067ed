"""What a channel is: it takes one message and says how that went, in three outcomes.

A channel knows no database and never raises for what the world does to it: a refused
connection, a slow server or a wrong address is an outcome.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, runtime_checkable

from app.domain.notification import Channel, Receipt


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
    # What the address needs besides itself and nobody may see: a push subscription's keys, the
    # whole URL of a chat. Never logged, never part of an error.
    secret: str | None = None
    receipt_url: str | None = None  # where the provider may tell us what became of it
    unsubscribe_url: str | None = None  # where a POST ends all this (RFC 8058); mail only


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
    # It is about this one message or address: the provider may be well.
    is_about_message: bool = False


@dataclass(frozen=True)
class GaveUp:
    """It will never go out like this."""

    error: str
    is_gone: bool = False  # the address itself has ended and is not to be used again
    is_answer: bool = False  # the provider itself said so, and is well
    refuses_recipient: bool = False  # a mail server knows nobody of that name


Outcome = Sent | RetryLater | GaveUp


class Sender(Protocol):
    """One way out. Every send ends within `timeout`; at most `concurrency` are under way to one
    provider."""

    channel: Channel
    timeout: timedelta
    concurrency: int

    async def send(self, message: Message) -> Outcome: ...

    def state(self) -> str:
        """How this channel stands, for /health: `ready`, `outbox`, …"""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class NamesProvider(Protocol):
    """A sender that says who takes a message: the host, and its port where it is unusual.

    A sender that does not has one nameless provider.
    """

    has_many_providers: bool  # or all messages go to the same one

    def provider_of(self, message: Message) -> str | None:
        """Never raises; None for a message that nobody would take."""
        ...


@runtime_checkable
class ReceiptReader(Protocol):
    """A sender whose provider can be asked afterwards what became of a message."""

    async def read_receipt(self, provider_id: str) -> Receipt:
        """Never raises: a provider that does not answer has nothing to say yet."""
        ...
