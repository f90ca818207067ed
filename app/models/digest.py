"""The summaries that people want, and those that were made.

Rows, not timers: `next_at` is when a person's next one is due. Of one day a person has one, and
the row that says so is made in the transaction that promises the mail.
"""

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed, Stamped, one_of
from app.domain.digest import USUAL_HOUR, DigestFrequency, DigestOutcome


class DigestPreference(Stamped, Base):
    """When a person wants a summary. No row means never."""

    __tablename__ = "digest_preferences"
    __table_args__ = (
        one_of("frequency", DigestFrequency),
        CheckConstraint("hour BETWEEN 0 AND 23", name="hour_of_a_day"),
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday_of_a_week"),
        CheckConstraint("(frequency = 'off') = (next_at IS NULL)", name="wanted_is_due"),
        Index(
            "ix_digest_preferences_due",
            "next_at",
            "user_id",
            postgresql_where=text("next_at IS NOT NULL"),
        ),
    )

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    frequency: Mapped[DigestFrequency] = mapped_column(server_default=DigestFrequency.OFF)
    hour: Mapped[int] = mapped_column(SmallInteger, server_default=str(USUAL_HOUR))
    weekday: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    time_zone: Mapped[str | None] = mapped_column(String(64))  # None: the person's own
    even_when_empty: Mapped[bool] = mapped_column(server_default=false())
    action_reminders: Mapped[bool] = mapped_column(server_default=true())
    next_at: Mapped[datetime | None]


class Digest(Keyed, Base):
    """The summary of one day for one person, and what became of it."""

    __tablename__ = "digests"
    __table_args__ = (
        UniqueConstraint("user_id", "day"),
        one_of("outcome", DigestOutcome),
        one_of("frequency", DigestFrequency),
        CheckConstraint("until > since", name="lasts"),
        Index(None, "notification_id"),
        Index(None, "made_at"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    day: Mapped[date]
    frequency: Mapped[DigestFrequency]
    since: Mapped[datetime]
    until: Mapped[datetime]
    outcome: Mapped[DigestOutcome]
    notification_id: Mapped[int | None] = mapped_column(
        ForeignKey("notifications.id", ondelete="SET NULL")
    )
    made_at: Mapped[datetime]
