"""Rehearsals of what would page whom, and when."""

from datetime import datetime
from typing import Any

from pydantic import Field, field_validator, model_validator

from app.domain.foresight import DoubtKind, Fate
from app.domain.notification import Channel
from app.schemas.base import FieldErrorRead, Instant, ReadSchema, WriteSchema
from app.schemas.escalation import PolicyCreate
from app.schemas.incident import CUSTOM_FIELDS_HELP
from app.schemas.types import Document, Key, Labels, ServiceName, SeverityWord, Tag, Title

LONGEST_MINUTES = 7 * 24 * 60
EARLIEST, LATEST = 2000, 2100  # years: within them no sum of delays leaves the calendar


class HypotheticalIncident(WriteSchema):
    """An incident as conditions and targets ask about it."""

    title: Title = Field("A hypothetical incident", examples=["Database connection failed"])
    severity: SeverityWord = Field(examples=["high"])
    service: ServiceName = Field(examples=["database"])
    source: ServiceName | None = Field(None, description="The tool that would raise it.")
    tags: list[Tag] = Field([], max_length=32, examples=[["eu", "postgres"]])
    labels: Labels = Field({}, examples=[{"region": "eu-west-1"}])
    custom_fields: Document = Field(
        {}, max_length=100, description=CUSTOM_FIELDS_HELP, examples=[{}]
    )
    created_by: Key | None = Field(
        None, description="Who would declare it; null for an alert.", examples=[1]
    )
    assignees: list[Key] = Field(
        [], max_length=50, description="Users who would have it from the start.", examples=[[1]]
    )


class Simulate(WriteSchema):
    """One of `incident` and `incident_id`.

    An existing incident goes on as it stands; with `policy` or `at`, as if it were opened then.
    """

    incident: HypotheticalIncident | None = Field(
        None, examples=[{"severity": "high", "service": "database"}]
    )
    incident_id: Key | None = Field(None, description="An existing incident.", examples=[1])
    policy: PolicyCreate | None = Field(
        None, description="A draft, as if it were the only policy; else all that are active."
    )
    at: Instant | None = Field(
        None, description="When it would be opened; now, if left out.",
        examples=["2027-01-31T03:00:00Z"],
    )  # fmt: skip
    until_minutes: float | None = Field(
        None,
        gt=0,
        le=LONGEST_MINUTES,
        strict=True,
        description="How far to look ahead; else to the end, or seven days.",
        examples=[120],
    )
    acknowledged_after_minutes: float | None = Field(
        None,
        gt=0,
        le=LONGEST_MINUTES,
        strict=True,
        description="Whoever is paged first acknowledges then; left out, nobody answers.",
        examples=[10],
    )

    @field_validator("at")
    @classmethod
    def _in_our_time(cls, at: datetime | None) -> datetime | None:
        if at is not None and not EARLIEST <= at.year <= LATEST:
            raise ValueError(f"must lie in the years {EARLIEST} to {LATEST}")
        return at

    @model_validator(mode="after")
    def _one_of_both(self) -> "Simulate":
        if (self.incident is None) == (self.incident_id is None):
            raise ValueError("give either `incident` or `incident_id`")
        return self


EXAMPLE_SIMULATE: dict[str, Any] = {
    "incident": {"severity": "high", "service": "database", "tags": ["eu"]},
    "at": "2027-01-31T03:00:00Z",
}


class PolicyMatchRead(ReadSchema):
    """Whether a policy is for the incident, and if not, why."""

    policy_id: int | None = Field(description="Null for the draft.", examples=[1])
    name: str = Field(examples=["Critical Database Issues"])
    is_active: bool
    matches: bool
    reasons: list[FieldErrorRead] = Field(description="What does not hold; empty if it matches.")


class LineRead(ReadSchema):
    """Something that happens: as the timeline tells it, or a message to one recipient."""

    at: Instant
    minute: float = Field(description="After the start.", examples=[5.0])
    action: str = Field(
        description="`page`, `webhook`, news (`acknowledged`, …), or the type of the timeline's"
        " entry.",
        examples=["page"],
    )
    because: str | None = Field(examples=["The step pages Ana, by rule 2 (sms after 10 minutes)."])
    policy: str | None = Field(examples=["Critical Database Issues"])
    is_fallback: bool
    loop: int | None = Field(description="Which round of the ladder, from 0.")
    step: int | None = Field(description="Which step, from 0.")
    user_id: int | None
    name: str | None = Field(examples=["Ana Díaz"])
    channel: Channel | None
    contact_method: str | None = Field(
        description="Only a part of it.", examples=["a…@example.org"]
    )
    rule: int | None = Field(description="Which of the person's rules, from 1.")
    fate: Fate | None = Field(
        description="Of a message: `sent`; `dropped`, for it was answered first; `failed`, for its"
        " channel is not set up; `waits`, it comes after the end of this look ahead."
    )
    quiet_until: Instant | None = Field(description="Quiet hours put it off until then.")


class DoubtRead(ReadSchema):
    """Something to look at before it matters."""

    kind: DoubtKind
    message: str = Field(examples=["Step 2 of “Primary” reaches nobody; what comes next comes"
                                   " at once. Ben has switched sms off."])  # fmt: skip
    policy: str | None
    step: int | None = Field(description="From 0.")
    user_id: int | None


class SimulationRead(ReadSchema):
    starts_at: Instant
    ends_at: Instant = Field(description="When the last thing happens.")
    begins_anew: bool = Field(description="False: an existing incident goes on as it stands.")
    is_complete: bool = Field(description="False: more would come after what is shown.")
    policies: list[PolicyMatchRead]
    lines: list[LineRead] = Field(description="In the order of time.")
    warnings: list[DoubtRead]
