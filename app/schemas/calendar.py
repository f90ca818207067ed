"""Calendars of others that schedules follow."""

from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from app.domain.calendar import MOST_BYTES, CalendarKind, CalendarState
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.types import HttpUrl, Name, Storable, TimeZone

EXAMPLE_URL = "https://calendar.example.org/ical/holidays.ics"
EXAMPLE_ICAL = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//EN\r\nBEGIN:VEVENT\r\nUID:new-year\r\n"
    "DTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:20270101\r\nSUMMARY:New Year\r\n"
    "RRULE:FREQ=YEARLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def _by_https(url: object) -> object:
    """`webcal:` is how programs write https when they mean a calendar."""
    if isinstance(url, str) and url[:9].lower() == "webcal://":
        return f"https://{url[9:]}"
    return url


CalendarUrl = Annotated[
    HttpUrl,
    BeforeValidator(_by_https),
    Field(
        description="Where the calendar is: `https:`, `http:` or `webcal:`. It is asked again every"
        " quarter of an hour. It is a secret, and only its host is ever shown.",
        examples=[EXAMPLE_URL],
    ),
]
Ical = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MOST_BYTES,
        description="The calendar itself, as an iCalendar file has it, in the place of a URL.",
        examples=[EXAMPLE_ICAL],
    ),
    Storable,
]
Zone = Annotated[
    TimeZone, Field(description="Of days, and of times that name no zone of their own.")
]


class CalendarCreate(WriteSchema):
    """A calendar at a URL, or one that is uploaded."""

    name: Name = Field(examples=["Holidays in Berlin"])
    kind: CalendarKind = Field(description="What schedules take from it.")
    url: CalendarUrl | None = None
    ical: Ical | None = Field(None, examples=[None])
    time_zone: Zone

    @model_validator(mode="after")
    def _one_source(self) -> "CalendarCreate":
        if (self.url is None) == (self.ical is None):
            raise ValueError("needs either `url` or `ical`, and not both")
        return self


class CalendarUpdate(WriteSchema):
    """Only the named fields are written. A URL takes the place of a file, and the other way."""

    name: Name | None = None
    url: CalendarUrl | None = None
    ical: Ical | None = Field(None, examples=[None])
    time_zone: Zone | None = None

    _kept = not_null("name", "url", "ical", "time_zone")

    @model_validator(mode="after")
    def _one_source(self) -> "CalendarUpdate":
        if self.url is not None and self.ical is not None:
            raise ValueError("needs either `url` or `ical`, and not both")
        return self


class CalendarRead(ReadSchema):
    id: int
    name: str
    kind: CalendarKind
    url: str | None = Field(
        validation_alias="place",
        description="Where it is; what follows the host is a secret, and is never shown. Null: it"
        " was uploaded.",
        examples=["https://calendar.example.org/…"],
    )
    time_zone: str
    state: CalendarState = Field(
        description="`failing`: it cannot be had or read, and what it said last counts."
    )
    fetched_at: Instant | None = Field(description="When it was last had and understood.")
    next_fetch_at: Instant | None = Field(description="When it is looked at next.")
    failing_since: Instant | None
    last_error: str | None = Field(examples=[None])
    created_by: int | None
    revision: int
    created_at: Instant
    updated_at: Instant


class UnmatchedRead(ReadSchema):
    """Shifts to come that are nobody’s here."""

    mail: str | None = Field(
        description="The address that they name; null: none.", examples=["ana@example.com"]
    )
    summary: str = Field(description="What the first of them is called.", examples=["Ana on call"])
    shift_count: int
    first_starts_at: Instant


class CalendarDetailRead(CalendarRead):
    entries_ahead: int = Field(description="How many of its entries are not over.")
    faults: list[str] = Field(
        description="Entries that could not be understood, and why: the first 20.",
        examples=[["Line 12 (“Ana on call”): it has no DTSTART."]],
    )
    unmatched: list[UnmatchedRead] = Field(
        description="Of what is not over, all that is nobody’s here: the first 100. Give a person"
        " this mail address, or mend the calendar."
    )


class CalendarShiftRead(ReadSchema):
    """A time that a calendar names."""

    id: int
    uid: str
    starts_at: Instant
    ends_at: Instant
    summary: str = Field(examples=["Ana on call"])
    mail: str | None = Field(examples=["ana@example.org"])
    user_id: int | None = Field(description="Whose mail address it is; null: nobody’s here.")
    seen_from: Instant = Field(description="Since when the calendar says so.")
