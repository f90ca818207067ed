"""Incidents and what hangs on them."""

from typing import Any

from pydantic import (
    AliasPath,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.domain.incident import AssignmentRole, IncidentStatus, TimelineType, Urgency
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.types import (
    Comment,
    Document,
    Flag,
    HttpUrl,
    Key,
    Labels,
    LongText,
    ServiceName,
    SeverityWord,
    Tag,
    Title,
)

LONGEST_SNOOZE_MINUTES = 30 * 24 * 60
CUSTOM_FIELDS_HELP = (
    "Values by key, each of its field's type; null for none. See /v1/custom-fields."
)


class IncidentCreate(WriteSchema):
    """Title, severity and service are needed wherever no template says them."""

    template_id: Key | None = Field(
        None,
        description="Whatever is left out is as this template has it. See /v1/incident-templates.",
        examples=[None],
    )
    title: Title | None = Field(
        None, validate_default=True, examples=["Database connection failed"]
    )
    description: LongText | None = Field(None, examples=["Unable to connect to primary database"])
    severity: SeverityWord | None = Field(None, validate_default=True, examples=["high"])
    service: ServiceName | None = Field(None, validate_default=True, examples=["database"])
    tags: list[Tag] = Field([], max_length=32, examples=[["eu", "postgres"]])
    labels: Labels = Field({}, examples=[{"region": "eu-west-1"}])
    custom_fields: Document = Field(
        {}, max_length=100, description=CUSTOM_FIELDS_HELP, examples=[{}]
    )
    url: HttpUrl | None = None
    assignees: list[Key] = Field(
        [], max_length=50, description="Users who have it from the start.", examples=[[1]]
    )

    @field_validator("title", "severity", "service")
    @classmethod
    def _said_by_somebody(cls, value: str | None, info: ValidationInfo) -> str | None:
        """Without a template there is nobody else to say it."""
        if value is None and "template_id" in info.data and info.data["template_id"] is None:
            raise PydanticCustomError("missing", "is needed, unless `template_id` says it")
        return value


EXAMPLE_INCIDENT: dict[str, Any] = {
    "title": "Database connection failed",
    "description": "Unable to connect to primary database",
    "severity": "high",
    "service": "database",
    "tags": ["eu", "postgres"],
}


class IncidentUpdate(WriteSchema):
    """Only the named fields are written."""

    title: Title | None = None
    description: LongText | None = None
    severity: SeverityWord | None = None
    service: ServiceName | None = None
    tags: list[Tag] | None = Field(None, max_length=32)
    labels: Labels | None = None
    custom_fields: Document | None = Field(
        None,
        max_length=100,
        description="Only the named ones are written; null removes a value.",
        examples=[{}],
    )
    url: HttpUrl | None = None
    status: IncidentStatus | None = Field(
        None, description="As by the actions; a status it cannot take is refused."
    )

    _kept = not_null("title", "severity", "service", "tags", "labels", "custom_fields", "status")


class LastWords(WriteSchema):
    """What the public is told at the end."""

    body: Comment = Field(
        description="Markdown, for the public: everybody reads it.",
        examples=["Everything works again. We are sorry."],
    )
    notifies: Flag = Field(default=True, description="Whether subscribers are told.")


class Resolve(WriteSchema):
    """For a published incident, what the public is told in the same act."""

    public_update: LastWords | None = Field(
        None, description="Left out: the public is told nothing.", examples=[None]
    )


class Snooze(WriteSchema):
    """Until a time, or for some minutes."""

    until: Instant | None = Field(None, examples=["2027-01-31T08:00:00Z"])
    minutes: float | None = Field(None, gt=0, le=LONGEST_SNOOZE_MINUTES, strict=True, examples=[30])

    @model_validator(mode="after")
    def _one_of_both(self) -> "Snooze":
        if (self.until is None) == (self.minutes is None):
            raise ValueError("give either `until` or `minutes`")
        return self


class AssignmentCreate(WriteSchema):
    user_id: Key = Field(examples=[1])
    role: AssignmentRole = AssignmentRole.RESPONDER


class CommentCreate(WriteSchema):
    content: Comment = Field(examples=["Failing over to the replica."])


class AssignmentRead(ReadSchema):
    user_id: int
    name: str = Field(validation_alias=AliasPath("user", "display_name"))
    role: AssignmentRole
    assigned_at: Instant


class IncidentRead(ReadSchema):
    id: int
    title: str
    description: str | None
    status: IncidentStatus
    severity: SeverityWord
    urgency: Urgency = Field(
        description="As its service has it for this severity. Outside support hours what is low"
        " waits for the morning."
    )
    service: str
    source: str | None
    url: str | None
    tags: list[str]
    labels: dict[str, str]
    is_drill: bool = Field(description="A fire drill: it pages, and counts among no others.")
    custom_fields: dict[str, Any] = Field(
        description="By key; values of archived fields are shown, too.",
        examples=[{"customers_affected": 42}],
    )
    integration_id: int | None
    dedup_key: str | None
    created_by: int | None
    assigned_to: int | None
    assignments: list[AssignmentRead]
    alert_count: int = Field(
        validation_alias=AliasPath("tally", "alert_count"),
        description="How often its alert came; 0 when a person declared it.",
    )
    last_alert_at: Instant | None = Field(validation_alias=AliasPath("tally", "last_alert_at"))
    acknowledged_at: Instant | None
    acknowledged_by: int | None
    resolved_at: Instant | None
    resolved_by: int | None
    snoozed_until: Instant | None
    deleted_at: Instant | None
    deleted_by: int | None
    revision: int
    created_at: Instant
    updated_at: Instant


class CommentRead(ReadSchema):
    id: int
    incident_id: int
    user_id: int | None = Field(description="Null when a policy's step said it.")
    content: str
    created_at: Instant


class TimelineEventRead(ReadSchema):
    id: int
    event_type: TimelineType
    description: str = Field(examples=["Ana Díaz acknowledged the incident."])
    user_id: int | None = Field(description="Null when a tool or Tocsin itself did it.")
    metadata: dict[str, Any] = Field(validation_alias="facts")
    created_at: Instant
