"""Fire drills: whom they page, and who answered when."""

from pydantic import AliasPath, Field, model_validator

from app.domain.fire_drill import DrillState
from app.domain.notification import Channel, NotificationStatus
from app.schemas.base import Instant, ReadSchema, WriteSchema
from app.schemas.types import Key, PageMessage, ServiceName


class FireDrillCreate(WriteSchema):
    """To whoever starts it, by their own rules; or to a policy, or to one address."""

    policy_id: Key | None = Field(
        None, description="Whoever this policy would reach now.", examples=[1]
    )
    contact_method_id: Key | None = Field(
        None, description="This address alone; the answer verifies it.", examples=[1]
    )
    service: ServiceName | None = Field(
        None, description="With a policy: whose people on call its steps mean.", examples=[None]
    )
    message: PageMessage | None = Field(None, examples=["The monthly drill. Press the button."])

    @model_validator(mode="after")
    def _one_aim(self) -> "FireDrillCreate":
        if self.policy_id is not None and self.contact_method_id is not None:
            raise ValueError("give `policy_id` or `contact_method_id`, not both")
        if self.service is not None and self.policy_id is None:
            raise ValueError("`service` goes with a `policy_id`")
        return self


class DrillPageRead(ReadSchema):
    """One page of a drill, and how far it came."""

    notification_id: int = Field(validation_alias="id")
    user_id: int | None
    channel: Channel
    contact_method_id: int | None
    status: NotificationStatus
    due_at: Instant
    claimed_at: Instant | None
    sent_at: Instant | None
    delivered_at: Instant | None
    reason: str | None = Field(description="Why it did not leave.")


class FireDrillRead(ReadSchema):
    id: int = Field(validation_alias=AliasPath("drill", "id"))
    incident_id: int = Field(
        validation_alias=AliasPath("drill", "incident_id"),
        description="The incident that bears its pages and its timeline.",
    )
    state: DrillState
    started_by: int = Field(validation_alias=AliasPath("drill", "started_by"))
    started_at: Instant = Field(validation_alias=AliasPath("drill", "started_at"))
    policy_id: int | None = Field(validation_alias=AliasPath("drill", "policy_id"))
    policy_name: str | None = Field(
        validation_alias=AliasPath("drill", "policy_name"), description="As it was called then."
    )
    contact_method_id: int | None = Field(validation_alias=AliasPath("drill", "contact_method_id"))
    answered_at: Instant | None = Field(validation_alias=AliasPath("drill", "answered_at"))
    answered_by: int | None = Field(validation_alias=AliasPath("drill", "answered_by"))
    answer_seconds: float | None = Field(description="From its start to the answer.")
    notification_id: int | None = Field(
        validation_alias=AliasPath("drill", "notification_id"),
        description="The page whose link was the answer; null when it was answered elsewhere.",
    )
    missed_at: Instant | None = Field(
        validation_alias=AliasPath("drill", "missed_at"),
        description="When it ended because nobody had answered.",
    )
    pages: list[DrillPageRead] = Field(description="None yet, until its step is taken.")
