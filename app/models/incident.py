"""Incidents and what hangs on them. Nothing here cascades away: history outlives its actors."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Computed,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base_class import Base, Keyed, Revised, one_of
from app.domain.incident import AssignmentRole, IncidentStatus, Severity, TimelineType, Urgency
from app.models.user import User

UNRESOLVED = text("status <> 'resolved'")
# What an index puts aside for later, the alert waits for that comes when it is too much.
AT_ONCE = {"fastupdate": "off"}
# Critical is the greatest.
_RANK = "CASE severity {} ELSE NULL END".format(
    " ".join(f"WHEN '{one}' THEN {len(Severity) - one.rank}" for one in Severity)
)


class Incident(Keyed, Revised, Base):
    """One problem. Its row is the lock that whoever changes it, or its escalations, holds."""

    __tablename__ = "incidents"
    __table_args__ = (
        one_of("status", IncidentStatus),
        one_of("severity", Severity),
        one_of("urgency", Urgency),
        CheckConstraint("title <> '' AND service <> ''", name="named"),
        CheckConstraint("(status = 'resolved') = (resolved_at IS NOT NULL)", name="resolved_at"),
        CheckConstraint(
            "status = 'open' AND acknowledged_at IS NULL"
            " OR status = 'acknowledged' AND acknowledged_at IS NOT NULL"
            " OR status = 'resolved'",
            name="acknowledged_at",
        ),
        CheckConstraint(
            "snoozed_until IS NULL OR status <> 'resolved'", name="resolved_is_not_snoozed"
        ),
        CheckConstraint(
            "(dedup_key IS NULL) = (integration_id IS NULL)", name="dedup_within_integration"
        ),
        # One unresolved incident per problem, whatever races to open it.
        Index(
            "uq_incidents_unresolved_dedup_key",
            "integration_id",
            "dedup_key",
            unique=True,
            postgresql_where=UNRESOLVED,
        ),
        Index(
            "ix_incidents_unresolved_group_key",
            "integration_id",
            "group_key",
            postgresql_where=text("status <> 'resolved' AND group_key IS NOT NULL"),
        ),
        # A deleted one is over, too: nothing pages for what nobody can see.
        CheckConstraint("deleted_at IS NULL OR status = 'resolved'", name="deleted_is_resolved"),
        CheckConstraint("jsonb_typeof(custom_fields) = 'object'", name="custom_fields_object"),
        Index(
            "ix_incidents_custom_fields",
            "custom_fields",
            postgresql_using="gin",
            postgresql_ops={"custom_fields": "jsonb_path_ops"},
            postgresql_with=AT_ONCE,
        ),
        Index(
            "ix_incidents_tags",
            "tags",
            postgresql_using="gin",
            postgresql_where=text("tags <> '{}'"),
            postgresql_with=AT_ONCE,
        ),
        Index("ix_incidents_deleted", "id", postgresql_where=text("deleted_at IS NOT NULL")),
        Index("ix_incidents_drills", "id", postgresql_where=text("is_drill")),
        Index(None, "status", "id"),
        Index(None, "service", "id"),
        Index(None, "assigned_to", "id"),
        # For lists alone, which say the same as the condition: who looks up a problem by its key
        # cannot be led to read all that its integration ever opened.
        Index(None, "integration_id", "id", postgresql_where=text("integration_id > 0")),
        Index(None, "source", "id"),
        Index(None, "created_at", "id"),
        Index(None, "updated_at", "id"),
        Index(None, "created_by"),
    )

    # Unguessable and global: mail threads hang on it, and a batch of inserts finds its rows by it.
    uid: Mapped[UUID] = mapped_column(server_default=func.gen_random_uuid(), unique=True)
    title: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    status: Mapped[IncidentStatus] = mapped_column(server_default=IncidentStatus.OPEN)
    severity: Mapped[Severity]
    service: Mapped[str] = mapped_column(String(100))
    source: Mapped[str | None] = mapped_column(String(100))
    url: Mapped[str | None] = mapped_column(String(2000))
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    labels: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    custom_fields: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    integration_id: Mapped[int | None] = mapped_column(ForeignKey("integrations.id"))
    dedup_key: Mapped[str | None] = mapped_column(String(255))
    group_key: Mapped[str | None] = mapped_column(String(255))
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    assigned_to: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    acknowledged_at: Mapped[datetime | None]
    # Stays when it is reopened: how long people took to answer is counted to here.
    first_acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    first_acknowledged_at: Mapped[datetime | None]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    resolved_at: Mapped[datetime | None]
    snoozed_until: Mapped[datetime | None]
    # Decided when it is opened and whenever its severity or service changes.
    urgency: Mapped[Urgency] = mapped_column(server_default=Urgency.HIGH)
    # A fire drill: it pages like any other and is counted, listed and published with none.
    is_drill: Mapped[bool] = mapped_column(server_default=false())
    deleted_at: Mapped[datetime | None]
    deleted_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    tally: Mapped["IncidentTally"] = relationship(lazy="raise")
    assignments: Mapped[list["IncidentAssignment"]] = relationship(
        lazy="raise", order_by="IncidentAssignment.id"
    )

    def enter(self, status: IncidentStatus, *, by: int | None, now: datetime) -> None:
        """Take a status, with everything the row itself must say about it."""
        self.status = status
        match status:
            case IncidentStatus.OPEN:
                self.acknowledged_at = self.acknowledged_by = None
                self.resolved_at = self.resolved_by = None
            case IncidentStatus.ACKNOWLEDGED:
                self.acknowledged_at, self.acknowledged_by = now, by
                if self.first_acknowledged_at is None:
                    self.first_acknowledged_at, self.first_acknowledged_by = now, by
            case IncidentStatus.RESOLVED:
                self.resolved_at, self.resolved_by = now, by
        self.snoozed_until = None
        self.touch(now)


class IncidentTally(Base):
    """How often an incident's alert came.

    A row of its own, so that a storm on one key never locks the incident and starves its
    pages. It is also where joining and resolving meet: an alert joins only while `is_open`.
    """

    __tablename__ = "incident_tallies"

    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), primary_key=True)
    is_open: Mapped[bool] = mapped_column(server_default=true())
    alert_count: Mapped[int] = mapped_column(server_default="0")
    last_alert_at: Mapped[datetime | None]


class IncidentAssignment(Keyed, Base):
    __tablename__ = "incident_assignments"
    __table_args__ = (
        UniqueConstraint("incident_id", "user_id"),
        one_of("role", AssignmentRole),
        Index(None, "user_id"),
    )

    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    role: Mapped[AssignmentRole] = mapped_column(server_default=AssignmentRole.RESPONDER)
    assigned_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    assigned_at: Mapped[datetime] = mapped_column(server_default=func.now())

    user: Mapped[User] = relationship(lazy="raise", foreign_keys=[user_id])


class IncidentComment(Keyed, Base):
    __tablename__ = "incident_comments"
    __table_args__ = (
        CheckConstraint("content <> ''", name="content_given"),
        Index(None, "incident_id", "id"),
        Index(None, "user_id"),
    )

    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))  # None: a policy's step
    content: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class TimelineEvent(Keyed, Base):
    """One thing that happened, as a sentence a person can read."""

    __tablename__ = "timeline_events"
    __table_args__ = (
        one_of("event_type", TimelineType),
        Index(None, "incident_id", "id"),
        Index(None, "user_id"),
    )

    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    event_type: Mapped[TimelineType]
    description: Mapped[str] = mapped_column(Text)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    # The column has the name that clients know; the attribute cannot (SQLAlchemy's own).
    facts: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


# What lists are put in order by is of the table only: no object loads or writes it.
INCIDENTS = Base.metadata.tables["incidents"]
INCIDENTS.append_column(Column("severity_rank", SmallInteger, Computed(_RANK, persisted=True)))
Index(None, INCIDENTS.c.severity_rank, INCIDENTS.c.id)
