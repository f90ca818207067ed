"""What a subscriber reads: public facts, as they are told in every way there is. Pure."""

from dataclasses import dataclass
from datetime import datetime

from app.domain.public_update import NoticeKind


@dataclass(frozen=True)
class PageSaid:
    """The status page, as far as a message about it needs."""

    name: str = "Status"
    url: str | None = None  # None: where Tocsin itself is
    time_zone: str = "UTC"


@dataclass(frozen=True)
class News:
    """One public fact. Every text in it was written for the public."""

    id: int
    kind: NoticeKind
    created_at: datetime
    code: str | None  # of the incident or the maintenance
    title: str
    status: str
    impact: str | None = None
    started_at: datetime | None = None
    scheduled_for: datetime | None = None
    scheduled_until: datetime | None = None
    body: str | None = None
    author: str | None = None
    components: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Where the page tells more of it."""
        if self.code is None:
            return "/status"
        return f"/status/incidents/{self.code}"


_STATUSES = {
    "investigating": "Investigating",
    "identified": "Identified",
    "monitoring": "Monitoring",
    "resolved": "Resolved",
    "scheduled": "Scheduled",
    "in_progress": "In progress",
    "verifying": "Verifying",
    "completed": "Completed",
    "operational": "Operational",
    "under_maintenance": "Under maintenance",
    "degraded_performance": "Degraded performance",
    "partial_outage": "Partial outage",
    "major_outage": "Major outage",
}


def status_in_words(status: str) -> str:
    return _STATUSES.get(status, status.replace("_", " ").capitalize())


def subject_of(news: News) -> str:
    """What it is, on one line."""
    status = status_in_words(news.status)
    match news.kind:
        case NoticeKind.INCIDENT_CREATED | NoticeKind.INCIDENT_STATUS_CHANGED:
            return f"{status}: {news.title}"
        case NoticeKind.INCIDENT_UPDATED | NoticeKind.MAINTENANCE_UPDATED:
            return f"Update: {news.title}"
        case NoticeKind.MAINTENANCE_CREATED:
            return f"Maintenance scheduled: {news.title}"
        case NoticeKind.MAINTENANCE_STATUS_CHANGED:
            return f"Maintenance {status.lower()}: {news.title}"
        case NoticeKind.COMPONENT_STATUS_CHANGED:
            return f"{news.title}: {status.lower()}"
        case NoticeKind.POSTMORTEM_PUBLISHED:
            return f"What happened: {news.title}"
