"""What the public is told, as those who tell it see it."""

from typing import Annotated

from pydantic import AfterValidator, Field

from app.domain.public_incident import Impact, PublicStatus
from app.domain.public_maintenance import MaintenanceStatus
from app.domain.public_update import UpdateStatus
from app.domain.status_component import ComponentStatus
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.types import Flag, Key, NumberOnly, Storable

MOST_COMPONENTS = 100
LONGEST_PROMISE = 7 * 24 * 60

PublicText = Annotated[str, Field(min_length=1, max_length=10_000), Storable]
BODY = "Markdown, for the public: everybody reads it."


class ComponentEffect(WriteSchema):
    """What an incident does to a component."""

    id: Key = Field(examples=[1])
    status: ComponentStatus = Field(examples=["partial_outage"])


def _distinct(effects: list[ComponentEffect]) -> list[ComponentEffect]:
    if len({effect.id for effect in effects}) < len(effects):
        raise ValueError("names a component twice")
    return effects


ComponentEffects = Annotated[
    list[ComponentEffect],
    AfterValidator(_distinct),
    Field(
        max_length=MOST_COMPONENTS,
        description="What it does to components as long as it is not over; those that are not"
        " named stay as they are, `operational` means nothing any more.",
        examples=[[{"id": 1, "status": "partial_outage"}]],
    ),
]
Promise = Annotated[
    int,
    Field(
        ge=0,
        le=LONGEST_PROMISE,
        description="In how many minutes the public is to hear again: 0 promises nothing, left out"
        " is as the page says for the severity.",
        examples=[30],
    ),
    NumberOnly,
]


class Said(WriteSchema):
    """What an act changes besides what it says."""

    components: ComponentEffects = Field([])
    impact: Impact | None = Field(None, description="Left out: as it is.", examples=["minor"])
    next_update_minutes: Promise | None = None


class IncidentUpdateCreate(Said):
    """An update about a published incident."""

    body: PublicText = Field(description=BODY, examples=["We have found the cause."])
    status: PublicStatus | None = Field(
        None,
        description="What it becomes for the public; left out, it stays. `resolved` resolves the"
        " incident, `investigating` after it reopens it.",
        examples=["identified"],
    )
    notifies: Flag = Field(
        default=True, description="Whether subscribers are told.", examples=[True]
    )
    is_draft: Flag = Field(
        default=False,
        description="Kept, and shown to nobody outside until it is posted. Components, impact and"
        " the clock are named when it is.",
        examples=[False],
    )


class MaintenanceUpdateCreate(WriteSchema):
    """An update about a public maintenance."""

    body: PublicText = Field(description=BODY, examples=["The disks are in."])
    status: MaintenanceStatus | None = Field(
        None, description="What it becomes; left out, it stays.", examples=["verifying"]
    )
    notifies: Flag = Field(
        default=True, description="Whether subscribers are told.", examples=[True]
    )
    is_draft: Flag = Field(
        default=False,
        description="Kept, and shown to nobody outside until it is posted.",
        examples=[False],
    )


class PublicUpdateUpdate(WriteSchema):
    """Only the named fields are written; of what was posted, only what it says."""

    body: PublicText | None = Field(None, description=BODY, examples=["We found the cause."])
    status: UpdateStatus | None = Field(None, description="Of a draft.", examples=["identified"])
    notifies: Flag | None = Field(None, description="Of a draft.", examples=[True])

    _kept = not_null("body", "status", "notifies")


class ComponentChangeRead(ReadSchema):
    """What became of a component with an update."""

    id: int = Field(examples=[1])
    name: str = Field(examples=["Checkout"])
    before: ComponentStatus = Field(examples=["operational"])
    after: ComponentStatus = Field(examples=["partial_outage"])


class PublicUpdateRead(ReadSchema):
    """One update, posted or not."""

    id: int
    public_incident_id: int | None = Field(description="Null where it is about a maintenance.")
    public_maintenance_id: int | None = Field(description="Null where it is about an incident.")
    status: UpdateStatus
    body: str = Field(description="Markdown.")
    changes: list[ComponentChangeRead] = Field(description="What became of components with it.")
    notifies: bool
    posted_at: Instant | None = Field(description="Null: a draft.")
    edited_at: Instant | None
    withdrawn_at: Instant | None = Field(description="Since when the public sees it no more.")
    author_id: int | None = Field(description="Null: Tocsin itself.")
    revision: int
    created_at: Instant
    updated_at: Instant


class PublicUpdateVersionRead(ReadSchema):
    """What an update said before somebody edited it."""

    number: int = Field(description="From 1, the oldest.", examples=[1])
    body: str
    replaced_at: Instant
    replaced_by: int | None


def effects_of(said: Said) -> dict[int, ComponentStatus]:
    """Components by id, with what becomes of them."""
    return {effect.id: effect.status for effect in said.components}
