"""The change feed: written with each change, put in order by the relay.

There are as few indexes as there can be, because every change that people see writes a row
here, alerts in a storm among them.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, String, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed, one_of
from app.domain.event import Audience, EventType


class Event(Keyed, Base):
    """Something that happened. `position` is None until the relay has given it its place."""

    __tablename__ = "events"
    __table_args__ = (
        one_of("type", EventType),
        one_of("audience", Audience),
        # Readers and their bookmarks know positions only.
        Index(
            "ux_events_position",
            "position",
            unique=True,
            postgresql_where=text("position IS NOT NULL"),
        ),
        # What the relay has still to place; small however long the feed is.
        Index("ix_events_unplaced", "id", postgresql_where=text("position IS NULL")),
    )

    position: Mapped[int | None] = mapped_column(BigInteger)
    type: Mapped[EventType]
    audience: Mapped[Audience] = mapped_column(server_default=Audience.CONSOLE)
    # No foreign key: it is written with what it is about, which is never deleted, and to have
    # each row checked would cost every alert.
    incident_id: Mapped[int | None] = mapped_column(BigInteger)
    # What subscriptions filter by, as it was when it happened.
    service: Mapped[str | None] = mapped_column(String(100))
    severity: Mapped[str | None] = mapped_column(String(50))
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class EventFeed(Base):
    """The place that was given out last, in the one row there is.

    Whoever holds the row is the relay. It remembers the place even when all events are pruned.
    """

    __tablename__ = "event_feed"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        CheckConstraint("position >= 0", name="counts_up"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInteger, server_default="0")
