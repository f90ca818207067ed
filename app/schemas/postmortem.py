"""Postmortems, as people who log in write and read them."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, AliasPath, Field, computed_field, model_validator

from app.domain.incident import IncidentStatus, Severity
from app.domain.postmortem import (
    MOST_PICKED,
    MOST_REVIEWERS,
    PostmortemAction,
    PostmortemStatus,
    allowed,
)
from app.schemas.alert import When
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.types import Flag, Key, Storable, Title

LONGEST_SECTION = 20_000
SectionText = Annotated[str, Field(max_length=LONGEST_SECTION), Storable]
PUBLIC_HELP = "Markdown. The only text of it that the public ever reads."
EXAMPLE_SECTIONS = {
    "summary": "The database ran out of disk space, and checkout failed for 43 minutes.",
    "impact": "One order in five was lost.",
    "root_cause": "Archived logs were never removed.",
    "went_well": "The alert came within a minute.",
    "went_badly": "Nobody knew the runbook.",
    "lessons": "Disks fill by the hour, not by the day.",
}


def _section(name: str) -> Any:
    return Field(None, description="Markdown.", examples=[EXAMPLE_SECTIONS[name]])


def _once(keys: list[int]) -> list[int]:
    return sorted(set(keys))


class PostmortemEntryWrite(WriteSchema):
    """An entry of the incident's timeline, or one in words of one's own."""

    event_id: Key | None = Field(
        None,
        description="An entry of the incident's timeline; what it says is copied. Without it:"
        " `happened_at` and `description`.",
        examples=[71],
    )
    happened_at: When | None = Field(None, examples=["2026-11-21T02:58:00Z"])
    description: Annotated[str, Field(max_length=1000), Storable] | None = Field(
        None, examples=["The nightly import began."]
    )
    note: Annotated[str, Field(max_length=2000), Storable] | None = Field(
        None, description="What it meant, seen from here.", examples=["This filled the disk."]
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.event_id is None and not (self.happened_at and self.description):
            raise ValueError("needs an event_id, or happened_at and description")
        return self


Timeline = Annotated[
    list[PostmortemEntryWrite],
    Field(max_length=MOST_PICKED, description="All of it; it is put in order by time."),
]
Reviewers = Annotated[
    list[Key],
    Field(max_length=MOST_REVIEWERS, description="All of them, by user.", examples=[[2, 3]]),
    AfterValidator(_once),
]


class PostmortemUpdate(WriteSchema):
    """Only the named fields are written."""

    title: Title | None = Field(None, examples=["Checkout failed while the disk was full"])
    summary: SectionText | None = _section("summary")
    impact: SectionText | None = _section("impact")
    root_cause: SectionText | None = _section("root_cause")
    went_well: SectionText | None = _section("went_well")
    went_badly: SectionText | None = _section("went_badly")
    lessons: SectionText | None = _section("lessons")
    timeline: Timeline | None = None
    owner_id: Key | None = Field(None, description="Null: nobody.", examples=[1])
    reviewers: Reviewers | None = None
    public_summary: SectionText | None = Field(
        None, description=PUBLIC_HELP, examples=["Checkout failed for 43 minutes."]
    )
    public_body: SectionText | None = Field(
        None, description=PUBLIC_HELP, examples=["A disk was full. We check for that now."]
    )

    _kept = not_null(
        "title",
        "summary",
        "impact",
        "root_cause",
        "went_well",
        "went_badly",
        "lessons",
        "timeline",
        "reviewers",
        "public_summary",
        "public_body",
    )

    def named(self) -> dict[str, Any]:
        """The fields that were sent, as the service takes them."""
        return self.model_dump(mode="json", exclude_unset=True)


class PostmortemCreate(PostmortemUpdate):
    """What is left out comes from the template, and from the incident's own timeline."""


class PostmortemPublish(WriteSchema):
    """Whether it goes to the public, too."""

    is_public: Flag = Field(
        default=False,
        description="Show `public_summary` and `public_body` on the status page. The incident"
        " must have been published there.",
        examples=[False],
    )
    tell_subscribers: Flag = Field(
        default=True,
        description="Tell the incident's subscribers when it goes to the public; they are told"
        " once, however often it is published.",
        examples=[True],
    )


