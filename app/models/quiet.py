"""What is asked again later: services whose ways have changed, incidents that may have fallen
silent."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed


class QuietReview(Keyed, Base):
    """A service that may keep paging waiting otherwise than it did: whoever waits is asked again.

    A row of its own, written with the change and worked off after it, so that nobody who changes
    a service needs to hold incidents. By name, as incidents know it; without one for all.
    """

    __tablename__ = "quiet_reviews"

    service: Mapped[str | None] = mapped_column(String(100))
    # Incidents up to this one were asked.
    asked: Mapped[int] = mapped_column(server_default=text("0"))


class SilenceWatch(Base):
    """An incident that is over once no alert has come for long enough.

    `due_at` is when it is looked at next, no sooner than it could be over. Alerts that join do not
    touch it: when it is due, the time of the last one moves it on.
    """

    __tablename__ = "silence_watches"
    __table_args__ = (Index(None, "due_at", "incident_id"),)

    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), primary_key=True)
    since: Mapped[datetime]  # silence counts from here at the earliest
    due_at: Mapped[datetime]
