"""Maintenance that the public is told of, as those who tell it see it."""

from typing import Annotated

from pydantic import AfterValidator, Field

from app.domain.public_maintenance import MaintenanceStatus
from app.schemas.alert import When
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.public_update import BODY, MOST_COMPONENTS, PublicText
from app.schemas.types import Flag, Key, Title


def _sorted(ids: list[int]) -> list[int]:
    return sorted(set(ids))


ComponentIds = Annotated[
    list[Key],
    AfterValidator(_sorted),
    Field(
        max_length=MOST_COMPONENTS,
        description="Components that are under maintenance while it is under way.",
        examples=[[1]],
    ),
]


class PublicMaintenanceCreate(WriteSchema):
    title: Title = Field(examples=["New disks for the database"])
    body: PublicText = Field(
        description=BODY, examples=["Checkout will be read-only for ten minutes."]
    )
    scheduled_for: When = Field(examples=["2027-01-31T02:00:00Z"])
    scheduled_until: When = Field(examples=["2027-01-31T03:00:00Z"])
    component_ids: ComponentIds = Field([])
    starts_itself: Flag = Field(default=True, description="At its time.", examples=[True])
    ends_itself: Flag = Field(default=True, description="At its time.", examples=[True])
    notifies: Flag = Field(
        default=True, description="Whether subscribers are told.", examples=[True]
    )


class PublicMaintenanceUpdate(WriteSchema):
    """Only the named fields are written; components are replaced as a whole."""

    title: Title | None = Field(None, examples=["New disks for the database"])
    scheduled_for: When | None = Field(None, description="Only before it begins.")
    scheduled_until: When | None = Field(None, description="Only before it is over.")
    component_ids: ComponentIds | None = None
    starts_itself: Flag | None = Field(None, examples=[True])
    ends_itself: Flag | None = Field(None, examples=[True])

    _kept = not_null(
        "title", "scheduled_for", "scheduled_until", "component_ids", "starts_itself", "ends_itself"
    )


class NamedComponentRead(ReadSchema):
    id: int = Field(examples=[1])
    name: str = Field(examples=["Checkout"])


class PublicMaintenanceRead(ReadSchema):
    """A maintenance that the public was told of, as those who tell it see it."""

    id: int
    code: str = Field(
        description="What the public knows it by.", examples=["9f86d081884c7d659a2feaa0"]
    )
    title: str
    status: MaintenanceStatus
    components: list[NamedComponentRead]
    scheduled_for: Instant
    scheduled_until: Instant
    starts_itself: bool
    ends_itself: bool
    started_at: Instant | None
    completed_at: Instant | None
    created_by: int | None
    revision: int
    created_at: Instant
    updated_at: Instant
