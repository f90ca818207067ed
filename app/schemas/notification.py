"""What was sent to whom, and how it went."""

from pydantic import Field

from app.domain.notification import (
    AttemptOutcome,
    Channel,
    NotificationKind,
    NotificationStatus,
)
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
    kind: NotificationKind
    incident_id: int | None = Field(description="Null for what is between Tocsin and one person.")
    escalation_id: int | None = Field(description="With loop, step and action: what a page is.")
    loop: int | None
    step: int | None
    action: int | None
    channel: Channel
    user_id: int | None = Field(
        description="Null when a step's webhook is called, or nobody has an account yet."
    )
    status: NotificationStatus
    due_at: Instant
    claimed_at: Instant | None
    sent_at: Instant | None
    delivered_at: Instant | None
    attempts: int
    sent_to: str | None = Field(
        description="The address; of a URL its host alone, because the rest may be a secret.",
        examples=["ana@example.org"],
    )
    is_resend: bool = Field(
        description="A sender vanished in mid-send, or somebody had it sent again: what followed"
        " bears the same mark."
    )
    held_until: Instant | None = Field(
        description="Over the person's limit, it was held until then at the latest."
    )
    bundled_into: int | None = Field(
        description="The page whose message told this one, too.", examples=[None]
    )
    overtaken_at: Instant | None = Field(
        description="The incident was answered while this was on its way."
    )
    reason: str | None
    last_error: str | None
    created_at: Instant
    history: list[AttemptRead]
