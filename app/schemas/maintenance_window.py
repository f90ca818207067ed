"""Times in which services are worked on."""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from app.domain.maintenance_window import WindowStatus
from app.schemas.alert import When
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.types import Flag, Key, LongText, Title

MOST_SERVICES = 100


def _distinct(ids: list[int]) -> list[int]:
    return sorted(set(ids))


ServiceIds = Annotated[
    list[Key],
    AfterValidator(_distinct),
    Field(max_length=MOST_SERVICES, description="Ids of catalogued services.", examples=[[1]]),
]


class MaintenanceWindowCreate(WriteSchema):
    title: Title = Field(examples=["New disks for the database"])
    description: LongText | None = None
    starts_at: When | None = Field(None, description="Left out: now.", examples=[None])
    ends_at: When = Field(
        description="At most 30 days after its start.", examples=["2026-12-01T04:00:00Z"]
    )
    service_ids: ServiceIds = Field([], examples=[[3]])
    is_for_everything: Flag = Field(
        default=False,
        examples=[False],
        description="For every service, catalogued or not, in place of `service_ids`. Only admins"
        " may say so.",
    )

    @model_validator(mode="after")
    def _is_for_something(self) -> "MaintenanceWindowCreate":
        if self.is_for_everything == bool(self.service_ids):
            raise ValueError("name either some `service_ids` or `is_for_everything`")
        return self


class MaintenanceWindowUpdate(WriteSchema):
    """Only the named fields are written; services are replaced as a whole."""

    title: Title | None = Field(None, examples=["New disks for the database"])
    description: LongText | None = None
    starts_at: When | None = Field(None, description="Only before it begins.")
    ends_at: When | None = Field(None, description="Only before it is over.")
    service_ids: Annotated[ServiceIds, Field(min_length=1)] | None = None

    _kept = not_null("title", "starts_at", "ends_at", "service_ids")


class MaintainedServiceRead(ReadSchema):
    id: int
    name: str


class MaintenanceWindowRead(ReadSchema):
    id: int
    title: str
    description: str | None
    status: WindowStatus
    starts_at: Instant
    ends_at: Instant = Field(description="As it was planned; `ended_at` may be before it.")
    is_for_everything: bool
    services: list[MaintainedServiceRead]
    created_by: int | None
    ended_at: Instant | None = Field(description="When somebody ended it before its time.")
    cancelled_at: Instant | None
    revision: int
    created_at: Instant
    updated_at: Instant
