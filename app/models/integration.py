"""Where alerts come from, and every alert that came."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    func,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base_class import Base, Keyed, Revised, one_of
from app.domain.incident import Severity
from app.domain.integration import AlertOutcome, IntegrationKind


class Integration(Keyed, Revised, Base):
    __tablename__ = "integrations"
    __table_args__ = (
        one_of("kind", IntegrationKind),
        one_of("default_severity", Severity),
        CheckConstraint("name <> ''", name="named"),
        Index(None, "created_by"),
    )

    name: Mapped[str] = mapped_column(String(100), unique=True)
    kind: Mapped[IntegrationKind]
    service: Mapped[str | None] = mapped_column(String(100))
    default_severity: Mapped[Severity] = mapped_column(server_default=Severity.HIGH)
    is_active: Mapped[bool] = mapped_column(server_default=true())
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    keys: Mapped[list["IntegrationKey"]] = relationship(lazy="raise", order_by="IntegrationKey.id")


class IntegrationKey(Keyed, Base):
    """A secret of an integration, kept as a hash. Several may live while one replaces another."""

    __tablename__ = "integration_keys"
    __table_args__ = (Index(None, "integration_id"),)

    integration_id: Mapped[int] = mapped_column(ForeignKey("integrations.id"))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(20))  # its first characters, to tell keys apart
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    revoked_at: Mapped[datetime | None]


class Alert(Keyed, Base):
    """One alert and what became of it.

    The body it came in is kept for a while with the first alert of its request, bounded; the
    others of the request name that one.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        one_of("outcome", AlertOutcome),
        CheckConstraint(
            "outcome NOT IN ('opened', 'joined', 'resolved') OR incident_id IS NOT NULL",
            name="incident_named",
        ),
        CheckConstraint(
            "outcome <> 'unreadable' OR reason IS NOT NULL", name="unreadable_says_why"
        ),
        Index(None, "integration_id", "id"),
        Index(None, "incident_id", "id"),
        Index(None, "received_at", "id"),
        Index(
            "ix_alerts_kept_bodies",
            "received_at",
            postgresql_where=text("raw_body IS NOT NULL"),
        ),
        Index("ix_alerts_replay_of", "replay_of", postgresql_where=text("replay_of IS NOT NULL")),
    )

    integration_id: Mapped[int] = mapped_column(ForeignKey("integrations.id"))
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incidents.id"))
    outcome: Mapped[AlertOutcome]
    dedup_key: Mapped[str | None] = mapped_column(String(255))
    title: Mapped[str | None] = mapped_column(String(255))
    reason: Mapped[str | None] = mapped_column(Text)
    raw_body: Mapped[bytes | None] = mapped_column(LargeBinary)
    body_size: Mapped[int | None]  # of the whole body, in bytes: more than is kept, if it was cut
    # The alert that keeps the body. No foreign key: a body is forgotten before its alerts are.
    body_of: Mapped[int | None]
    # The alert that somebody had read again.
    replay_of: Mapped[int | None] = mapped_column(ForeignKey("alerts.id", ondelete="SET NULL"))
    request_id: Mapped[str | None] = mapped_column(String(128))
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
