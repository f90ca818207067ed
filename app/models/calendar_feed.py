"""Calendars that go out: the secret addresses under which people's shifts can be subscribed to."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed


class CalendarFeed(Keyed, Base):
    """A secret address, kept as a hash, of all shifts of its owner, or of one schedule.

    It shows nothing once it is revoked or its owner’s account is closed.
    """

    __tablename__ = "calendar_feeds"
    __table_args__ = (
        CheckConstraint("name <> ''", name="named"),
        Index(None, "user_id", "id"),
        Index(
            "ix_calendar_feeds_live",
            "user_id",
            postgresql_where=text("revoked_at IS NULL"),
        ),
        Index(None, "schedule_id", "id"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))  # its owner
    # Null: the owner’s own shifts.
    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("schedules.id"))
    name: Mapped[str] = mapped_column(String(100))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(20))  # its first characters, to tell feeds apart
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime | None]  # to the hour
    revoked_at: Mapped[datetime | None]
