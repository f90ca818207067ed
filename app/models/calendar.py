"""Calendars of others that schedules follow: where they are, and what they said when."""

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, deferred, mapped_column

from app.db.base_class import Base, Keyed, Revised, one_of
from app.domain.audit_log import place
from app.domain.calendar import CalendarKind, CalendarState


class Calendar(Keyed, Revised, Base):
    """A calendar at a URL, or one that somebody uploaded.

    `next_fetch_at` is its only clock, and the lease of whoever fetches it. `body` is the last
    copy that could be read.
    """

    __tablename__ = "calendars"
    __table_args__ = (
        one_of("kind", CalendarKind),
        CheckConstraint("name <> ''", name="named"),
        CheckConstraint("(deleted_at IS NULL) = (num_nonnulls(url, body) > 0)", name="has_source"),
        CheckConstraint("(last_error IS NULL) = (failing_since IS NULL)", name="failing_says_why"),
        CheckConstraint("deleted_at IS NULL OR next_fetch_at IS NULL", name="deleted_rests"),
        Index(
            "ix_calendars_next_fetch_at",
            "next_fetch_at",
            "id",
            postgresql_where=text("next_fetch_at IS NOT NULL"),
        ),
        Index(None, "created_by"),
    )

    name: Mapped[str] = mapped_column(String(100))
    kind: Mapped[CalendarKind]
    url: Mapped[str | None] = mapped_column(String(2000))  # who has it can read the calendar
    time_zone: Mapped[str] = mapped_column(String(64))  # of what names none
    body: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    etag: Mapped[str | None] = mapped_column(String(300))
    last_modified: Mapped[str | None] = mapped_column(String(100))
    next_fetch_at: Mapped[datetime | None]
    fetched_at: Mapped[datetime | None]  # when it was last had and understood
    read_at: Mapped[datetime | None]  # when the body was last told out
    failures: Mapped[int] = mapped_column(BigInteger, server_default="0")  # in a row
    failing_since: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    # Entries that could not be understood, and why.
    faults: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    deleted_at: Mapped[datetime | None]

    @property
    def place(self) -> str | None:
        """Where it is, without what its address keeps secret."""
        return None if self.url is None else place(self.url)

    @property
    def state(self) -> CalendarState:
        if self.last_error is not None:
            return CalendarState.FAILING
        return CalendarState.WAITING if self.fetched_at is None else CalendarState.OK


class CalendarShift(Keyed, Base):
    """One entry of a calendar, as long as the calendar said so.

    What was taken back has a `seen_until`. What is over stays as it was last seen. Whose shift it
    is goes by mail address; somebody else with that address is another row.
    """

    __tablename__ = "calendar_shifts"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="lasts"),
        CheckConstraint("seen_from <= seen_until", name="seen_in_order"),
        Index(None, "calendar_id", "ends_at", "id"),
        Index(
            "ix_calendar_shifts_current",
            "calendar_id",
            "starts_at",
            "id",
            postgresql_where=text("seen_until IS NULL"),
        ),
        Index(None, "user_id"),
        Index(None, "ends_at"),
        Index(
            "ix_calendar_shifts_seen_until",
            "seen_until",
            postgresql_where=text("seen_until IS NOT NULL"),
        ),
    )

    calendar_id: Mapped[int] = mapped_column(ForeignKey("calendars.id"))
    uid: Mapped[str] = mapped_column(String(255))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    summary: Mapped[str] = mapped_column(String(255))
    mail: Mapped[str | None] = mapped_column(String(255))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    seen_from: Mapped[datetime]
    seen_until: Mapped[datetime | None]
