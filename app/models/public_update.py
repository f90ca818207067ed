"""What the public was told, one message after the other, and what subscribers are to hear."""

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed, Revised, one_of
from app.domain.public_update import OF_INCIDENTS, NoticeKind, UpdateStatus

_OF_INCIDENTS = ", ".join(f"'{status}'" for status in OF_INCIDENTS)


class PublicUpdate(Keyed, Revised, Base):
    """A message about one incident or one maintenance. Until it is posted it is a draft."""

    __tablename__ = "public_updates"
    __table_args__ = (
        one_of("status", UpdateStatus),
        CheckConstraint("body <> ''", name="says_something"),
        CheckConstraint(
            "num_nonnulls(public_incident_id, public_maintenance_id) = 1", name="about_one"
        ),
        CheckConstraint(
            f"(public_incident_id IS NOT NULL) = (status IN ({_OF_INCIDENTS}))",
            name="status_of_its_kind",
        ),
        CheckConstraint(
            "withdrawn_at IS NULL OR posted_at IS NOT NULL", name="withdrawn_if_posted"
        ),
        CheckConstraint("edited_at IS NULL OR posted_at IS NOT NULL", name="edited_if_posted"),
        CheckConstraint("jsonb_typeof(changes) = 'array'", name="changes_array"),
        Index(None, "public_incident_id", "posted_at"),
        Index(None, "public_maintenance_id", "posted_at"),
        Index(None, "author_id"),
    )

    public_incident_id: Mapped[int | None] = mapped_column(ForeignKey("public_incidents.id"))
    public_maintenance_id: Mapped[int | None] = mapped_column(ForeignKey("public_maintenances.id"))
    status: Mapped[UpdateStatus]
    body: Mapped[str] = mapped_column(Text)
    # What became of components with it: `[{"id", "name", "before", "after"}]`.
    changes: Mapped[list[dict[str, str | int]]] = mapped_column(JSONB, server_default="[]")
    notifies: Mapped[bool] = mapped_column(server_default=true())  # subscribers, when it is posted
    posted_at: Mapped[datetime | None]
    edited_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    # Who wrote it; None: Tocsin itself. The public is told only where the page says so.
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class PublicUpdateVersion(Keyed, Base):
    """What a posted update said before somebody edited it, and until when."""

    __tablename__ = "public_update_versions"
    __table_args__ = (
        UniqueConstraint("public_update_id", "number"),
        Index(None, "replaced_by"),
    )

    public_update_id: Mapped[int] = mapped_column(ForeignKey("public_updates.id"))
    number: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    replaced_at: Mapped[datetime]
    replaced_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class PublicNotice(Keyed, Base):
    """Something that subscribers are to hear of, written in the same transaction as the thing.

    Whoever fans it out holds the row, and marks it with `told_at` once each subscriber's
    delivery is a row of its own. What it is about is read when it is told.
    """

    __tablename__ = "public_notices"
    __table_args__ = (
        one_of("kind", NoticeKind),
        CheckConstraint(
            "num_nonnulls(public_incident_id, public_maintenance_id, component_id) = 1",
            name="about_one",
        ),
        Index("ix_public_notices_untold", "id", postgresql_where=text("told_at IS NULL")),
        Index(None, "public_incident_id"),
        Index(None, "public_maintenance_id"),
        Index(None, "public_update_id"),
        Index(None, "component_id"),
    )

    kind: Mapped[NoticeKind]
    public_incident_id: Mapped[int | None] = mapped_column(ForeignKey("public_incidents.id"))
    public_maintenance_id: Mapped[int | None] = mapped_column(ForeignKey("public_maintenances.id"))
    public_update_id: Mapped[int | None] = mapped_column(ForeignKey("public_updates.id"))
    component_id: Mapped[int | None] = mapped_column(ForeignKey("status_components.id"))
    # All components that it is about, for those who subscribed to some.
    component_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    told_at: Mapped[datetime | None]
