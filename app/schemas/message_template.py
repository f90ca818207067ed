"""How an installation words its messages."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema

from app.domain.notification import INCIDENT_KINDS, Channel, NotificationKind
from app.schemas.base import Instant, ReadSchema, WriteSchema
from app.schemas.types import Storable

# What Jinja makes of it is told line by line; these only keep it from being endless.
LONGEST_SUBJECT = 255
LONGEST_BODY = 10_000


def _incident_kind(kind: NotificationKind) -> NotificationKind:
    if kind not in INCIDENT_KINDS:
        raise ValueError(f"cannot be worded; these can: {', '.join(INCIDENT_KINDS)}")
    return kind


def _worded_channel(channel: Channel) -> Channel:
    if channel is Channel.WEBHOOK:
        raise ValueError("a webhook is sent JSON for programs, which is not worded")
    return channel


WordedKind = Annotated[
    NotificationKind,
    AfterValidator(_incident_kind),
    WithJsonSchema({"type": "string", "enum": [kind.value for kind in INCIDENT_KINDS]}),
]
WordedChannel = Annotated[
    Channel,
    AfterValidator(_worded_channel),
    WithJsonSchema(
        {"type": "string", "enum": [one.value for one in Channel if one is not Channel.WEBHOOK]}
    ),
]
Subject = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_SUBJECT),
    Storable,
    Field(examples=["[{{ severity | upper }}] {{ title }}"]),
]
Body = Annotated[
    str,
    StringConstraints(strip_whitespace=False, min_length=1, max_length=LONGEST_BODY),
    Storable,
    Field(examples=["{{ title }} in {{ service }}\n{{ acknowledge_url }}"]),
]


class TemplateWrite(WriteSchema):
    subject: Subject | None = Field(None, description="Left out, the built-in subject stays.")
    body: Body


class PreviewRequest(WriteSchema):
    """A wording to try, or without one the message as it reads now."""

    kind: WordedKind = Field(examples=["page"])
    channel: WordedChannel = Field(examples=["email"])
    subject: Subject | None = None
    body: Body | None = Field(
        None, description="Left out, the message is shown as it is worded now."
    )


class SampleRead(ReadSchema):
    """A message about a believable incident."""

    subject: str
    text: str


class PreviewRead(SampleRead):
    html: str | None = Field(description="For mail; null on other channels.")
    fault: str | None = Field(
        description="Why a wording that was kept is not used any more; null if it is."
    )


class TemplateRead(ReadSchema):
    kind: NotificationKind
    channel: Channel
    is_custom: bool = Field(description="Whether the wording is this installation's own.")
    subject: str | None = Field(
        description="The own wording's source; null where the built-in one stays."
    )
    body: str | None = Field(description="The own wording's source; null for the built-in one.")
    sample: SampleRead = Field(description="How it reads now.")
    fault: str | None = Field(
        description="Why the own wording is not used any more; null if it is.",
    )
    revision: int = Field(description="0 for the built-in wording.")
    updated_at: Instant | None
    updated_by: int | None = Field(description="Who worded it last.")


class TemplatesRead(ReadSchema):
    items: list[TemplateRead]


class VariableRead(ReadSchema):
    name: str = Field(examples=["title"])
    description: str
    example: str


class VariablesRead(ReadSchema):
    items: list[VariableRead]
