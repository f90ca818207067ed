"""What came from monitoring tools, and what became of it."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

from app.domain.integration import AlertOutcome, IntegrationKind
from app.schemas.base import Instant, ReadSchema
from app.schemas.types import Storable

DedupKey = Annotated[str, Field(min_length=1, max_length=255), Storable]


def _dated(value: object) -> object:
    if isinstance(value, str) and not re.match(r"\d{4}-\d\d-\d\d", value):
        raise ValueError("must be a time such as 2027-01-31T08:00:00Z")
    return value


# In an address everything is text, and a number would be taken for seconds since 1970.
When = Annotated[Instant, BeforeValidator(_dated)]


class AlertSourceRead(ReadSchema):
    """The integration that an alert came through."""

    id: int
    name: str = Field(examples=["Kibana"])
    kind: IntegrationKind


class AlertRead(ReadSchema):
    """One alert and what became of it."""

    id: int
    summary: str = Field(
        description="What became of it, in a sentence.", examples=["Opened incident #12."]
    )
    outcome: AlertOutcome
    reason: str | None = Field(
        description="Why it could not be read, or why nobody was paged for it when it came:"
        " maintenance of its service.",
        examples=[None],
    )
    incident_id: int | None = Field(examples=[12])
    held_until: Instant | None = Field(
        description="Its incident came in a storm: nobody is paged for it before then."
    )
    integration: AlertSourceRead
    title: str | None = Field(examples=["Disk full on db1"])
    dedup_key: str | None = Field(examples=["disk-full:db1"])
    received_at: Instant
    request_id: str | None = Field(description="What came in one request has one.")
    has_body: bool = Field(description="Whether the body it came in is still kept.")
    body_size: int | None = Field(
        description="The size in bytes of the body it came in, all of it; null if that was"
        " never noted."
    )
    replay_of: int | None = Field(
        description="The alert whose body somebody had read again, which made this one."
    )
    replays: list[int] = Field(
        description="The alerts that came of reading its body again, newest first; at most 100."
    )
