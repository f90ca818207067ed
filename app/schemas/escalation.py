"""Policies and what they did."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from app.domain.escalation import EscalationEventStatus, EscalationStatus
from app.domain.notification import Channel
from app.domain.quiet import WaitsFor
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.preflight import SAVED, HoleRead
from app.schemas.target import Target
from app.schemas.types import (
    Comment,
    Document,
    Flag,
    HttpUrl,
    Key,
    LongName,
    LongText,
    NumberOnly,
    PageMessage,
    SeverityWord,
)

LONGEST_DELAY = 7 * 24 * 60

Repeats = Annotated[int, Field(ge=0, le=20), NumberOnly]
AckTimeout = Annotated[float, Field(gt=0, le=LONGEST_DELAY, allow_inf_nan=False), NumberOnly]
ACK_TIMEOUT_HELP = (
    "How long an acknowledgement holds while the incident is not resolved: then it opens again"
    " and pages anew. Null means for good."
)
Minutes = Annotated[float, Field(ge=0, le=LONGEST_DELAY, allow_inf_nan=False), NumberOnly]


class NotifyAction(WriteSchema):
    """Page people, each along their own rules."""

    type: Literal["notify"]
    target: Target
    channels: list[Channel] | None = Field(
        None, description="Only these of their channels; left out or empty means all."
    )
    message: PageMessage | None = None


class AssignAction(WriteSchema):
    type: Literal["assign"]
    target: Target


class SetStatusAction(WriteSchema):
    type: Literal["set_status"]
    status: Literal["acknowledged", "resolved"]


class SetSeverityAction(WriteSchema):
    type: Literal["set_severity"]
    severity: SeverityWord


class WebhookAction(WriteSchema):
    """Call a URL with a signed JSON body."""

    type: Literal["webhook"]
    url: HttpUrl


class CommentAction(WriteSchema):
    type: Literal["comment"]
    text: Comment


Action = Annotated[
    NotifyAction
    | AssignAction
    | SetStatusAction
    | SetSeverityAction
    | WebhookAction
    | CommentAction,
    Field(discriminator="type"),
]


class Step(WriteSchema):
    delay_minutes: Minutes = Field(
        description="After the step before; of the first, after the start. Fractions are allowed.",
        examples=[5],
    )
    actions: list[Action] = Field(min_length=1, max_length=20)


EXAMPLE_CONDITIONS = {"severity": ["critical", "high"], "service": ["database", "primary-db"]}
EXAMPLE_STEPS = [
    {
        "delay_minutes": 0,
        "actions": [
            {
                "type": "notify",
                "target": "admins",
                "channels": ["email"],
                "message": "This incident requires your attention.",
            }
        ],
    }
]
CONDITIONS_HELP = (
    "Which incidents; empty matches all. Keys: severity, service, source, tags, title,"
    " labels.<name>, custom_fields.<key>, time; a list means any of; operators in, not_in,"
    " contains, matches, exists; all, any and not nest. See docs/policies.md."
)


class PolicyCreate(WriteSchema):
    name: LongName = Field(examples=["Critical Database Issues"])
    description: LongText | None = None
    conditions: Document = Field({}, description=CONDITIONS_HELP, examples=[EXAMPLE_CONDITIONS])
    steps: list[Step] = Field(min_length=1, max_length=50, examples=[EXAMPLE_STEPS])
    repeat: Repeats = Field(0, description="How often the ladder begins again.")
    final_delay_minutes: Minutes = Field(
        5,
        description="How long after the last step the ladder waits for an answer before it"
        " begins again or, at its end, pages the fallback.",
    )
    ack_timeout_minutes: AckTimeout | None = Field(
        None, description=ACK_TIMEOUT_HELP, examples=[30]
    )
    team_id: Key | None = Field(None, description="Who owns it.", examples=[None])
    is_active: Flag = True


class PolicyUpdate(WriteSchema):
    """Only the named fields are written; steps are replaced as a whole."""

    name: LongName | None = None
    description: LongText | None = None
    conditions: Document | None = Field(None, description=CONDITIONS_HELP)
    steps: list[Step] | None = Field(None, min_length=1, max_length=50)
    repeat: Repeats | None = None
    final_delay_minutes: Minutes | None = None
    ack_timeout_minutes: AckTimeout | None = Field(None, description=ACK_TIMEOUT_HELP)
    team_id: Key | None = Field(None, description="Who owns it.", examples=[None])
    is_active: Flag | None = None

    _kept = not_null("name", "conditions", "steps", "repeat", "final_delay_minutes", "is_active")


class PolicyRead(ReadSchema):
    id: int
    name: str
    description: str | None
    conditions: dict[str, Any]
    steps: list[dict[str, Any]]
    repeat: int
    final_delay_minutes: float
    ack_timeout_minutes: float | None
    team_id: int | None = Field(description="Who owns it.")
    is_active: bool
    revision: int
    created_at: Instant
    updated_at: Instant
    findings: list[HoleRead] | None = Field(None, description=SAVED)


class EscalationRead(ReadSchema):
    """One policy at work on one incident."""

    id: int
    policy_id: int | None = Field(
        description="Null for the fallback, for people called by hand, or once it was deleted."
    )
    policy_name: str
    is_fallback: bool
    status: EscalationStatus
    loop: int = Field(description="Which round of the ladder, from 0.")
    next_step: int = Field(
        description="The step that comes next, from 0; the number of steps means its end."
    )
    next_step_at: Instant | None = Field(
        description="When; null when nothing is to come. While it is paused: when the snooze ends"
        " or the acknowledgement expires, and it begins again."
    )
    waits_until: Instant | None = Field(
        description="Its service keeps it waiting: then it is asked again, and begins if nothing"
        " is in the way."
    )
    waits_for: WaitsFor | None = Field(description="What it waits for.")
    steps: list[dict[str, Any]] = Field(description="As they were when it started.")
    repeat: int
    final_delay_minutes: float
    ack_timeout_minutes: float | None = Field(description=ACK_TIMEOUT_HELP)
    started_at: Instant
    finished_at: Instant | None
    last_fault: str | None


class EscalationEventRead(ReadSchema):
    """What one step came to."""

    id: int
    escalation_id: int
    policy_id: int | None
    loop: int
    step: int
    status: EscalationEventStatus
    due_at: Instant
    triggered_at: Instant
    completed_at: Instant | None
    metadata: dict[str, Any] = Field(validation_alias="facts")


class IncidentEscalationRead(ReadSchema):
    """Where an incident's escalations stand, what is next and when, and what was done."""

    next_step_at: Instant | None = Field(description="The nearest of all that is to come.")
    escalations: list[EscalationRead]
    events: list[EscalationEventRead]


class EventRead(EscalationEventRead):
    """What one step came to, of which policy and on which incident."""

    incident_id: int
    policy_name: str = Field("", description="As it was called when it started.")


class Escalate(WriteSchema):
    """What shall go on now: everything that is live, or one escalation; or whom to page now."""

    escalation_id: Key | None = Field(
        None, description="Only this one of the incident's.", examples=[1]
    )
    to: Target | None = Field(
        None,
        description="Page these people instead, as a step of a policy would; what is at work"
        " goes on as it stands.",
        examples=[None],
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> "Escalate":
        if self.escalation_id is not None and self.to is not None:
            raise ValueError("give `escalation_id` or `to`, not both")
        return self


class PolicyStart(WriteSchema):
    policy_id: Key = Field(
        description="An active policy; its conditions are not asked.", examples=[1]
    )
