"""Secret addresses under which shifts can be subscribed to."""

from pydantic import Field

from app.schemas.base import Instant, ReadSchema, WriteSchema
from app.schemas.types import Name

EXAMPLE = "https://tocsin.example.org/v1/calendar/mQ3pXvT2hE8kJrY7sLw0aZcN4bUdF6gHi1o.ics"


class CalendarFeedCreate(WriteSchema):
    name: Name = Field(description="What will read it.", examples=["Phone"])


class CalendarFeedRead(ReadSchema):
    id: int
    user_id: int = Field(description="Whose it is; it ends when their account is closed.")
    schedule_id: int | None = Field(description="Null: the owner’s own shifts.")
    name: str
    hint: str = Field(description="How its token begins.", examples=["mQ3pXvT2"])
    created_at: Instant
    last_used_at: Instant | None = Field(description="To the hour.")
    revoked_at: Instant | None


class CalendarFeedCreated(CalendarFeedRead):
    url: str = Field(
        description="Shown this once. Whoever has it sees the shifts, without a login.",
        examples=[EXAMPLE],
    )
