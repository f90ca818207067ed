"""When a service keeps its paging waiting: during maintenance, and at night for what is of low
urgency. Pure.

Nothing is ever dropped: whatever waits, waits until an instant, and is asked again then. What
cannot say until when it waits does not wait at all. Maintenance keeps everything waiting, the
end of support hours only what is of low urgency, and never what is critical.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from app.domain import restriction
from app.domain.incident import Severity, Urgency
from app.domain.restriction import Restriction
from app.domain.time_zone import zone
from app.domain.timeline import Interval

# Hours of a week come again within one; those that fall on a night that clocks skip, after two.
FORESEEN = timedelta(days=15)
ALL_HIGH = (Urgency.HIGH,) * len(Severity)


class WaitsFor(StrEnum):
    """What paging waits for."""

    MAINTENANCE = "maintenance"  # to be over
    SUPPORT_HOURS = "support_hours"  # to begin


@dataclass(frozen=True)
class Maintenance:
    """A window that was planned for a service."""

    id: int
    title: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class SupportHours:
    """When the people of a service are at work, on their own clock."""

    time_zone: str
    hours: tuple[Restriction, ...]


@dataclass(frozen=True)
class Standing:
    """A service as far as the paging for its incidents asks about it, catalogued or not."""

    name: str
    policy_id: int | None = None  # pinned
    # By the rank of the severity. Whatever it says of what is critical, that is high.
    urgencies: tuple[Urgency, ...] = ALL_HIGH
    support_hours: SupportHours | None = None
    maintenance: tuple[Maintenance, ...] = ()
    silence: timedelta | None = None  # after so long without an alert it is over
    resolves_acknowledged: bool = False  # then, too, if somebody looks after it

    def urgency(self, severity: Severity) -> Urgency:
        if severity is Severity.CRITICAL:
            return Urgency.HIGH
        return self.urgencies[severity.rank]


@dataclass(frozen=True)
class Wait:
    """Until when nobody is paged, and why, in words for the timeline."""

    until: datetime
    reason: WaitsFor
    story: str


def wait(standing: Standing, severity: Severity, *, now: datetime) -> Wait | None:
    """Whether paging that would begin now waits, for what and until when."""
    return _for_maintenance(standing, now) or _for_the_morning(standing, severity, now)


def under_maintenance(standing: Standing, now: datetime) -> Maintenance | None:
    """The window that is on just now; of several the one that ends last."""
    on = [one for one in standing.maintenance if one.starts_at <= now < one.ends_at]
    return max(on, key=lambda one: (one.ends_at, one.id), default=None)


def _for_maintenance(standing: Standing, now: datetime) -> Wait | None:
    window = under_maintenance(standing, now)
    if window is None:
        return None
    return Wait(
        window.ends_at,
        WaitsFor.MAINTENANCE,
        f"Service “{standing.name}” is under maintenance (“{window.title}”): paging waits until"
        f" it ends, {window.ends_at:%Y-%m-%d %H:%M} UTC at the latest.",
    )


def _for_the_morning(standing: Standing, severity: Severity, now: datetime) -> Wait | None:
    if standing.support_hours is None or standing.urgency(severity) is Urgency.HIGH:
        return None
    until = next_support(standing.support_hours, now)
    if until is None:
        return None
    where = standing.support_hours.time_zone
    return Wait(
        until,
        WaitsFor.SUPPORT_HOURS,
        f"Of low urgency, outside the support hours of service “{standing.name}”: paging waits"
        f" until {until.astimezone(zone(where)):%A %H:%M} {where}.",
    )


@lru_cache(maxsize=256)  # of one batch all ask the same
def next_support(hours: SupportHours, now: datetime) -> datetime | None:
    """When support hours begin next; None within them, and where they never do."""
    during = Interval(now, now + FORESEEN)
    found = restriction.hours(hours.hours, zone(hours.time_zone), during)
    if not found or found[0].starts_at <= now:
        return None
    return found[0].starts_at
