"""What everybody may read, in shapes of its own (promise 7): none of them is used for anything
internal, and none has a place for it."""

from datetime import date

from pydantic import Field

from app.domain.public_incident import Impact, PublicStatus
from app.domain.public_maintenance import MaintenanceStatus
from app.domain.public_page import Level
from app.domain.public_update import UpdateStatus
from app.domain.status_component import ComponentStatus
from app.schemas.base import Instant, ReadSchema

CODE = "9f86d081884c7d659a2feaa0"


class StatusPageFactsRead(ReadSchema):
    """The page's own."""

    name: str = Field(examples=["Example Status"])
    url: str = Field(examples=["https://status.example.org"])
    description: str | None = Field(examples=["How our services are."])
    support_url: str | None = Field(examples=["https://example.org/help"])
    time_zone: str = Field(examples=["Europe/Berlin"])
    updated_at: Instant = Field(description="When anything on it changed last.")


class StatusPageLinkRead(ReadSchema):
    code: str = Field(examples=[CODE])
    title: str = Field(examples=["Checkout is slow"])


class StatusPageUpdateRead(ReadSchema):
    """One message to the public."""

    id: int
    status: UpdateStatus = Field(examples=["identified"])
    body: str = Field(description="Markdown.", examples=["We have found the cause."])
    posted_at: Instant
    edited_at: Instant | None
    author: str | None = Field(description="Only where the page says so.", examples=[None])


class StatusPagePostmortemRead(ReadSchema):
    """What was learned, as far as it was published."""

    summary: str = Field(description="Markdown.")
    body: str = Field(description="Markdown.")
    published_at: Instant


class StatusPageIncidentRead(ReadSchema):
    """A published incident, its updates newest first."""

    code: str = Field(examples=[CODE])
    title: str = Field(examples=["Checkout is slow"])
    status: PublicStatus
    impact: Impact
    started_at: Instant
    resolved_at: Instant | None
    updated_at: Instant
    components: list[str] = Field(description="Their names.", examples=[["Checkout"]])
    updates: list[StatusPageUpdateRead]
    next_update_due_at: Instant | None = Field(description="By when there is more to hear.")
    postmortem: StatusPagePostmortemRead | None


class StatusPageMaintenanceRead(ReadSchema):
    """A maintenance, its updates newest first."""

    code: str = Field(examples=[CODE])
    title: str = Field(examples=["New disks for the database"])
    status: MaintenanceStatus
    scheduled_for: Instant
    scheduled_until: Instant
    updated_at: Instant
    components: list[str] = Field(description="Their names.", examples=[["Checkout"]])
    updates: list[StatusPageUpdateRead]


class StatusPageComponentRead(ReadSchema):
    id: int = Field(examples=[1])
    name: str = Field(examples=["Checkout"])
    description: str | None
    status: ComponentStatus
    uptime: float | None = Field(
        description="Per cent of the last 90 days; null where it is not shown.", examples=[99.98]
    )


class StatusPageGroupRead(ReadSchema):
    """Components that belong together; without a name: those that are in no group."""

    name: str | None = Field(examples=["Shop"])
    description: str | None
    status: ComponentStatus = Field(description="The worst of its components.")
    components: list[StatusPageComponentRead]


class StatusPageSummaryRead(ReadSchema):
    """How everything is just now."""

    page: StatusPageFactsRead
    level: Level = Field(description="How bad it is, in one word.")
    headline: str = Field(examples=["All systems are working."])
    groups: list[StatusPageGroupRead]
    incidents: list[StatusPageIncidentRead] = Field(description="Not over, newest first.")
    maintenances: list[StatusPageMaintenanceRead] = Field(description="Not over, nearest first.")


class StatusPageComponentsRead(ReadSchema):
    """Every component of the page."""

    page: StatusPageFactsRead
    groups: list[StatusPageGroupRead]


class StatusPageDayRead(ReadSchema):
    """One day of a component, in the page's time zone."""

    on: date
    status: ComponentStatus | None = Field(
        description="The worst of the day; null: it was not there yet."
    )
    minutes: dict[ComponentStatus, int] = Field(
        description="By status, but for `operational`.", examples=[{"partial_outage": 12}]
    )
    incidents: list[StatusPageLinkRead]


class StatusPageUptimeRead(ReadSchema):
    """How long a component was well."""

    id: int = Field(examples=[1])
    name: str = Field(examples=["Checkout"])
    uptime: float | None = Field(
        description="Per cent over `days`, by the formula of docs/status-page.md.", examples=[99.98]
    )
    days: list[StatusPageDayRead] = Field(description="Oldest first; today is the last.")


class StatusPageUptimesRead(ReadSchema):
    """How long each component was well."""

    page: StatusPageFactsRead
    components: list[StatusPageUptimeRead]
