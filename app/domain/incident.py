"""What an incident is and how it may change.

Response status drives paging. `TRANSITIONS` is the whole law: a status that is asked
for again is a no-op, whatever is not in the table is refused, and reopening is an
action of its own because it starts paging again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4


class IncidentStatus(StrEnum):
    OPEN = "open"  # somebody must look; escalations run
    ACKNOWLEDGED = "acknowledged"  # somebody is looking; escalations wait
    RESOLVED = "resolved"  # nobody needs to look; escalations have ended


TRANSITIONS: dict[IncidentStatus, tuple[IncidentStatus, ...]] = {
    IncidentStatus.OPEN: (IncidentStatus.ACKNOWLEDGED, IncidentStatus.RESOLVED),
    IncidentStatus.ACKNOWLEDGED: (IncidentStatus.RESOLVED,),
    IncidentStatus.RESOLVED: (),
}


class Severity(StrEnum):
    """How bad it is. Declared from worst to mildest; `rank` orders them."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return list(Severity).index(self)

    def at_least(self, floor: "Severity") -> bool:
        return self.rank <= floor.rank


class Urgency(StrEnum):
    """Whether somebody must be called at any hour. The service says, by severity."""

    HIGH = "high"
    LOW = "low"  # outside support hours it waits for the morning


SEVERITY_ALIASES: dict[str, Severity] = {
    "sev0": Severity.CRITICAL,
    "sev1": Severity.CRITICAL,
    "sev2": Severity.HIGH,
    "sev3": Severity.MEDIUM,
    "sev4": Severity.LOW,
    "sev5": Severity.LOW,
    "p0": Severity.CRITICAL,
    "p1": Severity.CRITICAL,
    "p2": Severity.HIGH,
    "p3": Severity.MEDIUM,
    "p4": Severity.LOW,
    "p5": Severity.LOW,
    "page": Severity.CRITICAL,
    "fatal": Severity.CRITICAL,
    "emergency": Severity.CRITICAL,
    "crit": Severity.CRITICAL,
    "error": Severity.HIGH,
    "err": Severity.HIGH,
    "major": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "warn": Severity.MEDIUM,
    "minor": Severity.LOW,
    "info": Severity.LOW,
    "information": Severity.LOW,
    "informational": Severity.LOW,
    "none": Severity.LOW,
}
SEVERITY_WORDS = {**SEVERITY_ALIASES, **{severity.value: severity for severity in Severity}}


def read_severity(word: str) -> Severity | None:
    """The severity a person or a tool means by `word`, or None for a word nobody knows."""
    key = "".join(word.lower().replace("-", " ").replace("_", " ").split())
    return SEVERITY_WORDS.get(key)


class AssignmentRole(StrEnum):
    RESPONDER = "responder"
    COMMANDER = "commander"
    COMMUNICATOR = "communicator"
    OBSERVER = "observer"


class TimelineType(StrEnum):
    """Every kind of entry a timeline can hold."""

    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    SNOOZED = "snoozed"
    SNOOZE_ENDED = "snooze_ended"
    EDITED = "edited"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    COMMENTED = "commented"
    ESCALATION_STARTED = "escalation_started"
    ESCALATION_STEP = "escalation_step"
    ESCALATION_REACHED_NOBODY = "escalation_reached_nobody"
    ESCALATION_REPEATED = "escalation_repeated"
    ESCALATION_EXHAUSTED = "escalation_exhausted"
    ESCALATION_CANCELLED = "escalation_cancelled"
    ESCALATION_HURRIED = "escalation_hurried"
    ESCALATION_FAULT = "escalation_fault"
    NOTIFICATION_FAILED = "notification_failed"
    ESCALATED = "escalated"  # by hand
    NOTIFICATION_RESENT = "notification_resent"
    DELETED = "deleted"
    RESTORED = "restored"
    ACKNOWLEDGEMENT_EXPIRED = "acknowledgement_expired"
    HELD_BACK = "held_back"  # in a storm of its service
    ALERT_REPLAYED = "alert_replayed"
    DRILL_ANSWERED = "drill_answered"
    PAGING_WAITS = "paging_waits"  # for the end of maintenance, or for support hours
    PAGING_BEGINS = "paging_begins"  # the wait is over
    PUBLISHED = "published"  # the public sees it from here on
    PUBLIC_UPDATE = "public_update"  # the public was told something
    PUBLIC_WITHDRAWN = "public_withdrawn"  # it is told no more what it was told
    PUBLIC_REMINDER = "public_reminder"  # its people were reminded that the public waits
    POSTMORTEM = "postmortem"  # begun, sent to review, published or amended


@dataclass(frozen=True)
class Opening:
    """An incident about to be opened, by a person or by an alert."""

    title: str
    severity: Severity
    service: str
    story: str  # the first sentence of its timeline
    description: str | None = None
    source: str | None = None
    url: str | None = None
    tags: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    custom_fields: Mapping[str, Any] = field(default_factory=dict)
    integration_id: int | None = None
    dedup_key: str | None = None
    group_key: str | None = None
    created_by: int | None = None
    alert_count: int = 0
    urgency: Urgency = Urgency.HIGH  # its service says; see `domain.quiet`
    silence: timedelta | None = None  # so long without an alert, and it is over
    uid: UUID = field(default_factory=uuid4)
