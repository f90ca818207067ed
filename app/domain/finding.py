"""What the checks before the night look at, and what they find. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.domain.notification import Channel, Recipient
from app.domain.timeline import Interval, Stretch


class Gravity(StrEnum):
    """How bad it is, the worst first."""

    CRITICAL = "critical"  # somebody who should be paged is not
    WARNING = "warning"  # it may come to that
    NOTE = "note"  # it is of no use as it is


class Hole(StrEnum):
    """Every kind of finding. Names are for programs: they may be added to, never renamed."""

    SCHEDULE_HAS_GAPS = "SCHEDULE_HAS_GAPS"
    SCHEDULE_IS_EMPTY = "SCHEDULE_IS_EMPTY"
    ON_TWO_SCHEDULES = "ON_TWO_SCHEDULES"
    PERSON_DEACTIVATED = "PERSON_DEACTIVATED"
    NO_VERIFIED_CONTACT = "NO_VERIFIED_CONTACT"
    NO_RULE_FOR_URGENCY = "NO_RULE_FOR_URGENCY"
    RULES_IN_DOUBT = "RULES_IN_DOUBT"
    STEP_REACHES_NOBODY = "STEP_REACHES_NOBODY"
    POLICY_NEVER_MATCHES = "POLICY_NEVER_MATCHES"
    SERVICE_WITHOUT_POLICY = "SERVICE_WITHOUT_POLICY"
    SERVICE_WITHOUT_SCHEDULE = "SERVICE_WITHOUT_SCHEDULE"
    TEAM_IS_EMPTY = "TEAM_IS_EMPTY"
    CALENDAR_FAILS = "CALENDAR_FAILS"
    HEARTBEAT_NEVER_CAME = "HEARTBEAT_NEVER_CAME"
    TOO_MUCH_TO_CHECK = "TOO_MUCH_TO_CHECK"


@dataclass(frozen=True)
class Finding:
    """One hole: what it is, what closes it, and where."""

    code: str
    place: str
    severity: Gravity
    message: str
    fix: str
    link: str


@dataclass(frozen=True)
class Rota:
    """A schedule, and who is on call by it in the days ahead."""

    id: int
    name: str
    stretches: Sequence[Stretch]


@dataclass(frozen=True)
class Policy:
    id: int
    name: str
    conditions: Mapping[str, Any]
    steps: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class ServiceSetUp:
    id: int
    name: str
    policy_id: int | None
    schedule_id: int | None


@dataclass(frozen=True)
class Crew:
    """A team and the people in it, deactivated or not."""

    id: int
    name: str
    members: Sequence[int]
    owns_something: bool = True


@dataclass(frozen=True)
class FailingCalendar:
    id: int
    name: str
    since: datetime
    error: str
    was_read: bool = True  # once: what it said then counts


@dataclass(frozen=True)
class SilentMonitor:
    id: int
    name: str


@dataclass(frozen=True)
class SetUp:
    """All that is looked at."""

    during: Interval
    rotas: Sequence[Rota] = ()
    policies: Sequence[Policy] = ()  # the active ones
    services: Sequence[ServiceSetUp] = ()
    teams: Sequence[Crew] = ()
    people: Mapping[int, Recipient] = field(default_factory=dict)
    admins: Collection[int] = ()
    calendars: Sequence[FailingCalendar] = ()
    monitors: Sequence[SilentMonitor] = ()
    unconfigured: Collection[Channel] = ()
