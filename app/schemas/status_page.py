"""The status page's settings."""

from typing import Annotated

from pydantic import AfterValidator, Field

from app.domain.incident import Severity
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.types import Flag, HttpUrl, LongText, Name, NumberOnly, SeverityWord, TimeZone

LONGEST_WAIT = 7 * 24 * 60

Minutes = Annotated[int, Field(ge=5, le=LONGEST_WAIT), NumberOnly]


def _by_name(minutes: dict[Severity, int]) -> dict[Severity, int]:
    return {severity: minutes[severity] for severity in Severity if severity in minutes}


UpdateMinutes = Annotated[
    dict[SeverityWord, Minutes],
    AfterValidator(_by_name),
    Field(
        max_length=len(Severity),
        description="After how many minutes the public is to hear again, by the incident's"
        " severity. One that is left out has no clock.",
        examples=[{"critical": 30, "high": 60}],
    ),
]


class StatusPageUpdate(WriteSchema):
    """Only the named fields are written."""

    name: Name | None = Field(None, examples=["Example Status"])
    url: HttpUrl | None = Field(
        None,
        description="Where the public reaches the page, if that is not where Tocsin is.",
        examples=["https://status.example.org"],
    )
    description: LongText | None = Field(None, examples=["How our services are."])
    support_url: HttpUrl | None = Field(None, examples=["https://example.org/help"])
    time_zone: TimeZone | None = Field(None, description="Whose days the page has.")
    shows_authors: Flag | None = Field(
        None, description="Whether updates say who wrote them.", examples=[False]
    )
    update_minutes: UpdateMinutes | None = None

    _kept = not_null("name", "time_zone", "shows_authors", "update_minutes")


class StatusPageRead(ReadSchema):
    name: str = Field(examples=["Example Status"])
    url: str | None = Field(examples=["https://status.example.org"])
    description: str | None = Field(examples=["How our services are."])
    support_url: str | None = Field(examples=["https://example.org/help"])
    time_zone: str = Field(examples=["Europe/Berlin"])
    shows_authors: bool
    update_minutes: dict[str, int] = Field(examples=[{"critical": 30, "high": 60}])
    revision: int
    updated_at: Instant
