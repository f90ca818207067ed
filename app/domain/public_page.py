"""What the public sees, as one picture. Pure.

`app/services/public_page.py` makes it from the public columns alone; the page, its feeds, its
badges and the exported files are drawn from it and from nothing else, so what is not in here is
nowhere on them. Statuses are the words of the wire (`major_outage`, `investigating`, …), texts
are as somebody wrote them for the public (Markdown where it says so), times are aware.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Level(StrEnum):
    """How bad it is, in one word: the colour of the band, and Statuspage's indicator."""

    NONE = "none"
    MAINTENANCE = "maintenance"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


@dataclass(frozen=True)
class PageFacts:
    """The page's own: what it is called, and where people find help."""

    name: str
    url: str  # where it is reached, without a slash at its end
    description: str | None
    support_url: str | None
    time_zone: str
    updated_at: datetime  # when anything on it changed last


@dataclass(frozen=True)
class PublicLink:
    """An incident or a maintenance, as far as a link to it needs."""

    code: str
    title: str


@dataclass(frozen=True)
class ComponentDay:
    """One day of a component, in the page's time zone."""

    on: date
    status: str | None  # the worst of the day; None: the component was not there yet
    minutes: tuple[tuple[str, int], ...] = ()  # by status, worst first, without operational ones
    incidents: tuple[PublicLink, ...] = ()


@dataclass(frozen=True)
class ComponentPicture:
    """A component as it stands, and its days up to today, oldest first."""

    id: int
    name: str
    description: str | None
    status: str
    days: tuple[ComponentDay, ...] = ()
    uptime: float | None = None  # per cent over `days`, by the formula of docs/status-page.md


@dataclass(frozen=True)
class GroupPicture:
    """Components that belong together. Without a name: those that are in no group."""

    name: str | None
    description: str | None
    status: str  # the worst of its components
    components: tuple[ComponentPicture, ...]


@dataclass(frozen=True)
class PublicPostmortem:
    """What was published of a postmortem."""

    summary: str  # Markdown
    body: str  # Markdown
    published_at: datetime


@dataclass(frozen=True)
class UpdatePicture:
    """One public update."""

    id: int
    status: str
    body: str  # Markdown
    posted_at: datetime
    edited_at: datetime | None = None
    author: str | None = None  # only where the page shows its authors


@dataclass(frozen=True)
class IncidentPicture:
    """A published incident, its updates newest first."""

    code: str
    title: str
    status: str
    impact: str  # none, minor, major, critical
    started_at: datetime
    resolved_at: datetime | None
    updated_at: datetime
    components: tuple[str, ...]  # their names
    updates: tuple[UpdatePicture, ...]
    next_update_due_at: datetime | None = None
    postmortem: PublicPostmortem | None = None


@dataclass(frozen=True)
class MaintenancePicture:
    """A public maintenance, its updates newest first."""

    code: str
    title: str
    status: str  # scheduled, in_progress, verifying, completed
    scheduled_for: datetime
    scheduled_until: datetime
    updated_at: datetime
    components: tuple[str, ...]
    updates: tuple[UpdatePicture, ...]


@dataclass(frozen=True)
class HistoryDay:
    """A day of the recent past, in the page's time zone, with what began on it."""

    on: date
    incidents: tuple[IncidentPicture, ...]
    maintenances: tuple[MaintenancePicture, ...] = ()


@dataclass(frozen=True)
class PublicPage:
    """Everything that `/status` shows."""

    page: PageFacts
    level: Level
    headline: str  # one sentence of truth
    groups: tuple[GroupPicture, ...]
    incidents: tuple[IncidentPicture, ...]  # not resolved, newest first
    maintenances: tuple[MaintenancePicture, ...]  # not completed, nearest first
    history: tuple[HistoryDay, ...]  # newest first, days without anything included
    checked_at: datetime
    revision: str  # changes whenever the page does, but for `checked_at`

    def components(self) -> Iterator[ComponentPicture]:
        for group in self.groups:
            yield from group.components


WORST_FIRST = (
    "major_outage",
    "partial_outage",
    "degraded_performance",
    "under_maintenance",
    "operational",
)
_LEVELS = {
    "major_outage": Level.CRITICAL,
    "partial_outage": Level.MAJOR,
    "degraded_performance": Level.MINOR,
    "under_maintenance": Level.MAINTENANCE,
    "operational": Level.NONE,
}
_IMPACTS = {"critical": Level.CRITICAL, "major": Level.MAJOR, "minor": Level.MINOR}
_RANK = (Level.NONE, Level.MAINTENANCE, Level.MINOR, Level.MAJOR, Level.CRITICAL)


def worst(statuses: Iterable[str]) -> str:
    """The worst of some components' statuses; of none: operational."""
    return min(statuses, key=WORST_FIRST.index, default=WORST_FIRST[-1])


def level_of(statuses: Iterable[str], impacts: Iterable[str]) -> Level:
    """How bad it is with components like these and incidents of such impact."""
    levels = [_LEVELS[status] for status in statuses]
    levels += [_IMPACTS.get(impact, Level.NONE) for impact in impacts]
    return max(levels, key=_RANK.index, default=Level.NONE)


_DOING = {
    "major_outage": "down",
    "partial_outage": "partly down",
    "degraded_performance": "slower than usual",
    "under_maintenance": "under maintenance",
}


def headline_of(components: Iterable[tuple[str, str]], *, has_incidents: bool) -> str:
    """One sentence of truth about components, as (name, status)."""
    shown = list(components)
    of_all = worst(status for _, status in shown)
    names = [name for name, status in shown if status == of_all]
    if of_all in _DOING:
        doing = _DOING[of_all]
        if len(names) == len(shown) > 1:
            return f"All systems are {doing}."
        if len(names) > 3:
            return f"{len(names)} of {len(shown)} systems are {doing}."
        joined = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        return f"{joined} {'is' if len(names) == 1 else 'are'} {doing}."
    if has_incidents:
        return "All systems are working, and we are looking into a problem."
    return "All systems are working."
