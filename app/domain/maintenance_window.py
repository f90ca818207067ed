"""Times in which services are worked on: how one stands, and what may be said of it. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST = timedelta(days=30)
FURTHEST_AHEAD = timedelta(days=366)
# Clocks differ, and an answer takes its time.
CLOCKS_DIFFER = timedelta(minutes=5)


class WindowStatus(StrEnum):
    SCHEDULED = "scheduled"  # it has not begun
    RUNNING = "running"
    OVER = "over"  # its time has passed, or somebody ended it
    CANCELLED = "cancelled"  # before it began


def status_at(
    starts_at: datetime,
    ends_at: datetime,
    *,
    ended_at: datetime | None,
    cancelled_at: datetime | None,
    now: datetime,
) -> WindowStatus:
    """How a window stands; it is half-open, [starts_at, ends_at)."""
    if cancelled_at is not None:
        return WindowStatus.CANCELLED
    if ended_at is not None or ends_at <= now:
        return WindowStatus.OVER
    return WindowStatus.RUNNING if starts_at <= now else WindowStatus.SCHEDULED


@dataclass(frozen=True)
class TimeFault:
    """What is wrong with the times of a window, and where."""

    field: str
    message: str


def fault_of(starts_at: datetime, ends_at: datetime, *, now: datetime) -> TimeFault | None:
    """Why a window cannot be from one instant to the other, as far as nobody chose it before."""
    if ends_at <= starts_at:
        return TimeFault("ends_at", "must be after its start")
    if ends_at <= now:
        return TimeFault("ends_at", "has passed")
    if ends_at - starts_at > LONGEST:
        return TimeFault("ends_at", f"is more than {LONGEST.days} days after its start")
    if starts_at - now > FURTHEST_AHEAD:
        return TimeFault("starts_at", "is more than a year ahead")
    return None


def begins_too_early(starts_at: datetime, *, now: datetime) -> bool:
    """Whether a new start has passed; what happened then was not held back, and stays so."""
    return starts_at < now - CLOCKS_DIFFER
