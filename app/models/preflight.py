"""What the nightly checks found: what stands, and when they ran.

A finding is one hole in one thing: while it stays it keeps its row, and the mail that told of it
is not written twice. What is mended is gone at the next run, and comes back as news.
"""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed, one_of
from app.domain.finding import Gravity


class PreflightFinding(Keyed, Base):
    """One hole, in words; `told_at` says since when the admins know."""

    __tablename__ = "preflight_findings"
    __table_args__ = (
        one_of("severity", Gravity),
        UniqueConstraint("code", "place"),
        CheckConstraint("message <> '' AND fix <> ''", name="says_what_to_do"),
        Index(None, "last_seen_at"),
    )

    code: Mapped[str] = mapped_column(String(50))
    # What tells this hole from others of its code, and stays the same from night to night.
    place: Mapped[str] = mapped_column(String(255))
    severity: Mapped[Gravity]
    message: Mapped[str] = mapped_column(Text)
    fix: Mapped[str] = mapped_column(Text)
    link: Mapped[str] = mapped_column(String(255))
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    told_at: Mapped[datetime | None]


class PreflightRun(Base):
    """The run of one day, in UTC. Whoever wrote its row first makes it, unless they vanish."""

    __tablename__ = "preflight_runs"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    found: Mapped[int | None]
