"""A notification taken for sending: who it is for, what it is about, and how it was before.

A lease belongs to one sender until it runs out. It is known by its row and the number of its
attempt: only whoever holds that attempt may say how it ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from app.domain.notification import MAX_ATTEMPTS, Channel, NotificationKind


class StepKey(NamedTuple):
    """One step of one loop of one escalation."""

    incident_id: int
    escalation_id: int
    loop: int
    step: int


@dataclass(frozen=True)
class LeasedIncident:
    """The incident that a message is about."""

    id: int
    uid: UUID
    title: str
    description: str | None
    severity: str
    service: str
    source: str | None
    url: str | None
    tags: tuple[str, ...]
    labels: Mapping[str, str]
    opened_at: datetime
    alert_count: int
    is_drill: bool = False


@dataclass(frozen=True)
class LeasedStep:
    """The step of a policy that pages."""

    key: StepKey
    step_count: int
    policy_name: str
    is_fallback: bool


@dataclass(frozen=True)
class LeasedContact:
    """The contact method a message goes to. Its secret is still locked."""

    id: int
    user_id: int
    address: str
    label: str | None
    secret: bytes | None = field(repr=False)


@dataclass(frozen=True)
class Before:
    """How a row stood when it was taken."""

    was_sending: bool = False  # its sender vanished
    claimed_at: datetime | None = None
    held_until: datetime | None = None
    bundled_into: int | None = None


@dataclass(frozen=True)
class Leased:
    """One message on its way out. With followers it tells their pages, too."""

    id: int
    kind: NotificationKind
    channel: Channel
    address: str
    message: str | None
    facts: Mapping[str, Any]
    promised_at: datetime
    claimed_at: datetime
    attempts: int
    attempts_before: int  # what was tried before somebody had it sent again
    is_resend: bool
    user_id: int | None
    user_name: str | None
    contact: LeasedContact | None
    incident: LeasedIncident | None
    step: LeasedStep | None
    wording: tuple[str | None, str] | None  # an installation's own: subject and body
    is_critical: bool = False
    before: Before = Before()
    followers: tuple["Leased", ...] = ()

    @property
    def rows(self) -> tuple["Leased", ...]:
        """Everything this message tells, each a promise of its own."""
        return (self, *self.followers)

    @property
    def tries(self) -> int:
        """How often it was tried, this time included."""
        return self.attempts - self.attempts_before

    @property
    def is_last_try(self) -> bool:
        return self.tries >= MAX_ATTEMPTS

    @property
    def is_limited(self) -> bool:
        """Whether it counts among the pages of a person; a drill does not."""
        is_drill = self.incident is not None and self.incident.is_drill
        return self.kind is NotificationKind.PAGE and self.user_id is not None and not is_drill
