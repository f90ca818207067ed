"""A clock on a wall: what pages of schedules read from forms, and tell, in a zone that is named."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.domain.time_zone import is_time_zone, zone
from app.domain.wall_clock import first_instant, shown_at

OWN, MINE = "schedule", "mine"  # whose zone a page tells times in
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Wall:
    """The clock of one zone."""

    name: str

    @property
    def zone(self) -> ZoneInfo:
        return zone(self.name)

    def typed(self, moment: datetime) -> str:
        """An instant as a field for date and time has it."""
        return shown_at(moment, self.zone).isoformat(timespec="minutes")

    def read(self, text: str) -> datetime:
        """The instant that such a field means; a ValueError for what is no time."""
        shown = datetime.fromisoformat(text)
        if shown.tzinfo is not None:
            return shown.astimezone(UTC)
        return first_instant(shown, self.zone)

    def told(self, moment: datetime) -> str:
        """“Mon 24 Nov, 09:00”."""
        return moment.astimezone(self.zone).strftime("%a %-d %b, %H:%M")

    def day_of(self, moment: datetime) -> date:
        return shown_at(moment, self.zone).date()

    def midnight(self, day: date) -> datetime:
        """When a day begins."""
        return first_instant(datetime.combine(day, time()), self.zone)

    def offset(self, moment: datetime) -> timedelta:
        return moment.astimezone(self.zone).utcoffset() or timedelta()

    def turn(self, since: datetime, until: datetime) -> tuple[datetime, timedelta] | None:
        """When between two instants the clock is turned, and by how much; None: it is not."""
        by = self.offset(until) - self.offset(since)
        if not by:
            return None
        low, high = 0, int((until - since) / MINUTE)
        while high - low > 1:
            middle = (low + high) // 2
            if self.offset(since + middle * MINUTE) == self.offset(since):
                low = middle
            else:
                high = middle
        return since + high * MINUTE, by


def wall_of(name: str | None, fallback: str = "UTC") -> Wall:
    """The wall of this zone, or of another one where there is none of this name."""
    return Wall(name if name is not None and is_time_zone(name) else fallback)
