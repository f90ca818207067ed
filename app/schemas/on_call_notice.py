"""What a person wants to be told of their duty."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, computed_field

from app.domain.notification import Channel
from app.domain.on_call_notice import LONGEST_LEAD
from app.schemas.base import ReadSchema, WriteSchema, not_null, revision_of
from app.schemas.types import Flag, NumberOnly

MOST_MINUTES = int(LONGEST_LEAD.total_seconds() // 60)


def _once(channels: list[Channel]) -> list[Channel]:
    return list(dict.fromkeys(channels))


class OnCallNoticesWrite(WriteSchema):
    """Only the named fields are written."""

    start: Flag | None = None
    end: Flag | None = None
    change: Flag | None = None
    reminder_minutes: Annotated[int, Field(ge=1, le=MOST_MINUTES), NumberOnly] | None = Field(
        None, description="Before a duty begins; null: no reminder.", examples=[60]
    )
    channels: (
        Annotated[
            list[Channel], Field(min_length=1, max_length=len(Channel)), AfterValidator(_once)
        ]
        | None
    ) = Field(None, examples=[["email", "push"]])

    _kept = not_null("start", "end", "change", "channels")

    def wanted(self) -> dict[str, Any]:
        named = self.model_dump(exclude_unset=True)
        if "channels" in named:
            named["channels"] = tuple(named["channels"])
        return named


class OnCallNoticesRead(ReadSchema):
    """When somebody is told of their duty, and over which channels."""

    start: bool = Field(description="When it begins, with the hand-off brief in short.")
    end: bool = Field(description="When it ends.")
    change: bool = Field(
        description="When somebody else changes who is on call in the next 24 hours."
    )
    reminder_minutes: int | None = Field(description="Before it begins; null: no reminder.")
    channels: list[Channel] = Field(
        description="Every verified contact method of these channels that is not switched off."
    )

    @computed_field(description="Another number for other wishes; for `If-Match`.")  # type: ignore[prop-decorator]
    @property
    def revision(self) -> int:
        return revision_of(self.start, self.end, self.change, self.reminder_minutes, self.channels)
