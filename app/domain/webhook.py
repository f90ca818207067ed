"""Outgoing webhooks: what a subscription wants, and how a delivery is tried. Pure.

The schedule of attempts is that of Standard Webhooks 1.0.0. The order of deliveries is not
promised: whoever needs one goes by the `position` in each.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from app.domain.event import Audience, EventType

PING = "ping"  # what a test sends
# How long after each attempt the next one comes: ten attempts in three days.
WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
MOST_TRIES = len(WAITS) + 1
JITTER = 0.1  # of a wait, at most: what failed together does not come back together
PATIENCE = timedelta(days=5)  # with an endpoint that takes nothing
MOST_SUBSCRIPTIONS = 50
# What no console is told, because it has a page of its own.
PUBLIC_ONLY = (
    EventType.UPDATE_POSTED,
    EventType.POSTMORTEM_PUBLISHED,
    EventType.MAINTENANCE_CREATED,
    EventType.MAINTENANCE_UPDATED,
    EventType.MAINTENANCE_STATUS_CHANGED,
    EventType.MAINTENANCE_UPDATE_POSTED,
    EventType.MAINTENANCE_DELETED,
    EventType.COMPONENT_STATUS_CHANGED,
)


class DeliveryStatus(StrEnum):
    PENDING = "pending"  # waits for its time, or for its next attempt
    SENDING = "sending"  # leased by one sender until the lease ends
    DELIVERED = "delivered"  # answered with 2xx
    FAILED = "failed"  # given up, with the reason
    CANCELLED = "cancelled"  # its subscription was switched off before it arrived


WAITING = (DeliveryStatus.PENDING, DeliveryStatus.SENDING)


class DisabledBecause(StrEnum):
    """Why Tocsin itself switched a subscription off."""

    GONE = "gone"  # the endpoint answered 410
    FAILING = "failing"  # nothing got through for days


@dataclass(frozen=True)
class Filters:
    """What a subscription wants. Whatever is empty narrows nothing."""

    event_types: Collection[str] = ()
    services: Collection[str] = ()
    severities: Collection[str] = ()

    def want(
        self,
        kind: EventType,
        *,
        audience: Audience = Audience.CONSOLE,
        service: str | None = None,
        severity: str | None = None,
    ) -> bool:
        """Whether an event is to be delivered.

        What was told to the console and, in other words, to the public is delivered once.
        """
        return (
            (audience is Audience.CONSOLE or kind in PUBLIC_ONLY)
            and (not self.event_types or kind in self.event_types)
            and (not self.services or service in self.services)
            and (not self.severities or severity in self.severities)
        )


@dataclass(frozen=True)
class Hook:
    """One request: what is posted where, under which mark, signed with which secrets."""

    mark: str  # the same at every attempt: becomes webhook-id
    url: str = field(repr=False)
    body: Mapping[str, Any]
    secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Heard:
    """What came back. Without an error it was taken."""

    status: int | None = None
    error: str | None = None
    after: timedelta | None = None  # the endpoint's own wish (Retry-After)
    seconds: float = 0.0

    @property
    def is_taken(self) -> bool:
        return self.error is None

    @property
    def is_gone(self) -> bool:
        """Whether the endpoint wants nothing any more."""
        return self.status == 410


def envelope(kind: str, at: datetime, data: Mapping[str, Any]) -> dict[str, Any]:
    """The body, in the shape of Standard Webhooks."""
    stamp = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {"type": kind, "timestamp": stamp, "data": dict(data)}


def next_wait(tries: int, heard: Heard, *, chance: float) -> timedelta | None:
    """How long until the next attempt after so many; None if it was the last."""
    if tries >= MOST_TRIES:
        return None
    wait = WAITS[tries - 1] * (1 + JITTER * chance)
    return max(wait, heard.after or timedelta())
