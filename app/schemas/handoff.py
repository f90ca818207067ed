"""The hand-off brief."""

from pydantic import AliasPath, Field

from app.domain.incident import IncidentStatus, Severity
from app.schemas.base import Instant, ReadSchema
from app.schemas.shift_request import ShiftRequestRead


class BriefPerson(ReadSchema):
    id: int
    name: str = Field(validation_alias="display_name", examples=["Ana"])


class BriefIncident(ReadSchema):
    id: int
    title: str
    severity: Severity
    status: IncidentStatus
    service: str
    snoozed_until: Instant | None
    created_at: Instant


class BriefNoisy(ReadSchema):
    """Something that paged more than once; incidents of one dedup key count as one thing."""

    title: str
    service: str
    dedup_key: str | None
    incident_id: int = Field(description="The newest of them.")
    pages: int


class BriefOverride(ReadSchema):
    id: int
    user_id: int
    replaces: int | None
    starts_at: Instant
    ends_at: Instant
    reason: str | None


class HandoffBriefRead(ReadSchema):
    """What whoever comes on call should know of the shift that ends."""

    schedule_id: int = Field(validation_alias=AliasPath("schedule", "id"))
    schedule_name: str = Field(validation_alias=AliasPath("schedule", "name"))
    handoff_at: Instant | None = Field(
        description="When other people come on call; null where nobody does within 31 days."
    )
    shift_started_at: Instant = Field(
        description="Since when those who hand over were on call, 31 days back at most."
    )
    next_handoff_at: Instant | None
    outgoing: list[BriefPerson] = Field(description="Who hands over; empty: nobody was on call.")
    incoming: list[BriefPerson] = Field(description="Who comes on call; empty: nobody does.")
    following: list[BriefPerson] = Field(description="Who comes after them.")
    incidents: list[BriefIncident] = Field(
        description="Not over: of services that use the schedule, or that paged in the shift. The"
        " worst 50."
    )
    incident_count: int = Field(description="How many those are in all, up to 1,000.")
    pages: int = Field(description="How many the shift was sent, up to 5,000.")
    night_pages: int = Field(description="Of those, between 22:00 and 07:00 where they live.")
    noisy: list[BriefNoisy] = Field(description="What paged most, five of them.")
    overrides: list[BriefOverride] = Field(description="In the shift to come.")
    requests: list[ShiftRequestRead] = Field(
        description="Cover and swaps in the shift to come, open or taken."
    )
