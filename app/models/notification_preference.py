"""How a person wants to be reached: over which addresses, by which rules, and what is off."""

from datetime import datetime, time

from sqlalchemy import (
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    false,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base_class import Base, Keyed, Stamped, one_of
from app.domain.incident import Severity, Urgency
from app.domain.notification import Channel


class ContactMethod(Keyed, Stamped, Base):
    """An address of a person on a channel. Only a verified one is paged."""

    __tablename__ = "contact_methods"
    __table_args__ = (
        UniqueConstraint("user_id", "channel", "address"),
        one_of("channel", Channel),
        CheckConstraint("address <> ''", name="address_given"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    channel: Mapped[Channel]
    address: Mapped[str] = mapped_column(String(2000))
    # What the address needs besides itself, encrypted: a subscription's keys, a chat's whole URL.
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    label: Mapped[str | None] = mapped_column(String(100))
    verified_at: Mapped[datetime | None]
    # Also told what became of what it was paged for: acknowledged, resolved, assigned.
    wants_updates: Mapped[bool] = mapped_column(server_default=false())


class NotificationRule(Keyed, Stamped, Base):
    """After so many minutes over this contact method; later ones fall away once answered."""

    __tablename__ = "notification_rules"
    __table_args__ = (
        UniqueConstraint("user_id", "position", deferrable=True, initially="DEFERRED"),
        Index(None, "contact_method_id"),
        CheckConstraint("delay_minutes >= 0 AND delay_minutes <= 10080", name="delay_bounded"),
        CheckConstraint("(quiet_from IS NULL) = (quiet_until IS NULL)", name="quiet_hours_whole"),
        CheckConstraint("quiet_from <> quiet_until", name="quiet_hours_some"),
        one_of("urgency", Urgency),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    contact_method_id: Mapped[int] = mapped_column(
        ForeignKey("contact_methods.id", ondelete="CASCADE")
    )
    position: Mapped[int]
    delay_minutes: Mapped[float] = mapped_column(Float, server_default="0")
    min_severity: Mapped[Severity | None]
    urgency: Mapped[Urgency | None]  # None: for all
    quiet_from: Mapped[time | None]
    quiet_until: Mapped[time | None]

    contact_method: Mapped[ContactMethod] = relationship(lazy="raise")


class NotificationPreference(Keyed, Stamped, Base):
    """A person's switch for a channel. No row means on."""

    __tablename__ = "notification_preferences"
    __table_args__ = (UniqueConstraint("user_id", "channel"), one_of("channel", Channel))

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    channel: Mapped[Channel]
    is_enabled: Mapped[bool] = mapped_column(server_default=true())
