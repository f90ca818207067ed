"""The change feed: written with each change, put in order by the relay."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, func, text
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
        Index("ux_events_position", "position", unique=True),
        # What the relay has still to place; small however long the feed is.
        Index("ix_events_unplaced", "id", postgresql_where=text("position IS NULL")),
        Index(None, "created_at"),
    )

    position: Mapped[int | None] = mapped_column(BigInteger)
    type: Mapped[EventType]
    audience: Mapped[Audience] = mapped_column(server_default=Audience.CONSOLE)
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incidents.id"))
    # What subscriptions filter by, as it was when it happened.
    service: Mapped[str | None] = mapped_column(String(100))
    severity: Mapped[str | None] = mapped_column(String(50))
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
