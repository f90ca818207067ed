"""What calendars give to schedules: the shifts of a layer, and holidays."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from app.db.session import ReadSession
from app.domain.timeline import Interval, Shift


@dataclass(frozen=True)
class Given:
    """By the calendar's id; a calendar that is not there gives nothing."""

    shifts: dict[int, tuple[Shift, ...]] = field(default_factory=dict)
    holidays: dict[int, tuple[Interval, ...]] = field(default_factory=dict)


async def load(
    session: ReadSession,
    shifts_of: Collection[int],
    holidays_of: Collection[int],
    *,
    as_of: datetime | None = None,
) -> Given:
    """The shifts and holidays of these calendars, as they are known now or were known then."""
    return Given()
