"""Cover that people ask for and swaps that they offer, and what became of each."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed, Revised, one_of
from app.domain.shift_request import RequestKind, RequestStatus
from app.domain.timeline import Interval


class ShiftRequest(Keyed, Revised, Base):
    """A shift that somebody wants to be rid of, and for a swap the one they would take.

    What taking it changed about the schedule is in overrides, which this names.
    """

    __tablename__ = "shift_requests"
    __table_args__ = (
        one_of("kind", RequestKind),
        one_of("status", RequestStatus),
        CheckConstraint("ends_at > starts_at", name="lasts"),
        CheckConstraint("wanted_until > wanted_from", name="wanted_lasts"),
        CheckConstraint(
            "CASE WHEN kind = 'swap' THEN num_nulls(wanted_from, wanted_until, asked_of) = 0"
            " ELSE num_nonnulls(wanted_from, wanted_until) = 0 END",
            name="swap_is_whole",
        ),
        CheckConstraint("asked_of <> asked_by", name="asks_another"),
        CheckConstraint("taken_by <> asked_by", name="another_takes"),
        CheckConstraint(
            "(status IN ('taken', 'given_back')) = (taken_by IS NOT NULL)", name="taken_by_somebody"
        ),
        CheckConstraint("(status = 'open') = (settled_at IS NULL)", name="settled_once"),
        Index(None, "schedule_id", "id"),
        Index(None, "asked_by", "id"),
        Index(None, "asked_of", "id"),
        Index(None, "taken_by", "id"),
        Index(None, "override_id"),
        Index(None, "return_override_id"),
        Index("ix_shift_requests_open", "expires_at", postgresql_where=text("status = 'open'")),
        # Whose changes of a schedule are known to them anyway.
        Index(None, "schedule_id", "settled_at"),
    )

    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id"))
    kind: Mapped[RequestKind]
    status: Mapped[RequestStatus] = mapped_column(server_default=RequestStatus.OPEN)
    asked_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    asked_of: Mapped[int | None] = mapped_column(ForeignKey("users.id"))  # None: anybody
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    wanted_from: Mapped[datetime | None]
    wanted_until: Mapped[datetime | None]
    message: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime]
    taken_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    # When it was taken, declined, given back …: when it last became what it is.
    settled_at: Mapped[datetime | None]
    override_id: Mapped[int | None] = mapped_column(ForeignKey("schedule_overrides.id"))
    return_override_id: Mapped[int | None] = mapped_column(ForeignKey("schedule_overrides.id"))

    @property
    def given(self) -> Interval:
        """The shift that is to be taken."""
        return Interval(self.starts_at, self.ends_at)

    @property
    def wanted(self) -> Interval | None:
        """The shift that is taken in return."""
        if self.wanted_from is None or self.wanted_until is None:
            return None
        return Interval(self.wanted_from, self.wanted_until)

    def settle(self, status: RequestStatus, *, now: datetime) -> None:
        """Let this be what became of it."""
        self.status = status
        self.settled_at = now
        self.touch(now)
