"""Who of the public wants to be told, of what, and what each of them was sent."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
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
from app.domain.notification import Channel
from app.domain.subscriber import (
    CHANNELS,
    Cadence,
    LetterKind,
    LetterStatus,
    SubscriberOrigin,
    SubscriberState,
)

_CHANNELS = ", ".join(f"'{channel}'" for channel in CHANNELS)


class Subscriber(Keyed, Revised, Base):
    """One address of one channel, which is in the table once.

    It is found by the digest of its address, and by that of the token in its links; what is secret
    in a webhook's or a chat's address is sealed. `asked_at` moves with each link that is sent.
    """

    __tablename__ = "subscribers"
    __table_args__ = (
        CheckConstraint(f"channel IN ({_CHANNELS})", name="channel_known"),
        one_of("state", SubscriberState),
        one_of("frequency", Cadence),
        one_of("origin", SubscriberOrigin),
        CheckConstraint("address <> ''", name="address_given"),
        CheckConstraint("(channel IN ('webhook', 'chat')) = (secret IS NOT NULL)", name="sealed"),
        CheckConstraint("state <> 'active' OR confirmed_at IS NOT NULL", name="active_confirmed"),
        CheckConstraint(
            "(state = 'unsubscribed') = (unsubscribed_at IS NOT NULL)", name="unsubscribed_at"
        ),
        CheckConstraint(
            "(state = 'bouncing') = (bounced_at IS NOT NULL)"
            " AND (bounced_at IS NULL) = (bounce_reason IS NULL)",
            name="bounced_says_why",
        ),
        Index(None, "state", "id"),
        Index(None, "channel", "id"),
        Index(None, "created_by"),
        # Those that never proved themselves, and those that left, are forgotten by their time.
        Index("ix_subscribers_unconfirmed", "asked_at", postgresql_where=text("state = 'pending'")),
        Index(
            "ix_subscribers_unsubscribed_at",
            "unsubscribed_at",
            postgresql_where=text("unsubscribed_at IS NOT NULL"),
        ),
    )

    channel: Mapped[Channel]
    # A mail address or a phone number; of a webhook or a chat what anybody may see.
    address: Mapped[str] = mapped_column(String(2000))
    address_hash: Mapped[str] = mapped_column(String(64), unique=True)
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    # What its token is made from, with a key that is in no table; and the digest of that token.
    link_number: Mapped[int] = mapped_column(unique=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    state: Mapped[SubscriberState] = mapped_column(server_default=SubscriberState.PENDING)
    frequency: Mapped[Cadence] = mapped_column(server_default=Cadence.IMMEDIATE)
    is_for_everything: Mapped[bool] = mapped_column(server_default=true())
    # What was asked for and is not proved yet: following the link makes it count.
    asked_for: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    origin: Mapped[SubscriberOrigin]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    asked_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    unsubscribed_at: Mapped[datetime | None]
    bounced_at: Mapped[datetime | None]
    bounce_reason: Mapped[str | None] = mapped_column(Text)


class SubscriberScope(Keyed, Base):
    """One thing that somebody wants to be told of who does not want everything.

    A group means whatever belongs to it when something happens.
    """

    __tablename__ = "subscriber_scopes"
    __table_args__ = (
        CheckConstraint(
            "num_nonnulls(component_id, group_id, public_incident_id) = 1", name="one_thing"
        ),
        UniqueConstraint("subscriber_id", "component_id"),
        UniqueConstraint("subscriber_id", "group_id"),
        UniqueConstraint("subscriber_id", "public_incident_id"),
        Index(None, "component_id"),
        Index(None, "group_id"),
        Index(None, "public_incident_id"),
    )

    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"))
    component_id: Mapped[int | None] = mapped_column(
        ForeignKey("status_components.id", ondelete="CASCADE")
    )
    group_id: Mapped[int | None] = mapped_column(
        ForeignKey("component_groups.id", ondelete="CASCADE")
    )
    public_incident_id: Mapped[int | None] = mapped_column(
        ForeignKey("public_incidents.id", ondelete="CASCADE")
    )


class SubscriberDelivery(Keyed, Base):
    """One sending to one subscriber. The unique keys make one of each notice, and one digest a day.

    `ready_at` is its only clock: while pending it says when to send, while sending when the lease
    ends. A notice that goes into a digest has no clock of its own: it shares the digest's fate.
    """

    __tablename__ = "subscriber_deliveries"
    __table_args__ = (
        UniqueConstraint("notice_id", "subscriber_id"),
        UniqueConstraint("subscriber_id", "digest_at"),
        one_of("kind", LetterKind),
        one_of("status", LetterStatus),
        CheckConstraint("(kind = 'notice') = (notice_id IS NOT NULL)", name="notice_named"),
        CheckConstraint("(kind = 'digest') = (digest_at IS NOT NULL)", name="digest_timed"),
        CheckConstraint("digest_id IS NULL OR kind = 'notice'", name="digest_of_notices"),
        CheckConstraint(
            "(status IN ('pending', 'sending') AND digest_id IS NULL) = (ready_at IS NOT NULL)",
            name="waiting_is_ready",
        ),
        CheckConstraint(
            "(status IN ('pending', 'sending')) = (settled_at IS NULL)", name="settled_at"
        ),
        CheckConstraint(
            "status NOT IN ('failed', 'cancelled') OR last_error IS NOT NULL",
            name="unsent_says_why",
        ),
        Index(
            "ix_subscriber_deliveries_ready",
            "channel",
            "ready_at",
            "id",
            postgresql_where=text("ready_at IS NOT NULL"),
        ),
        Index(None, "subscriber_id", "id"),
        Index(None, "status", "id"),
        Index(None, "digest_id"),
        Index(
            "ix_subscriber_deliveries_settled_at",
            "settled_at",
            postgresql_where=text("settled_at IS NOT NULL"),
        ),
    )

    # Its mark: the Message-ID, or webhook-id.
    uid: Mapped[UUID] = mapped_column(server_default=func.gen_random_uuid())
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"))
    channel: Mapped[Channel]  # the subscriber's, which never changes
    kind: Mapped[LetterKind]
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("public_notices.id"))
    digest_at: Mapped[datetime | None]
    digest_id: Mapped[int | None] = mapped_column(
        ForeignKey("subscriber_deliveries.id", ondelete="CASCADE")
    )
    status: Mapped[LetterStatus] = mapped_column(server_default=LetterStatus.PENDING)
    ready_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    # How many of them were made before somebody had it sent again.
    attempts_before: Mapped[int] = mapped_column(server_default="0")
    # A sender vanished in mid-send, or somebody had it sent again: the same mark may come twice.
    is_resend: Mapped[bool] = mapped_column(server_default=false())
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def next_attempt_at(self) -> datetime | None:
        """When it is sent next; while it is being sent nobody knows."""
        return self.ready_at if self.status is LetterStatus.PENDING else None
