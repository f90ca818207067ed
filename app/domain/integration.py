"""What a monitoring tool says, in our words.

A parser in `app.integrations` turns one request body into `Readings`; nothing past it
knows which tool spoke. A signal always has a dedup key, so that the same problem told
twice is one incident.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from app.domain.incident import Severity


class IntegrationKind(StrEnum):
    ELASTIC = "elastic"
    ALERTMANAGER = "alertmanager"
    ALERTS = "alerts"  # the plain documented format


@dataclass(frozen=True)
class Sender:
    """An integration as far as its alerts ask about it."""

    id: int
    name: str
    kind: IntegrationKind
    service: str | None
    default_severity: Severity


class SignalAction(StrEnum):
    TRIGGER = "trigger"
    RESOLVE = "resolve"


class AlertOutcome(StrEnum):
    """What became of one alert."""

    OPENED = "opened"  # it opened an incident
    JOINED = "joined"  # an unresolved incident with its key was there already
    RESOLVED = "resolved"  # it resolved an incident
    IGNORED = "ignored"  # a recovery with nothing to resolve
    UNREADABLE = "unreadable"  # kept as it came; an incident about the integration says so


@dataclass(frozen=True)
class Signal:
    """One alert, as a parser understood it. Texts are already bounded and printable."""

    action: SignalAction
    dedup_key: str
    title: str
    description: str | None = None
    severity: Severity | None = None  # None: the integration's default
    service: str | None = None  # None: the integration's default
    source: str | None = None
    url: str | None = None
    tags: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    group_key: str | None = None


@dataclass(frozen=True)
class Unreadable:
    """One alert that could not be understood, and why, in a sentence for the sender."""

    reason: str


@dataclass(frozen=True)
class GroupState:
    """A sender's word that `present` is all that it still names of its group."""

    group_key: str
    present: frozenset[str]


@dataclass(frozen=True)
class Readings:
    """One request body, read: its alerts in order, and what it says of a whole group."""

    alerts: tuple[Signal | Unreadable, ...]
    group: GroupState | None = None


UNREADABLE_KEY = "tocsin:unreadable"


def derived_key(*parts: str | None) -> str:
    """A dedup key for a sender that names none: equal parts equal key, other parts another."""
    # As JSON no part can pass for two, and half of a surrogate pair is a text like any other.
    spelled = json.dumps([part or "" for part in parts])
    return "derived:" + hashlib.sha256(spelled.encode()).hexdigest()[:32]


def complaint(sender: Sender, alert: Unreadable) -> Signal:
    """The problem that an alert is which could not be read: that of its integration."""
    return Signal(
        action=SignalAction.TRIGGER,
        dedup_key=UNREADABLE_KEY,
        title=f"Integration “{sender.name}” sends alerts that cannot be read"[:255],
        description=f"{alert.reason}\n\nThe body is kept with the alert. Mend the sender, then"
        " resolve this incident.",
        severity=Severity.HIGH,
        source="tocsin",
    )
