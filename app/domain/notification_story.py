"""The words in which the story of one message is told."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class WaitReason(StrEnum):
    """What a message that has not left yet waits for."""

    DUE = "due"  # its time, or a free sender
    QUIET_HOURS = "quiet_hours"  # of its recipient
    STORM = "storm"  # of its service: it is told with the others
    LIMIT = "limit"  # its recipient had many pages: it is told with the next
    SNOOZE = "snooze"  # of its incident
    RETRY = "retry"  # the last try did not go out
    PROVIDER = "provider"  # nothing is given to its provider just now
    SENDER = "sender"  # one has it, and will say how it went


@dataclass(frozen=True)
class Sentence:
    """One thing that happened to a message; `at` is None where nobody noted when."""

    at: datetime | None
    text: str


@dataclass(frozen=True)
class Resend:
    """Somebody had a message sent again."""

    at: datetime
    text: str


@dataclass(frozen=True)
class Circumstances:
    """What the row of a message does not say of itself."""

    user_name: str | None = None
    policy_name: str | None = None
    is_fallback: bool = False
    storm_until: datetime | None = None  # of the escalation
    snoozed_until: datetime | None = None  # of the incident
    told_with: tuple[int, ...] = ()  # the pages that its message told, too
    resends: tuple[Resend, ...] = ()


@dataclass(frozen=True)
class NotPaged:
    """Somebody whom a step was for and did not page over some channel."""

    user_id: int | None
    name: str
    policy_name: str
    loop: int
    step: int
    at: datetime
    reason: str
