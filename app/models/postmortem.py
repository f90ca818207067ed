"""What was learned of an incident: one document each, in sections, with the timeline it tells.

What the public reads of it has columns of its own (promise 7), `public_summary` and `public_body`,
and is read only while `is_public`. The timeline is kept as it was picked: what is copied here at
that moment is what stands here, whatever becomes of the incident.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base_class import Base, Keyed, Revised, one_of
from app.domain.postmortem import SECTIONS, PostmortemStatus
from app.models.incident import Incident
from app.models.user import User


class Postmortem(Keyed, Revised, Base):
    """The postmortem of an incident."""

    __tablename__ = "postmortems"
    __table_args__ = (
        UniqueConstraint("incident_id"),
        one_of("status", PostmortemStatus),
        CheckConstraint("title <> ''", name="named"),
        CheckConstraint("(status = 'published') = (published_at IS NOT NULL)", name="published_at"),
        CheckConstraint("jsonb_typeof(timeline) = 'array'", name="timeline_array"),
        CheckConstraint(
            "NOT is_public OR status = 'published' AND public_summary <> ''"
            " AND public_at IS NOT NULL",
            name="public_is_written",
        ),
        Index(None, "status", "id"),
        Index(None, "owner_id", "id"),
        Index(None, "updated_at", "id"),
        Index(None, "created_by"),
        Index(None, "published_by"),
    )

    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    title: Mapped[str] = mapped_column(String(255))
    status: Mapped[PostmortemStatus] = mapped_column(server_default=PostmortemStatus.DRAFT)
    summary: Mapped[str] = mapped_column(Text, server_default="")
    impact: Mapped[str] = mapped_column(Text, server_default="")
    root_cause: Mapped[str] = mapped_column(Text, server_default="")
    went_well: Mapped[str] = mapped_column(Text, server_default="")
    went_badly: Mapped[str] = mapped_column(Text, server_default="")
    lessons: Mapped[str] = mapped_column(Text, server_default="")
    # Each: event_id (null: written here), happened_at, description, note.
    timeline: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    submitted_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    published_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    amended_at: Mapped[datetime | None]
    public_summary: Mapped[str] = mapped_column(Text, server_default="")
    public_body: Mapped[str] = mapped_column(Text, server_default="")
    is_public: Mapped[bool] = mapped_column(server_default=false())
    public_at: Mapped[datetime | None]  # when it was published to the public first
    public_amended_at: Mapped[datetime | None]  # its public text, since then
    subscribers_told_at: Mapped[datetime | None]  # once, however often it is published

    incident: Mapped[Incident] = relationship(lazy="raise")
    owner: Mapped[User | None] = relationship(lazy="raise", foreign_keys=[owner_id])
    reviews: Mapped[list["PostmortemReviewer"]] = relationship(
        lazy="raise", order_by="PostmortemReviewer.user_id"
    )


class PostmortemReviewer(Base):
    """Somebody who is asked to read a postmortem, and whether they have approved of it."""

    __tablename__ = "postmortem_reviewers"
    __table_args__ = (Index(None, "user_id"),)

    postmortem_id: Mapped[int] = mapped_column(
        ForeignKey("postmortems.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    asked_at: Mapped[datetime | None]  # when a review was asked for last
    approved_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="raise")


class PostmortemVersion(Keyed, Base):
    """What a published postmortem said: as it was published, and after each amendment."""

    __tablename__ = "postmortem_versions"
    __table_args__ = (
        UniqueConstraint("postmortem_id", "revision"),
        Index(None, "edited_by"),
    )

    postmortem_id: Mapped[int] = mapped_column(ForeignKey("postmortems.id", ondelete="CASCADE"))
    revision: Mapped[int]
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    edited_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    edited_at: Mapped[datetime]


class PostmortemTemplate(Keyed, Revised, Base):
    """What a new postmortem says at first. No row means the built-in one; there is one at most."""

    __tablename__ = "postmortem_templates"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"), Index(None, "updated_by"))

    summary: Mapped[str] = mapped_column(Text, server_default="")
    impact: Mapped[str] = mapped_column(Text, server_default="")
    root_cause: Mapped[str] = mapped_column(Text, server_default="")
    went_well: Mapped[str] = mapped_column(Text, server_default="")
    went_badly: Mapped[str] = mapped_column(Text, server_default="")
    lessons: Mapped[str] = mapped_column(Text, server_default="")
    updated_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


# Words are found by this column alone; no object loads or writes it.
POSTMORTEMS = Base.metadata.tables["postmortems"]
_WORDS = " || ' ' || ".join(["title", *SECTIONS])
POSTMORTEMS.append_column(
    Column("words", TSVECTOR, Computed(f"to_tsvector('simple', {_WORDS})", persisted=True))
)
Index(None, POSTMORTEMS.c.words, postgresql_using="gin")
