"""Webhook subscriptions: who is told of which events, and how each telling went."""

from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, Field

from app.domain.event import EventType
from app.domain.incident import Severity
from app.domain.webhook import DeliveryStatus, DisabledBecause
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.types import Flag, HttpUrl, Name, ServiceName, SeverityWord

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"  # noqa: S105  # an example's
MOST_NAMED = 100


def _bare(url: str) -> str:
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("must not carry a user or password: the signature proves who calls")
    return url


HookUrl = Annotated[
    HttpUrl, AfterValidator(_bare), Field(examples=["https://desk.example.org/hooks/tocsin"])
]


def _once(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


EventTypes = Annotated[
    list[EventType], Field(max_length=MOST_NAMED, examples=[[]]), AfterValidator(_once)
]
Services = Annotated[
    list[ServiceName], Field(max_length=MOST_NAMED, examples=[["checkout"]]), AfterValidator(_once)
]
Severities = Annotated[
    list[SeverityWord], Field(max_length=MOST_NAMED, examples=[["critical", "high"]]),
    AfterValidator(_once),
]  # fmt: skip


class WebhookSubscriptionCreate(WriteSchema):
    name: Name = Field(examples=["Ticket desk"])
    url: HookUrl
    event_types: EventTypes = Field([], description="Any of these; empty: all, new ones included.")
    services: Services = Field([], description="Any of these; empty: all.")
    severities: Severities = Field([], description="Any of these; empty: all.")
    is_active: Flag = True


class WebhookSubscriptionUpdate(WriteSchema):
    """Only the named fields are written."""

    name: Name | None = None
    url: HookUrl | None = None
    event_types: EventTypes | None = None
    services: Services | None = None
    severities: Severities | None = None
    is_active: Flag | None = None

    _kept = not_null("name", "url", "event_types", "services", "severities", "is_active")


class WebhookSubscriptionRead(ReadSchema):
    id: int
    name: str
    url: str
    event_types: list[EventType]
    services: list[str]
    severities: list[Severity]
    is_active: bool
    previous_until: Instant | None = Field(
        description="Until when the secret before the last rotation signs, too."
    )
    failing_since: Instant | None = Field(
        description="Since when every attempt has failed; null while it works."
    )
    disabled_at: Instant | None = Field(
        description="When Tocsin itself switched it off; null if it did not."
    )
    disabled_reason: DisabledBecause | None = Field(
        description="`gone`: the endpoint answered 410. `failing`: nothing got through for 5 days."
    )
    created_by: int | None
    revision: int
    created_at: Instant
    updated_at: Instant


class WebhookSubscriptionCreated(WebhookSubscriptionRead):
    secret: str = Field(description="Shown this once.", examples=[SECRET])


class SecretRead(ReadSchema):
    previous_until: Instant | None = Field(
        description="Until when the secret before this one signs, too; null if it does not."
    )


class SecretRotated(SecretRead):
    secret: str = Field(description="Shown this once.", examples=[SECRET])


class PingRead(ReadSchema):
    """What came back at once."""

    is_taken: bool = Field(description="Whether the endpoint answered 2xx.")
    response_code: int | None = Field(validation_alias="status", examples=[204])
    error: str | None = Field(examples=[None])
    seconds: float = Field(examples=[0.08])


class WebhookDeliveryRead(ReadSchema):
    id: int
    webhook_id: UUID = Field(
        validation_alias="uid", description="What `webhook-id` says, at every attempt."
    )
    event_id: int
    type: str = Field(examples=["incident.created"])
    status: DeliveryStatus
    attempts: int
    response_code: int | None = Field(description="Of the last attempt.")
    last_error: str | None
    next_attempt_at: Instant | None = Field(
        description="When it is sent next; null once nothing is to come."
    )
    is_resend: bool = Field(
        description="A sender vanished in mid-send, or it was replayed: the same `webhook-id` may"
        " have come before."
    )
    occurred_at: Instant
    created_at: Instant
    claimed_at: Instant | None = Field(description="When the last attempt began.")
    settled_at: Instant | None = Field(description="When it was delivered or given up.")
