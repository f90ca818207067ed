"""Subscribers of the status page: what they may say, and what is shown of them to whom."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError

from app.domain.notification import Channel
from app.domain.subscriber import (
    MOST_SCOPES,
    Cadence,
    LetterKind,
    LetterStatus,
    SubscriberOrigin,
    SubscriberState,
)
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.types import EmailAddress, Flag, Key, Storable
from app.schemas.webhook import HookUrl

SubscriberChannel = Literal[Channel.EMAIL, Channel.WEBHOOK, Channel.CHAT, Channel.SMS]
SubscriberAddress = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2000),
    Storable,
    Field(
        description="A mail address, the URL of a webhook, an Apprise URL of a hosted chat, or a"
        " phone number with + and country code.",
        examples=["sam@example.org"],
    ),
]


def _once(values: list[int]) -> list[int]:
    return list(dict.fromkeys(values))


Keys = Annotated[list[Key], Field(max_length=MOST_SCOPES), AfterValidator(_once)]
IncidentCode = Annotated[
    str,
    StringConstraints(min_length=1, max_length=50, pattern=r"^[0-9A-Za-z_-]+$"),
    Field(description="The code of an incident on the status page.", examples=["5f0c2d9ab1"]),
]

_EMAIL: TypeAdapter[str] = TypeAdapter(EmailAddress)
_HOOK: TypeAdapter[str] = TypeAdapter(HookUrl)


def checked(channel: Channel, given: str) -> str:
    """What was given as an address of this channel; ValueError with a sentence if it is none."""
    kinds = {Channel.EMAIL: _EMAIL, Channel.WEBHOOK: _HOOK}
    kind = kinds.get(channel)
    if kind is None:
        return given
    try:
        return kind.validate_python(given.strip())
    except ValidationError as error:
        said = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise ValueError(f"It {said}." if said.startswith("is ") else f"{said}.") from None


class PublicSubscriberCreate(WriteSchema):
    """Somebody wants to be told: of everything, unless something is named."""

    channel: SubscriberChannel = Channel.EMAIL
    address: SubscriberAddress
    frequency: Cadence = Field(
        Cadence.IMMEDIATE, description="`daily`: one message with the news of a day."
    )
    components: Keys = Field([], examples=[[3]])
    groups: Keys = Field([], description="With whatever belongs to them later.", examples=[[]])
    incident: IncidentCode | None = None


class PublicSubscriberUpdate(WriteSchema):
    """Only the named fields are written."""

    frequency: Cadence | None = None
    is_for_everything: Flag | None = None
    components: Keys | None = Field(None, examples=[[3]])
    groups: Keys | None = Field(None, examples=[[1]])

    _kept = not_null("frequency", "is_for_everything", "components", "groups")


class ScopeRead(ReadSchema):
    """One thing that a subscriber is told of who does not want everything."""

    kind: Literal["component", "group", "incident"]
    id: int = Field(examples=[3])
    name: str = Field(examples=["Checkout"])


class PublicScopeRead(ReadSchema):
    """The same as its subscriber sees it."""

    kind: Literal["component", "group", "incident"]
    id: int | None = Field(description="Of a component or a group.", examples=[3])
    code: str | None = Field(description="Of an incident.", examples=[None])
    name: str = Field(examples=["Checkout"])


class PublicSubscriberRead(ReadSchema):
    """A subscription, for whoever holds its link."""

    channel: Channel
    address: str = Field(description="Masked.", examples=["s…@example.org"])
    state: SubscriberState
    frequency: Cadence
    is_for_everything: bool
    scopes: list[PublicScopeRead]
    signing_secret: str | None = Field(
        description="What signs the calls of a webhook (Standard Webhooks); else null.",
        examples=[None],
    )


class SubscriberCreate(WriteSchema):
    channel: SubscriberChannel = Channel.EMAIL
    address: SubscriberAddress
    frequency: Cadence = Cadence.IMMEDIATE
    components: Keys = Field([], description="Nothing named: everything.", examples=[[]])
    groups: Keys = Field([], examples=[[]])
    have_agreed: Flag = Field(
        default=False,
        description="You have their consent: they are told without following a link first.",
    )


class SubscriberUpdate(WriteSchema):
    """Only the named fields are written. The address stays: another one is another subscriber."""

    frequency: Cadence | None = None
    is_for_everything: Flag | None = None
    components: Keys | None = Field(None, examples=[[3]])
    groups: Keys | None = Field(None, examples=[[]])
    is_paused: Literal[False] | None = Field(
        None, description="False: send to an address again that refused what was sent."
    )

    _kept = not_null("frequency", "is_for_everything", "components", "groups", "is_paused")


class SubscriberRead(ReadSchema):
    id: int
    channel: Channel
    address: str = Field(
        description="Whole for admins, masked for others; of a webhook or a chat never the secret.",
        examples=["s…@example.org"],
    )
    state: SubscriberState
    frequency: Cadence
    is_for_everything: bool
    scopes: list[ScopeRead]
    origin: SubscriberOrigin
    created_by: int | None
    confirmed_at: Instant | None
    unsubscribed_at: Instant | None
    bounced_at: Instant | None = Field(description="When its address refused what was sent.")
    bounce_reason: str | None
    revision: int
    created_at: Instant
    updated_at: Instant


class SubscriberDeliveryRead(ReadSchema):
    id: int
    uid: str = Field(
        description="Its mark, the same at every attempt: what `Message-ID` begins with, or"
        " `webhook-id`.",
        examples=["5a4d0c1e-2a8e-4c59-9f0c-0b1f6d6f2d11"],
    )
    subscriber_id: int
    channel: Channel
    address: str = Field(examples=["s…@example.org"])
    kind: LetterKind = Field(
        description="`notice`: one public fact. `digest`: those of a day. `confirmation`: the link"
        " that proves an address."
    )
    notice_id: int | None
    digest_id: int | None = Field(description="The digest that a notice went into.")
    status: LetterStatus
    attempts: int
    last_error: str | None
    next_attempt_at: Instant | None = Field(
        description="When it is sent next; null once nothing is to come."
    )
    is_resend: bool = Field(
        description="A sender vanished in mid-send, or it was sent again by hand: the same mark"
        " may have come before."
    )
    created_at: Instant
    claimed_at: Instant | None = Field(description="When the last attempt began.")
    settled_at: Instant | None = Field(description="When it was sent or given up.")
