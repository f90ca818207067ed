"""Maintenance that the public is told of. All of it was written for the public (promise 7)."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text, true
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed, Revised, one_of
from app.domain.public_maintenance import MaintenanceStatus


class PublicMaintenance(Keyed, Revised, Base):
    """A maintenance as it was announced. `next_at` is when it begins or ends by itself."""

    __tablename__ = "public_maintenances"
    __table_args__ = (
        one_of("status", MaintenanceStatus),
        CheckConstraint("title <> ''", name="named"),
        CheckConstraint("scheduled_until > scheduled_for", name="lasts"),
        CheckConstraint("(status = 'completed') = (completed_at IS NOT NULL)", name="completed_at"),
        CheckConstraint(
            "next_at IS NULL OR status <> 'completed' AND withdrawn_at IS NULL",
            name="next_while_shown",
        ),
        Index(None, "scheduled_for", "id"),
        Index("ix_public_maintenances_ahead", "id", postgresql_where=text("completed_at IS NULL")),
        Index(
            "ix_public_maintenances_next_at",
            "next_at",
            "id",
            postgresql_where=text("next_at IS NOT NULL"),
        ),
        Index(None, "created_by"),
    )

    code: Mapped[str] = mapped_column(String(50), unique=True)
    title: Mapped[str] = mapped_column(String(255))
    status: Mapped[MaintenanceStatus] = mapped_column(server_default=MaintenanceStatus.SCHEDULED)
    scheduled_for: Mapped[datetime]
    scheduled_until: Mapped[datetime]
    starts_itself: Mapped[bool] = mapped_column(server_default=true())
    ends_itself: Mapped[bool] = mapped_column(server_default=true())
    next_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    # Announced by mistake: the public sees nothing of it any more.
    withdrawn_at: Mapped[datetime | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class PublicMaintenanceComponent(Base):
    """One of the components that are under maintenance while it is under way."""

    __tablename__ = "public_maintenance_components"
    __table_args__ = (Index(None, "component_id"),)

    public_maintenance_id: Mapped[int] = mapped_column(
        ForeignKey("public_maintenances.id"), primary_key=True
    )
    component_id: Mapped[int] = mapped_column(ForeignKey("status_components.id"), primary_key=True)
