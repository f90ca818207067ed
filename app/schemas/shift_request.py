"""Shift requests: what is asked for, and what became of it."""

from pydantic import Field, model_validator

from app.domain.shift_request import RequestKind, RequestStatus
from app.domain.timeline import Interval
from app.schemas.base import Instant, ReadSchema, WriteSchema
from app.schemas.types import Key, PageMessage

STARTS = "2026-12-24T08:00:00Z"
ENDS = "2026-12-25T08:00:00Z"


class SpanWrite(WriteSchema):
    """A time, without its end."""

    starts_at: Instant = Field(examples=["2026-12-31T08:00:00Z"])
    ends_at: Instant = Field(examples=["2027-01-01T08:00:00Z"])

    @model_validator(mode="after")
    def _lasts(self) -> "SpanWrite":
        if self.ends_at <= self.starts_at:
            raise ValueError("`ends_at` must come after `starts_at`")
        return self

    def interval(self) -> Interval:
        return Interval(self.starts_at, self.ends_at)


class ShiftRequestCreate(WriteSchema):
    """Cover for a shift of one's own, or a part of it; with `wanted` it is a swap."""

    schedule_id: Key = Field(examples=[1])
    starts_at: Instant = Field(examples=[STARTS])
    ends_at: Instant = Field(examples=[ENDS])
    asked_of: Key | None = Field(
        None, description="Who is asked; null: anybody. A swap names somebody.", examples=[2]
    )
    wanted: SpanWrite | None = Field(
        None, description="The shift of theirs that you would take in return: makes it a swap."
    )
    message: PageMessage | None = Field(None, examples=["My sister marries."])

    @model_validator(mode="after")
    def _whole(self) -> "ShiftRequestCreate":
        if self.ends_at <= self.starts_at:
            raise ValueError("`ends_at` must come after `starts_at`")
        if self.wanted is not None and self.asked_of is None:
            raise ValueError("a swap names somebody: give `asked_of`")
        return self


class ShiftRequestRead(ReadSchema):
    id: int
    schedule_id: int
    kind: RequestKind
    status: RequestStatus = Field(
        description="`stale`: the schedule was edited and the shift is no longer theirs."
    )
    asked_by: int
    asked_of: int | None = Field(description="Null: anybody.")
    starts_at: Instant
    ends_at: Instant
    wanted_from: Instant | None = Field(description="Of a swap: the shift that is taken in return.")
    wanted_until: Instant | None
    message: str | None
    expires_at: Instant = Field(description="From then on nobody can take it.")
    taken_by: int | None
    settled_at: Instant | None = Field(description="When it became what it is; null while open.")
    override_id: int | None = Field(description="The override that taking it wrote.")
    return_override_id: int | None = Field(description="Of a swap: the other one.")
    revision: int
    created_at: Instant
    updated_at: Instant
