"""How often the public is told something, and the page's own address of a thing. Pure."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from app.domain.incident import Severity

# Minutes by severity, as long as nobody has set others; what is not named has no clock.
USUAL_UPDATE_MINUTES: dict[str, int] = {"critical": 30, "high": 60, "medium": 120}
CODE_BYTES = 12  # 96 bits: nobody finds what was withdrawn by trying


def new_code() -> str:
    """An unguessable name for a public thing, which says nothing of any internal number."""
    return secrets.token_hex(CODE_BYTES)


def next_update_due(
    minutes: Mapping[str, int], severity: Severity, *, now: datetime
) -> datetime | None:
    """When the public is to hear again, or None where no clock runs."""
    wanted = minutes.get(severity)
    return None if wanted is None else now + timedelta(minutes=wanted)


REMINDED_BEFORE = timedelta(minutes=5)


def reminder_for(due_at: datetime, *, now: datetime) -> datetime:
    """When to remind somebody of an update that is due then: a little before, but never sooner
    than half the time is over."""
    return due_at - min(REMINDED_BEFORE, (due_at - now) / 2)
