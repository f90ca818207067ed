"""What the public is told of an incident, as those who tell it see it."""

from pydantic import Field

from app.domain.public_incident import Impact, PublicStatus
from app.domain.status_component import ComponentStatus
from app.schemas.alert import When
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.public_update import BODY, Promise, PublicText, Said
from app.schemas.types import Flag, Title


class PublicIncidentCreate(Said):
    """How an incident is told to the public for the first time."""

    title: Title = Field(
        description="For the public; the incident's own title stays inside.",
        examples=["Checkout is slow"],
    )
    body: PublicText = Field(description=BODY, examples=["We are looking into it."])
    status: PublicStatus = PublicStatus.INVESTIGATING
    started_at: When | None = Field(
        None, description="Left out: when the incident was opened.", examples=[None]
    )
    notifies: Flag = Field(
        default=True, description="Whether subscribers are told.", examples=[True]
    )


class PublicIncidentUpdate(WriteSchema):
    """Only the named fields are written, without a word to the public about it."""

    title: Title | None = Field(None, examples=["Checkout is slow"])
    impact: Impact | None = Field(None, examples=["minor"])
    started_at: When | None = None
    next_update_minutes: Promise | None = None

    _kept = not_null("title", "impact", "started_at", "next_update_minutes")


class ComponentEffectRead(ReadSchema):
    id: int = Field(examples=[1])
    name: str = Field(examples=["Checkout"])
    status: ComponentStatus = Field(examples=["partial_outage"])


class PublicIncidentRead(ReadSchema):
    """A published incident, as those who work on it see it."""

    id: int
    incident_id: int
    code: str = Field(
        description="What the public knows it by.", examples=["9f86d081884c7d659a2feaa0"]
    )
    title: str
    status: PublicStatus
    impact: Impact
    components: list[ComponentEffectRead]
    started_at: Instant
    identified_at: Instant | None
    monitoring_at: Instant | None
    resolved_at: Instant | None
    next_update_due_at: Instant | None = Field(
        description="By when the public was promised to hear again."
    )
    created_by: int | None
    revision: int
    created_at: Instant
    updated_at: Instant
