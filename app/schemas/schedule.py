"""Schedules, and what people change about them for a while."""

from typing import Any

from pydantic import Field, model_validator

from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.preflight import SAVED, HoleRead
from app.schemas.rota import EXAMPLE_LAYERS, Holidays, Layers, RotaTime
from app.schemas.types import Comment, Flag, Key, LongName, LongText, TimeZone

ALLOW_GAPS = (
    "Save it although nobody would be on call at times in the next 30 days at which somebody is"
    " now."
)
ALLOW_OVERLAPS = "Save it although shifts of one layer overlap: then all of these people are on."


class ScheduleCreate(WriteSchema):
    name: LongName = Field(examples=["Databases"])
    description: LongText | None = None
    team_id: Key | None = Field(None, description="Whose it is.", examples=[None])
    time_zone: TimeZone
    layers: Layers
    holidays: Holidays = Field([])
    allow_gaps: Flag = Field(default=False, description=ALLOW_GAPS, examples=[True])
    allow_overlaps: Flag = Field(default=False, description=ALLOW_OVERLAPS)


class ScheduleUpdate(WriteSchema):
    """Only the named fields are written; layers are replaced as a whole."""

    name: LongName | None = None
    description: LongText | None = None
    team_id: Key | None = Field(None, examples=[None])
    time_zone: TimeZone | None = None
    layers: Layers | None = None
    holidays: Holidays | None = None
    allow_gaps: Flag = Field(default=False, description=ALLOW_GAPS)
    allow_overlaps: Flag = Field(default=False, description=ALLOW_OVERLAPS)

    _kept = not_null("name", "time_zone", "layers", "holidays")


class ScheduleRead(ReadSchema):
    id: int
    name: str
    description: str | None
    team_id: int | None
    time_zone: str
    layers: list[dict[str, Any]] = Field(examples=[EXAMPLE_LAYERS])
    holidays: list[int]
    revision: int
    created_at: Instant
    updated_at: Instant
    findings: list[HoleRead] | None = Field(None, description=SAVED)


class VersionRead(ReadSchema):
    """What a schedule said, from when to when."""

    number: int = Field(description="The schedule’s revision when it was saved.")
    name: str
    time_zone: str
    layers: list[dict[str, Any]] = Field(examples=[EXAMPLE_LAYERS])
    holidays: list[int]
    known_from: Instant
    known_until: Instant | None = Field(description="Null for what it says now.")
    changed_by: int | None


def _in_order(starts_at: Any, ends_at: Any) -> None:
    if starts_at is not None and ends_at <= starts_at:
        raise ValueError("ends_at must be after starts_at")


class OverrideCreate(WriteSchema):
    """Somebody who is on call instead: of everybody, or of one person wherever they would be."""

    user_id: Key = Field(description="Who is on call.", examples=[7])
    starts_at: RotaTime | None = Field(
        None, description="Left out, or in the past: from now on.", examples=[None]
    )
    ends_at: RotaTime = Field(examples=["2199-01-01T00:00:00Z"])
    replaces: Key | None = Field(
        None,
        description="Only where this person would be on call; left out, whoever would be.",
        examples=[None],
    )
    reason: Comment | None = Field(None, examples=["Ana is at the dentist’s."])

    @model_validator(mode="after")
    def _has_length(self) -> "OverrideCreate":
        _in_order(self.starts_at, self.ends_at)
        if self.replaces == self.user_id:
            raise ValueError("replaces must be somebody else than user_id")
        return self


class OverrideRead(ReadSchema):
    id: int
    schedule_id: int
    user_id: int
    replaces: int | None
    starts_at: Instant
    ends_at: Instant
    reason: str | None
    created_by: int | None
    created_at: Instant
    removed_at: Instant | None = Field(description="From then on it no longer counts.")
    removed_by: int | None


class TemporaryCreate(WriteSchema):
    """Other layers for a while; their gaps are gaps."""

    starts_at: RotaTime | None = Field(
        None, description="Left out, or in the past: from now on.", examples=[None]
    )
    ends_at: RotaTime = Field(examples=["2199-01-01T00:00:00Z"])
    layers: Layers
    reason: Comment | None = Field(None, examples=["Release week"])
    allow_gaps: Flag = Field(default=False, description=ALLOW_GAPS, examples=[True])
    allow_overlaps: Flag = Field(default=False, description=ALLOW_OVERLAPS)

    @model_validator(mode="after")
    def _has_length(self) -> "TemporaryCreate":
        _in_order(self.starts_at, self.ends_at)
        return self


class TemporaryRead(ReadSchema):
    id: int
    schedule_id: int
    starts_at: Instant
    ends_at: Instant
    layers: list[dict[str, Any]] = Field(examples=[EXAMPLE_LAYERS])
    reason: str | None
    created_by: int | None
    created_at: Instant
    removed_at: Instant | None = Field(description="From then on it no longer counts.")
    removed_by: int | None
