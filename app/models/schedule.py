"""Schedules, and everything that was ever said about them.

Nothing here is deleted, so that who was on call at an instant can be told as it was known at any
other. A version is what a schedule said from one edit to the next. What people change for a while
keeps its row when it is taken back: until `removed_at` it counted, from then on it does not, and
what it did before stays true.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed, Revised


class Schedule(Keyed, Revised, Base):
    """Who is on call, as it is said now. `app.domain.rota_document` reads the layers."""

    __tablename__ = "schedules"
    __table_args__ = (
        CheckConstraint("jsonb_typeof(layers) = 'array'", name="layers_list"),
        CheckConstraint("jsonb_typeof(holidays) = 'array'", name="holidays_list"),
        Index(
            "uq_schedules_name", "name", unique=True, postgresql_where=text("deleted_at IS NULL")
        ),
        Index(
            "ix_schedules_layers",
            "layers",
            postgresql_using="gin",
            postgresql_ops={"layers": "jsonb_path_ops"},
        ),
        Index(None, "team_id"),
    )

    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"))
    time_zone: Mapped[str] = mapped_column(String(64))
    layers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    holidays: Mapped[list[int]] = mapped_column(JSONB, server_default="[]")  # calendars
    deleted_at: Mapped[datetime | None]


class ScheduleVersion(Keyed, Base):
    """What a schedule said, from when to when. The last one has no end while the schedule lives."""

    __tablename__ = "schedule_versions"
    __table_args__ = (
        CheckConstraint("known_until > known_from", name="known_for_a_while"),
        UniqueConstraint("schedule_id", "number"),
        Index(None, "schedule_id", "known_from"),
        Index(None, "changed_by"),
        Index(
            "uq_schedule_versions_current",
            "schedule_id",
            unique=True,
            postgresql_where=text("known_until IS NULL"),
        ),
    )

    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id"))
    number: Mapped[int]
    name: Mapped[str] = mapped_column(String(255))
    time_zone: Mapped[str] = mapped_column(String(64))
    layers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    holidays: Mapped[list[int]] = mapped_column(JSONB)
    known_from: Mapped[datetime]
    known_until: Mapped[datetime | None]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class ScheduleOverride(Keyed, Base):
    """A time in which somebody is on call instead: of everybody, or of one person.

    The later one wins. None begins before it was made.
    """

    __tablename__ = "schedule_overrides"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="lasts"),
        CheckConstraint("starts_at >= created_at", name="changes_no_past"),
        CheckConstraint("replaces <> user_id", name="replaces_another"),
        CheckConstraint("removed_at IS NOT NULL OR removed_by IS NULL", name="removed"),
        Index(None, "schedule_id", "ends_at"),
        Index(None, "user_id", "ends_at"),
        Index(None, "replaces"),
        Index(None, "created_by"),
        Index(None, "removed_by"),
    )

    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    replaces: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    removed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class TemporarySchedule(Keyed, Base):
    """A time in which a schedule has other layers. The later one wins; none begins in the past."""

    __tablename__ = "temporary_schedules"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="lasts"),
        CheckConstraint("starts_at >= created_at", name="changes_no_past"),
        CheckConstraint("jsonb_typeof(layers) = 'array'", name="layers_list"),
        CheckConstraint("removed_at IS NOT NULL OR removed_by IS NULL", name="removed"),
        Index(None, "schedule_id", "ends_at"),
        Index(None, "created_by"),
        Index(None, "removed_by"),
    )

    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    layers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    reason: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    removed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
