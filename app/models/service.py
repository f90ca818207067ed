"""The services that people run, and when they are being worked on.

An incident names its service in words, whether anybody has catalogued it or not: what stands
here is found by that name, letter for letter, and no row of an incident refers to it.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, false, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base_class import Base, Keyed, Revised
from app.domain.maintenance_window import WindowStatus, status_at


class Service(Keyed, Revised, Base):
    """A service, who owns it and how its incidents are met. `app.domain.service` reads its JSON."""

    __tablename__ = "services"
    __table_args__ = (
        CheckConstraint("name <> ''", name="named"),
        CheckConstraint("jsonb_typeof(urgency) = 'object'", name="urgency_object"),
        CheckConstraint("jsonb_typeof(support_hours) = 'object'", name="support_hours_object"),
        CheckConstraint("auto_resolve_after_minutes > 0", name="auto_resolve_after_positive"),
        # No two that differ in capitals alone: whoever reads them would take them for one.
        Index("uq_services_name_folded", text("lower(name)"), unique=True),
        Index(None, "name"),
        Index(None, "team_id"),
        Index(None, "policy_id"),
        Index(None, "schedule_id"),
    )

    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str | None] = mapped_column(Text)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"))
    # Besides all whose conditions hold.
    policy_id: Mapped[int | None] = mapped_column(ForeignKey("escalation_policies.id"))
    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("schedules.id"))
    # By severity; one that is not named is high.
    urgency: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    support_hours: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    auto_resolve_after_minutes: Mapped[int | None]
    # What somebody has acknowledged or snoozed, too.
    auto_resolve_acknowledged: Mapped[bool] = mapped_column(server_default=false())


class MaintenanceWindow(Keyed, Revised, Base):
    """A time in which services are worked on: [starts_at, ends_at), unless it was ended before.

    It is for everything only if it says so: one whose services are all gone is for none.
    """

    __tablename__ = "maintenance_windows"
    __table_args__ = (
        CheckConstraint("title <> ''", name="named"),
        CheckConstraint("ends_at > starts_at", name="lasts"),
        CheckConstraint(
            "ended_at IS NULL OR ended_at >= starts_at AND ended_at < ends_at", name="ended_early"
        ),
        CheckConstraint("num_nonnulls(ended_at, cancelled_at) <= 1", name="ended_or_cancelled"),
        Index(
            "ix_maintenance_windows_live",
            "ends_at",
            "starts_at",
            postgresql_where=text("ended_at IS NULL AND cancelled_at IS NULL"),
        ),
        Index(None, "starts_at", "id"),
        Index(None, "created_by"),
    )

    title: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    is_for_everything: Mapped[bool] = mapped_column(server_default=false())
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    ended_at: Mapped[datetime | None]  # by hand, before it would have
    cancelled_at: Mapped[datetime | None]  # before it began
    services: Mapped[list[Service]] = relationship(
        secondary="maintained_services", order_by=Service.name, viewonly=True, lazy="raise"
    )

    def status_at(self, now: datetime) -> WindowStatus:
        return status_at(
            self.starts_at,
            self.ends_at,
            ended_at=self.ended_at,
            cancelled_at=self.cancelled_at,
            now=now,
        )

    def seen_at(self, now: datetime) -> "MaintenanceWindow":
        """The same, which from here on says as `status` how it stands at this instant."""
        self._status = self.status_at(now)
        return self

    @property
    def status(self) -> WindowStatus:
        return self._status


class MaintainedService(Base):
    """One of the services that a maintenance window is for."""

    __tablename__ = "maintained_services"
    __table_args__ = (Index(None, "service_id"),)

    maintenance_window_id: Mapped[int] = mapped_column(
        ForeignKey("maintenance_windows.id", ondelete="CASCADE"), primary_key=True
    )
    service_id: Mapped[int] = mapped_column(
        ForeignKey("services.id", ondelete="CASCADE"), primary_key=True
    )
