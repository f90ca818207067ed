"""Templates of incidents."""

from pydantic import Field

from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.types import Flag, LongText, Name, ServiceName, SeverityWord, Tag, Title

CHECKLIST_HELP = "In Markdown; it becomes the first comment of every incident declared with it."
PUBLIC_TEXT_HELP = "What could be told the public first; nothing is published by itself."
ACTIVE_HELP = "False: a draft, which nobody can declare with yet."


class IncidentTemplateCreate(WriteSchema):
    name: Name = Field(
        description="No two differ in their capitals alone.", examples=["Database is down"]
    )
    title: Title = Field(examples=["The primary database does not answer"])
    description: LongText | None = Field(None, examples=["Checkout cannot take payments."])
    severity: SeverityWord = Field(examples=["critical"])
    service: ServiceName | None = Field(
        None, description="Left out, whoever declares names it.", examples=["database"]
    )
    tags: list[Tag] = Field([], max_length=32, examples=[["postgres"]])
    checklist: LongText | None = Field(
        None, description=CHECKLIST_HELP, examples=["- [ ] Is the replica well?"]
    )
    public_text: LongText | None = Field(
        None, description=PUBLIC_TEXT_HELP, examples=["Payments are failing. We are looking."]
    )
    is_active: Flag = Field(default=True, description=ACTIVE_HELP)


class IncidentTemplateUpdate(WriteSchema):
    """Only the named fields are written."""

    name: Name | None = Field(None, examples=["Database is down"])
    title: Title | None = Field(None, examples=["The primary database does not answer"])
    description: LongText | None = None
    severity: SeverityWord | None = None
    service: ServiceName | None = None
    tags: list[Tag] | None = Field(None, max_length=32)
    checklist: LongText | None = Field(None, description=CHECKLIST_HELP)
    public_text: LongText | None = Field(None, description=PUBLIC_TEXT_HELP)
    is_active: Flag | None = Field(None, description=ACTIVE_HELP)

    _kept = not_null("name", "title", "severity", "tags", "is_active")


class IncidentTemplateRead(ReadSchema):
    id: int
    name: str
    title: str
    description: str | None
    severity: SeverityWord
    service: str | None
    tags: list[str]
    checklist: str | None
    public_text: str | None
    is_active: bool = Field(description=ACTIVE_HELP)
    revision: int
    created_at: Instant
    updated_at: Instant
