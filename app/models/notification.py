"""The outbox: every promise to tell one recipient over one channel, and how each try went."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base_class import Base, Keyed, Stamped, one_of
from app.domain.notification import AttemptOutcome, Channel, NotificationKind, NotificationStatus


class Notification(Keyed, Stamped, Base):
    """One promise. The unique key makes it one, however many replicas try to make it.

    `ready_at` is the only clock of the delivery loop: while pending it says when to send
    (first `due_at`, later the next attempt), while sending it says when the lease ends and
    another sender may take over.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("escalation_id", "loop", "step", "action", "recipient", "rule"),
        one_of("kind", NotificationKind),
        one_of("status", NotificationStatus),
        one_of("channel", Channel),
        CheckConstraint(
            "(status IN ('pending', 'sending')) = (ready_at IS NOT NULL)", name="waiting_is_ready"
        ),
        # What makes a page the only one of its kind is whole; nothing else claims a step.
        CheckConstraint(
            "CASE WHEN kind = 'page'"
            " THEN num_nulls(incident_id, escalation_id, loop, step, action) = 0"
            " ELSE num_nonnulls(escalation_id, loop, step, action) = 0 END",
            name="page_has_a_step",
        ),
        CheckConstraint(
            "kind NOT IN ('acknowledged', 'resolved', 'assigned') OR incident_id IS NOT NULL",
            name="update_has_an_incident",
        ),
        CheckConstraint(
            "status NOT IN ('sent', 'delivered') OR sent_at IS NOT NULL", name="sent_at"
        ),
        CheckConstraint(
            "status NOT IN ('failed', 'cancelled', 'suppressed') OR reason IS NOT NULL",
            name="unsent_says_why",
        ),
        Index(
            "ix_notifications_ready",
            "channel",
            "is_critical",
            "ready_at",
            "id",
            postgresql_where=text("ready_at IS NOT NULL"),
        ),
        Index(
            "ix_notifications_waiting_by_incident",
            "incident_id",
            postgresql_where=text("ready_at IS NOT NULL"),
        ),
        Index(None, "incident_id", "id"),
        Index(None, "user_id", "id"),
        # How much a person was sent lately over a channel.
        Index(
            "ix_notifications_paged_lately",
            "user_id",
            "channel",
            "claimed_at",
            postgresql_where=text("kind = 'page' AND claimed_at IS NOT NULL"),
        ),
        Index(
            "ix_notifications_receipt",
            "channel",
            "receipt_at",
            postgresql_where=text("receipt_at IS NOT NULL"),
        ),
        Index(
            "ix_notifications_bundled_into",
            "bundled_into",
            postgresql_where=text("bundled_into IS NOT NULL"),
        ),
        Index(None, "contact_method_id"),
    )

    kind: Mapped[NotificationKind] = mapped_column(server_default=NotificationKind.PAGE)
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incidents.id"))
    escalation_id: Mapped[int | None] = mapped_column(ForeignKey("escalations.id"))
    loop: Mapped[int | None]
    step: Mapped[int | None]
    action: Mapped[int | None]
    recipient: Mapped[str] = mapped_column(String(100))  # `user:7`, or `webhook`
    rule: Mapped[int]  # the person's rule; 0 where no person's rule led here
    channel: Mapped[Channel]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    contact_method_id: Mapped[int | None] = mapped_column(
        ForeignKey("contact_methods.id", ondelete="SET NULL")
    )
    address: Mapped[str | None] = mapped_column(String(2000))  # a fixed one: a step's own URL
    message: Mapped[str | None] = mapped_column(Text)
    # What a message needs to know besides its rows: who did it, which challenge it carries.
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    # What is critical is sent first, however much else is due.
    is_critical: Mapped[bool] = mapped_column(server_default=false())
    status: Mapped[NotificationStatus] = mapped_column(server_default=NotificationStatus.PENDING)
    due_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    # How many of them were made before somebody had it sent again: it may be tried anew.
    attempts_before: Mapped[int] = mapped_column(server_default="0")
    # A sender vanished in mid-send: what goes out after that bears the same mark, maybe twice.
    is_resend: Mapped[bool] = mapped_column(server_default=false())
    # Over the person's limit: held back until then, or told as part of another message.
    held_until: Mapped[datetime | None]
    bundled_into: Mapped[int | None] = mapped_column(ForeignKey("notifications.id"))
    # The incident was answered while this was on its way.
    overtaken_at: Mapped[datetime | None]
    sent_to: Mapped[str | None] = mapped_column(String(2000))
    provider_id: Mapped[str | None] = mapped_column(String(500))
    # When the provider is asked next what became of it, and how often it was.
    receipt_at: Mapped[datetime | None]
    receipt_checks: Mapped[int] = mapped_column(server_default="0")
    reason: Mapped[str | None] = mapped_column(Text)
    last_error: Mapped[str | None] = mapped_column(Text)
    link_used_at: Mapped[datetime | None]

    history: Mapped[list["NotificationAttempt"]] = relationship(
        lazy="raise", order_by="NotificationAttempt.number"
    )


class NotificationAttempt(Keyed, Base):
    __tablename__ = "notification_attempts"
    __table_args__ = (
        UniqueConstraint("notification_id", "number"),
        one_of("outcome", AttemptOutcome),
    )

    notification_id: Mapped[int] = mapped_column(ForeignKey("notifications.id"))
    number: Mapped[int]
    outcome: Mapped[AttemptOutcome]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    error: Mapped[str | None] = mapped_column(Text)
    provider_id: Mapped[str | None] = mapped_column(String(500))
