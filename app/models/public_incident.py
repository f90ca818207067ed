"""What the public is told of an incident. All of it was written for the public (promise 7)."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed, Revised, one_of
from app.domain.public_incident import Impact, PublicStatus
from app.domain.status_component import ComponentStatus


class PublicIncident(Keyed, Revised, Base):
    """An incident that was published. The public knows it by its `code` and by no number."""

    __tablename__ = "public_incidents"
    __table_args__ = (
        one_of("status", PublicStatus),
        one_of("impact", Impact),
        CheckConstraint("title <> ''", name="named"),
        CheckConstraint("(status = 'resolved') = (resolved_at IS NOT NULL)", name="resolved_at"),
        # What is over, or hidden, has no clock.
        CheckConstraint(
            "next_update_due_at IS NULL OR status <> 'resolved' AND withdrawn_at IS NULL",
            name="due_while_shown",
        ),
        CheckConstraint("remind_at IS NULL OR next_update_due_at IS NOT NULL", name="remind_of"),
        # What was withdrawn may be published anew, as another one.
        Index(
            "uq_public_incidents_shown",
            "incident_id",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
        Index(None, "incident_id"),
        Index(None, "started_at", "id"),
        Index("ix_public_incidents_unresolved", "id", postgresql_where=text("resolved_at IS NULL")),
        Index(
            "ix_public_incidents_remind_at",
            "remind_at",
            "id",
            postgresql_where=text("remind_at IS NOT NULL"),
        ),
        Index(None, "created_by"),
    )

    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    code: Mapped[str] = mapped_column(String(50), unique=True)
    title: Mapped[str] = mapped_column(String(255))
    status: Mapped[PublicStatus] = mapped_column(server_default=PublicStatus.INVESTIGATING)
    impact: Mapped[Impact] = mapped_column(server_default=Impact.NONE)
    started_at: Mapped[datetime]
    identified_at: Mapped[datetime | None]
    monitoring_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    # What the public was promised, and when its people are reminded of it.
    next_update_due_at: Mapped[datetime | None]
    remind_at: Mapped[datetime | None]
    # When the incident was resolved whose people were reminded that the public waits for the end.
    end_reminded_of: Mapped[datetime | None]
    # Published by mistake: the public sees nothing of it any more.
    withdrawn_at: Mapped[datetime | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class PublicIncidentComponent(Base):
    """What an incident does to a component until it is over."""

    __tablename__ = "public_incident_components"
    __table_args__ = (one_of("status", ComponentStatus), Index(None, "component_id"))

    public_incident_id: Mapped[int] = mapped_column(
        ForeignKey("public_incidents.id"), primary_key=True
    )
    component_id: Mapped[int] = mapped_column(ForeignKey("status_components.id"), primary_key=True)
    status: Mapped[ComponentStatus]
