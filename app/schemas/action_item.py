"""What was promised after an incident."""

from datetime import date

from pydantic import Field

from app.domain.action_item import ActionItemPriority, ActionItemState
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.postmortem import PostmortemPersonRead
from app.schemas.types import Day, HttpUrl, Key, LongText, Title

DUE_HELP = "A day on the clock of whoever owns it; they are reminded the day before and after."


class ActionItemUpdate(WriteSchema):
    """Only the named fields are written."""

    title: Title | None = Field(None, examples=["Remove archived logs every night"])
    description: LongText | None = Field(None, examples=["Keep seven days of them."])
    state: ActionItemState | None = Field(None, examples=["in_progress"])
    priority: ActionItemPriority | None = Field(None, examples=["high"])
    owner_id: Key | None = Field(None, description="Null: nobody yet.", examples=[1])
    due_on: Day | None = Field(None, description=DUE_HELP, examples=["2026-12-01"])
    url: HttpUrl | None = Field(None, description="Where the work is tracked.")

    _kept = not_null("title", "state", "priority")


class ActionItemCreate(WriteSchema):
    title: Title = Field(examples=["Remove archived logs every night"])
    description: LongText | None = Field(None, examples=["Keep seven days of them."])
    state: ActionItemState = Field(ActionItemState.OPEN, examples=["open"])
    priority: ActionItemPriority = Field(ActionItemPriority.MEDIUM, examples=["medium"])
    owner_id: Key | None = Field(None, description="Left out: nobody yet.", examples=[1])
    due_on: Day | None = Field(None, description=DUE_HELP, examples=["2026-12-01"])
    url: HttpUrl | None = Field(None, description="Where the work is tracked.")


class ActionItemAboutRead(ReadSchema):
    """The postmortem that it came from."""

    id: int = Field(examples=[3])
    incident_id: int = Field(examples=[7])
    title: str = Field(examples=["Checkout failed while the disk was full"])


class ActionItemRead(ReadSchema):
    id: int = Field(examples=[12])
    postmortem: ActionItemAboutRead
    title: str = Field(examples=["Remove archived logs every night"])
    description: str | None
    state: ActionItemState
    priority: ActionItemPriority
    owner: PostmortemPersonRead | None
    due_on: date | None = Field(examples=["2026-12-01"])
    url: str | None
    created_by: int | None
    finished_at: Instant | None = Field(description="When it was done, or dropped.")
    created_at: Instant
    updated_at: Instant
    revision: int
