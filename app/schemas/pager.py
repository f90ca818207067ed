"""Taking the pager now, and giving it back."""

from pydantic import Field, model_validator

from app.schemas.base import Instant, ReadSchema, WriteSchema


class PagerTake(WriteSchema):
    """Until when; left out, until the next hand-off."""

    for_minutes: int | None = Field(None, ge=1, le=31 * 24 * 60, examples=[120])
    until: Instant | None = Field(None, examples=["2026-12-25T08:00:00Z"])

    @model_validator(mode="after")
    def _one_end(self) -> "PagerTake":
        if self.for_minutes is not None and self.until is not None:
            raise ValueError("give `for_minutes` or `until`, not both")
        return self


class PagerRead(ReadSchema):
    """Who has the pager now, and since when they have taken it."""

    override_id: int
    schedule_id: int
    user_id: int
    starts_at: Instant
    ends_at: Instant
    relieved: list[int] = Field(description="Who was on call a moment before, and is told.")


class PagerGivenBack(ReadSchema):
    schedule_id: int
    on_call: list[int] = Field(description="Who is on call now; empty: nobody.", examples=[[2]])
