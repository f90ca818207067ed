"""Outgoing webhooks: who is told of events, and how each telling went."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed, Revised, one_of
from app.domain.webhook import DeliveryStatus, DisabledBecause


class WebhookSubscription(Keyed, Revised, Base):
    """An endpoint and what it wants. `position` is how far it has read the change feed.

    Its secrets are locked in the vault. While one replaces another both sign.
    """

    __tablename__ = "webhook_subscriptions"
    __table_args__ = (
        one_of("disabled_reason", DisabledBecause),
        CheckConstraint("name <> ''", name="named"),
        CheckConstraint("NOT (is_active AND disabled_at IS NOT NULL)", name="active_or_disabled"),
        CheckConstraint(
            "(disabled_at IS NULL) = (disabled_reason IS NULL)", name="disabled_says_why"
        ),
        CheckConstraint(
            "(previous_secret IS NULL) = (previous_until IS NULL)", name="previous_ends"
        ),
        CheckConstraint(
            "deleted_at IS NULL OR NOT is_active AND num_nonnulls(secret, previous_secret) = 0",
            name="deleted_keeps_no_secret",
        ),
        Index(None, "created_by"),
    )

    name: Mapped[str] = mapped_column(String(100))
    url: Mapped[str] = mapped_column(String(2000))
    event_types: Mapped[list[str]] = mapped_column(ARRAY(String(50)), server_default="{}")
    services: Mapped[list[str]] = mapped_column(ARRAY(String(100)), server_default="{}")
    severities: Mapped[list[str]] = mapped_column(ARRAY(String(50)), server_default="{}")
    is_active: Mapped[bool] = mapped_column(server_default=true())
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    previous_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    previous_until: Mapped[datetime | None]
    position: Mapped[int] = mapped_column(BigInteger, server_default="0")
    # Since when every attempt has failed.
    failing_since: Mapped[datetime | None]
    # Tocsin switched it off, not a person.
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[DisabledBecause | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    deleted_at: Mapped[datetime | None]


class WebhookDelivery(Keyed, Base):
    """One event for one subscription. The unique key makes it one, whoever reads the feed.

    `ready_at` is its only clock: while pending it says when to send, while sending when the
    lease ends. It holds what it tells, because the feed forgets sooner.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("subscription_id", "event_id"),
        one_of("status", DeliveryStatus),
        CheckConstraint(
            "(status IN ('pending', 'sending')) = (ready_at IS NOT NULL)", name="waiting_is_ready"
        ),
        CheckConstraint("(ready_at IS NULL) = (settled_at IS NOT NULL)", name="settled_at"),
        CheckConstraint(
            "status NOT IN ('failed', 'cancelled') OR last_error IS NOT NULL",
            name="unsent_says_why",
        ),
        Index(
            "ix_webhook_deliveries_ready",
            "subscription_id",
            "ready_at",
            "id",
            postgresql_where=text("ready_at IS NOT NULL"),
        ),
        Index(None, "subscription_id", "id"),
        Index(None, "subscription_id", "status", "id"),
        Index(
            "ix_webhook_deliveries_settled_at",
            "settled_at",
            postgresql_where=text("settled_at IS NOT NULL"),
        ),
    )

    uid: Mapped[UUID] = mapped_column(server_default=func.gen_random_uuid())  # its webhook-id
    subscription_id: Mapped[int] = mapped_column(ForeignKey("webhook_subscriptions.id"))
    event_id: Mapped[int]  # the event itself may be forgotten by now
    type: Mapped[str] = mapped_column(String(50))
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    occurred_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    status: Mapped[DeliveryStatus] = mapped_column(server_default=DeliveryStatus.PENDING)
    ready_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    # How many of them were made before somebody had it sent again.
    attempts_before: Mapped[int] = mapped_column(server_default="0")
    # A sender vanished in mid-send, or it was replayed: the same mark may come twice.
    is_resend: Mapped[bool] = mapped_column(server_default=false())
    response_code: Mapped[int | None]
    last_error: Mapped[str | None] = mapped_column(Text)

    @property
    def next_attempt_at(self) -> datetime | None:
        """When it is sent next; while it is being sent nobody knows."""
        return self.ready_at if self.status is DeliveryStatus.PENDING else None
