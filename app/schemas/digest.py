"""Summaries: when somebody wants one, and what stands in it."""

from datetime import date
from typing import Annotated, Any

from pydantic import Field, computed_field

from app.domain.digest import DigestFrequency
from app.domain.incident import IncidentStatus, Severity
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null, revision_of
from app.schemas.types import Flag, NumberOnly, TimeZone

EXAMPLE_COUNTS = {"critical": 1, "high": 2}


class DigestSettingsWrite(WriteSchema):
    """Only the named fields are written."""

    frequency: DigestFrequency | None = Field(None, examples=["daily"])
    hour: Annotated[int, Field(ge=0, le=23), NumberOnly] | None = Field(
        None, description="On the reader's clock.", examples=[9]
    )
    weekday: Annotated[int, Field(ge=0, le=6), NumberOnly] | None = Field(
        None, description="Of a weekly one: 0 is Monday.", examples=[0]
    )
    time_zone: TimeZone | None = Field(None, description="Null: the person's own.")
    even_when_empty: Flag | None = Field(
        None, description="Also when nothing happened.", examples=[False]
    )
    action_reminders: Flag | None = Field(
        None, description="Reminders of action items, before and after they are due."
    )

    _kept = not_null("frequency", "hour", "weekday", "even_when_empty", "action_reminders")

    def wanted(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True)


class DigestSettingsRead(ReadSchema):
    """When somebody is sent a summary of what happened."""

    frequency: DigestFrequency
    hour: int = Field(examples=[9])
    weekday: int = Field(examples=[0])
    time_zone: str | None = Field(description="Null: the person's own.", examples=[None])
    even_when_empty: bool
    action_reminders: bool
    next_at: Instant | None = Field(description="When the next one comes; null: never.")

    @computed_field(description="Another number for other wishes; for `If-Match`.")  # type: ignore[prop-decorator]
    @property
    def revision(self) -> int:
        return revision_of(
            self.frequency,
            self.hour,
            self.weekday,
            self.time_zone,
            self.even_when_empty,
            self.action_reminders,
        )


class DigestIncidentRead(ReadSchema):
    id: int = Field(examples=[7])
    title: str = Field(examples=["Disk full"])
    service: str = Field(examples=["database"])
    severity: Severity
    status: IncidentStatus
    opened_at: Instant


class DigestServiceRead(ReadSchema):
    service: str = Field(examples=["database"])
    incidents: int = Field(examples=[3])
    alerts: int = Field(examples=[40])


class DigestShiftRead(ReadSchema):
    schedule_id: int = Field(examples=[2])
    schedule_name: str = Field(examples=["Primary"])
    starts_at: Instant
    ends_at: Instant


class DigestItemRead(ReadSchema):
    id: int = Field(examples=[12])
    title: str = Field(examples=["Remove archived logs every night"])
    due_on: date | None


class DigestRead(ReadSchema):
    """What a person's summary says. Lists are the first five of theirs."""

    frequency: DigestFrequency
    since: Instant
    until: Instant
    time_zone: str = Field(examples=["Europe/Berlin"])
    is_empty: bool = Field(description="Nothing happened, and nothing waits.")
    opened: int = Field(examples=[3])
    opened_by_severity: dict[Severity, int] = Field(examples=[EXAMPLE_COUNTS])
    resolved: int = Field(examples=[2])
    unresolved: int = Field(description="Now.", examples=[1])
    worst: list[DigestIncidentRead] = Field(description="Of those that are not over.")
    noisiest: list[DigestServiceRead]
    pages: int = Field(description="Sent to this person in the time.", examples=[5])
    paged_about: int = Field(description="Of so many incidents.", examples=[3])
    shifts: list[DigestShiftRead] = Field(description="This person's, in the next seven days.")
    overdue: list[DigestItemRead] = Field(description="Action items of this person.")
    overdue_count: int = Field(examples=[1])
