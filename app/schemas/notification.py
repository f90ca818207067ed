"""What was sent to whom, why, and how it went."""

from pydantic import Field

from app.domain.notification import (
    AttemptOutcome,
    Channel,
    NotificationKind,
    NotificationStatus,
)
from app.domain.notification_story import WaitReason
from app.schemas.base import Instant, PageRead, ReadSchema


class AttemptRead(ReadSchema):
    number: int
    outcome: AttemptOutcome
    started_at: Instant
    finished_at: Instant
    error: str | None
    provider_id: str | None


class SentenceRead(ReadSchema):
    """One thing that happened, or the next that will."""

    at: Instant | None = Field(description="Null where nobody noted when.")
    text: str = Field(examples=["Step 1 of “Primary” pages Ana, whom it names, by email."])


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
    user_name: str | None
    policy_name: str | None = Field(
        description="Of a page: as it was called when it started.", examples=["Primary"]
    )
    is_fallback: bool = Field(description="Whether nobody else was left to page.")
    target: str | None = Field(
        description="Of a page: as whom the step pages this person: `user`, `assignees`,"
        " `creator`, `admins` or `fallback`.",
        examples=["assignees"],
    )
    after_minutes: float | None = Field(
        description="Of a page: how long after the step this person wants it there."
    )
    quiet_until: Instant | None = Field(description="Of a page: quiet hours put it off until then.")
    status: NotificationStatus
    waits_for: WaitReason | None = Field(
        description="Why it has not left yet; null once nothing is to come."
    )
    next_at: Instant | None = Field(description="When it leaves or is tried next.")
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
    told_with: list[int] = Field(description="The pages that its message told, too; at most 200.")
    overtaken_at: Instant | None = Field(
        description="The incident was answered while this was on its way."
    )
    link_used_at: Instant | None = Field(description="Its recipient answered by its link.")
    reason: str | None
    last_error: str | None
    created_at: Instant
    history: list[AttemptRead]
    story: list[SentenceRead] = Field(
        description="All of this in sentences, in the order it happened; what comes next is last."
    )


class NotPagedRead(ReadSchema):
    """Somebody whom a step was for and did not page over some channel."""

    user_id: int | None
    name: str = Field(examples=["Ana"])
    policy_name: str
    loop: int
    step: int
    at: Instant
    reason: str = Field(description="After the name.", examples=["has switched sms off"])


class IncidentNotificationsRead(PageRead[NotificationRead]):
    """What an incident sent, and whom its steps did not page."""

    not_paged: list[NotPagedRead] = Field(description="The newest 200, oldest first.")
