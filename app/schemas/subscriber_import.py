"""Files of subscribers, and how far each was taken in."""

from pydantic import Field

from app.domain.subscriber_import import ImportState
from app.schemas.base import Instant, ReadSchema


class SubscriberImportRead(ReadSchema):
    """A file, and what became of its lines so far."""

    id: int
    name: str = Field(examples=["customers.csv"])
    state: ImportState
    have_agreed: bool = Field(
        description="Whoever sent it has their consent: they are told without following a link."
    )
    lines: int = Field(examples=[1200])
    taken: int = Field(description="How many lines were looked at.", examples=[1200])
    added: int = Field(examples=[1180])
    known: int = Field(
        description="Addresses that were there already, or twice in the file; they stay as they"
        " are.",
        examples=[15],
    )
    refused: int = Field(description="Lines that the report names.", examples=[5])
    created_by: int | None
    created_at: Instant
    finished_at: Instant | None