class PostmortemPersonRead(ReadSchema):
    user_id: int = Field(validation_alias="id", examples=[1])
    name: str = Field(validation_alias="display_name", examples=["Ana"])


class PostmortemReviewerRead(ReadSchema):
    user_id: int = Field(examples=[2])
    name: str = Field(validation_alias=AliasPath("user", "display_name"), examples=["Ben"])
    asked_at: Instant | None = Field(description="When a review was asked for last.")
    approved_at: Instant | None


class PostmortemIncidentRead(ReadSchema):
    """The incident that it is about."""

    id: int = Field(examples=[7])
    title: str = Field(examples=["Disk full"])
    service: str = Field(examples=["database"])
    severity: Severity
    status: IncidentStatus
    opened_at: Instant = Field(validation_alias="created_at")
    resolved_at: Instant | None


class PostmortemEntryRead(ReadSchema):
    event_id: int | None = Field(description="Null: in words of its authors.", examples=[71])
    happened_at: Instant
    description: str = Field(examples=["Ana acknowledged the incident."])
    note: str = Field(examples=["Nobody had seen the page before."])


class PostmortemRowRead(ReadSchema):
    """A postmortem in a list: who has it and how far it is."""

    id: int = Field(examples=[3])
    incident: PostmortemIncidentRead
    title: str = Field(examples=["Checkout failed while the disk was full"])
    status: PostmortemStatus
    owner: PostmortemPersonRead | None
    reviewers: list[PostmortemReviewerRead] = Field(validation_alias="reviews")
    is_public: bool
    submitted_at: Instant | None
    published_at: Instant | None
    amended_at: Instant | None
    created_at: Instant
    updated_at: Instant


class PostmortemRead(PostmortemRowRead):
    summary: str
    impact: str
    root_cause: str
    went_well: str
    went_badly: str
    lessons: str
    timeline: list[PostmortemEntryRead]
    created_by: int | None
    published_by: int | None
    public_summary: str
    public_body: str
    public_at: Instant | None = Field(description="When it first went to the public.")
    subscribers_told_at: Instant | None
    revision: int

    @computed_field(description="What may be done with it now.")  # type: ignore[prop-decorator]
    @property
    def allowed(self) -> list[PostmortemAction]:
        return allowed(self.status)


class PostmortemVersionRead(ReadSchema):
    """What a published postmortem said from then on."""

    revision: int = Field(examples=[4])
    edited_by: int | None = Field(examples=[1])
    edited_at: Instant
    document: dict[str, Any] = Field(
        description="Title, sections, timeline and the public's text.", examples=[EXAMPLE_SECTIONS]
    )


class PostmortemTemplateWrite(WriteSchema):
    """Only the named sections are written; places such as `{{ service }}` may be used."""

    summary: SectionText | None = _section("summary")
    impact: SectionText | None = _section("impact")
    root_cause: SectionText | None = _section("root_cause")
    went_well: SectionText | None = _section("went_well")
    went_badly: SectionText | None = _section("went_badly")
    lessons: SectionText | None = _section("lessons")

    _kept = not_null("summary", "impact", "root_cause", "went_well", "went_badly", "lessons")


class PostmortemSectionsRead(ReadSchema):
    summary: str
    impact: str
    root_cause: str
    went_well: str
    went_badly: str
    lessons: str


class PostmortemTemplateRead(ReadSchema):
    """What a new postmortem says at first."""

    sections: PostmortemSectionsRead
    is_custom: bool = Field(description="Whether it is this installation's own.")
    revision: int = Field(description="0 for the built-in one.")
    updated_at: Instant | None
    updated_by: int | None


class PublicPostmortemRead(ReadSchema):
    """What the public reads: words that were written for it, and nothing else."""

    code: str = Field(description="Of the public incident.", examples=["8fGk2mQz"])
    title: str = Field(examples=["Checkout is slow"])
    summary: str = Field(description="Markdown.", examples=["Checkout failed for 43 minutes."])
    body: str = Field(description="Markdown.", examples=["A disk was full."])
    published_at: Instant
    amended_at: Instant | None
