"""Events on the wire. What the public is told has types of its own (promise 7)."""

from typing import Any

from pydantic import Field

from app.domain.event import EventType
from app.schemas.base import Instant, ReadSchema, WriteSchema


class EventRead(ReadSchema):
    """One event of the change feed, as people who log in see it."""

    id: int = Field(
        description="Its place in the feed, which never goes backwards; a bookmark.",
        validation_alias="position",
        examples=[4711],
    )
    type: EventType
    incident_id: int | None = Field(examples=[7])
    service: str | None = Field(description="The incident's, when it happened.")
    severity: str | None = Field(description="The incident's, when it happened.")
    data: dict[str, Any] = Field(
        description="`title` of the incident, `entry` of its timeline with its `description`,"
        " `user_id` of who did it (null: Tocsin), `is_drill`.",
        examples=[
            {
                "incident_id": 7,
                "title": "Disk full",
                "entry": "acknowledged",
                "description": "Ana acknowledged the incident.",
                "user_id": 3,
                "is_drill": False,
            }
        ],
    )
    created_at: Instant


class PublicNews(WriteSchema):
    """What the public is to be told: nothing but what was written for it."""

    type: EventType
    public_id: str = Field(max_length=100, description="What it is about, on the status page.")
    title: str = Field(max_length=255)
    status: str | None = Field(None, max_length=50)
    body: str | None = Field(None, max_length=10_000)
    components: list[str] = Field(default_factory=list, max_length=100)


class PublicDataRead(ReadSchema):
    """What happened, in the words that were written for the public."""

    public_id: str = Field(examples=["inc_8fGk2"])
    title: str = Field(examples=["Checkout is slow"])
    status: str | None = Field(examples=["investigating"])
    body: str | None = Field(examples=["We are looking into it."])
    components: list[str] = Field(examples=[["Checkout"]])


class PublicEventRead(ReadSchema):
    """One event of the change feed, as everybody sees it."""

    id: int = Field(
        description="Its place in the feed, which never goes backwards; a bookmark.",
        validation_alias="position",
        examples=[4711],
    )
    type: EventType
    data: PublicDataRead
    created_at: Instant


class StreamTicketRead(ReadSchema):
    """What opens a stream where no header can be sent."""

    ticket: str = Field(examples=["AAAAAAAAAAcAAAAA…"])
    expires_in: int = Field(description="Seconds.", examples=[60])
