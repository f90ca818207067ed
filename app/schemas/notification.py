"""What was sent to whom, and how it went."""

from pydantic import Field

from app.domain.notification import AttemptOutcome, Channel, NotificationStatus
from app.schemas.base import Instant, ReadSchema


class AttemptRead(ReadSchema):
    number: int
    outcome: AttemptOutcome
    started_at: Instant
    finished_at: Instant
    error: str | None
    provider_id: str | None


class NotificationRead(ReadSchema):
    id: int
    incident_id: int
    escalation_id: int
    loop: int
    step: int
    action: int
    channel: Channel
    user_id: int | None = Field(description="Null when a step's webhook is called.")
    status: NotificationStatus
    due_at: Instant
    claimed_at: Instant | None
    sent_at: Instant | None
    delivered_at: Instant | None
    attempts: int
    sent_to: str | None
    is_resend: bool = Field(
        description="A sender vanished in mid-send; what followed bears the same mark."
    )
    overtaken_at: Instant | None = Field(
        description="The incident was answered while this was on its way."
    )
    reason: str | None
    last_error: str | None
    created_at: Instant
    history: list[AttemptRead]
