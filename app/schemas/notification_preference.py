"""By which rules a person is paged, and which channels they have switched off."""

import re
from datetime import time
from typing import Annotated, Any

from pydantic import (
    AliasPath,
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    computed_field,
)

from app.domain.contact_method import MOST_RULES
from app.domain.incident import Severity, Urgency
from app.domain.notification import Channel
from app.schemas.base import ReadSchema, WriteSchema, not_null, revision_of
from app.schemas.escalation import Minutes
from app.schemas.types import Flag, Key, SeverityWord

CLOCK = "^([01][0-9]|2[0-3]):[0-5][0-9]$"


def _clock(given: object) -> object:
    if isinstance(given, str) and re.fullmatch(CLOCK, given):
        return time.fromisoformat(given)
    if isinstance(given, time):
        return given
    raise ValueError("must be a time of day such as 22:00")


ClockTime = Annotated[
    time,
    BeforeValidator(_clock),
    PlainSerializer(lambda clock: f"{clock:%H:%M}", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": CLOCK, "examples": ["22:00"]}),
]


class RuleWrite(WriteSchema):
    contact_method_id: Key
    delay_minutes: Minutes = Field(
        0, description="After the step that pages; dropped if somebody answers before."
    )
    min_severity: SeverityWord | None = Field(
        None, description="Only for incidents at least this bad; null means all."
    )
    urgency: Urgency | None = Field(
        None,
        description="Only for incidents as urgent as this, which their service says by severity;"
        " null means for all. One set of rules for each urgency: name it in all of them.",
    )
    quiet_from: ClockTime | None = Field(
        None, description="From then, on the person's own clock, pages below critical wait."
    )
    quiet_until: ClockTime | None = Field(None, description="Until then they wait.")


class RulesWrite(WriteSchema):
    """All rules of a person, in their order."""

    items: list[RuleWrite] = Field(
        max_length=MOST_RULES,
        examples=[
            [
                {"contact_method_id": 1},
                {"contact_method_id": 1, "delay_minutes": 5, "min_severity": "high"},
            ]
        ],
    )


def _is_given(moment: object) -> bool:
    return moment is not None


class RuleRead(ReadSchema):
    id: int
    position: int = Field(description="From 0.")
    contact_method_id: int
    channel: Channel = Field(validation_alias=AliasPath("contact_method", "channel"))
    address: str = Field(validation_alias=AliasPath("contact_method", "address"))
    label: str | None = Field(validation_alias=AliasPath("contact_method", "label"))
    is_verified: Annotated[bool, BeforeValidator(_is_given)] = Field(
        validation_alias=AliasPath("contact_method", "verified_at"),
        description="A rule whose contact method is not verified pages nobody.",
    )
    delay_minutes: float
    min_severity: Severity | None
    urgency: Urgency | None
    quiet_from: ClockTime | None
    quiet_until: ClockTime | None


class RulesRead(ReadSchema):
    items: list[RuleRead]
    warnings: list[str] = Field(
        description="What may keep pages from this person, a sentence each.",
        examples=[
            ["Nobody can page Ana: there is no rule. Add one for a verified contact method."]
        ],
    )

    @computed_field(description="Another number for other rules; for `If-Match`.")  # type: ignore[prop-decorator]
    @property
    def revision(self) -> int:
        return revision_of(self.items)


class ChannelsWrite(WriteSchema):
    """Only the named channels are switched."""

    email: Flag | None = None
    sms: Flag | None = None
    push: Flag | None = None
    chat: Flag | None = None
    webhook: Flag | None = None

    _kept = not_null("email", "sms", "push", "chat", "webhook")


class PreferencesWrite(WriteSchema):
    channels: ChannelsWrite = Field(examples=[{"sms": False}])

    def wanted(self) -> dict[Channel, bool]:
        named: dict[str, Any] = self.channels.model_dump(exclude_unset=True)
        return {Channel(name): is_on for name, is_on in named.items()}


class ChannelsRead(ReadSchema):
    email: bool
    sms: bool
    push: bool
    chat: bool
    webhook: bool


class PreferencesRead(ReadSchema):
    """Which channels are switched on. Nothing is sent over one that is off."""

    channels: ChannelsRead

    @computed_field(description="Another number for other switches; for `If-Match`.")  # type: ignore[prop-decorator]
    @property
    def revision(self) -> int:
        return revision_of(self.channels)
