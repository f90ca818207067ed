"""What people are told of their duty: what they want to hear, what is planned, when to look again.

Rows, not timers. A notice is one for each (schedule, person, kind, instant it is about), however
many replicas plan it, and however often. A schedule is looked at again when `next_look_at` has
come; triggers (migration 0012) bring that forward with every edit.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed, Stamped, one_of
from app.domain.notification import Channel
from app.domain.on_call_notice import NoticeKind, NoticeState


class OnCallNoticePreference(Stamped, Base):
    """What a person wants to be told of their duty. No row means the usual."""

    __tablename__ = "on_call_notice_preferences"
    __table_args__ = (
        CheckConstraint("reminder_minutes BETWEEN 1 AND 1440", name="reminder_bounded"),
    )

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    at_start: Mapped[bool] = mapped_column(server_default=true())
    at_end: Mapped[bool] = mapped_column(server_default=false())
    on_change: Mapped[bool] = mapped_column(server_default=true())
    reminder_minutes: Mapped[int | None]  # before it begins; None: no reminder
    channels: Mapped[list[Channel]] = mapped_column(ARRAY(String(50)))


class OnCallWatch(Base):
    """How a schedule was found when it was last looked at: who is on call in the hours `ahead`."""

    __tablename__ = "on_call_watches"
    __table_args__ = (Index(None, "next_look_at"),)

    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id"), primary_key=True)
    next_look_at: Mapped[datetime]
    looked_at: Mapped[datetime | None]
    ahead: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")


class OnCallNotice(Keyed, Stamped, Base):
    """One thing to tell one person of their duty. `ready_at` is when; quiet hours move it on."""

    __tablename__ = "on_call_notices"
    __table_args__ = (
        UniqueConstraint("schedule_id", "user_id", "kind", "about_at"),
        one_of("kind", NoticeKind),
        one_of("state", NoticeState),
        CheckConstraint("(state = 'planned') = (ready_at IS NOT NULL)", name="planned_is_ready"),
        Index(
            "ix_on_call_notices_ready",
            "ready_at",
            "id",
            postgresql_where=text("ready_at IS NOT NULL"),
        ),
        Index(None, "user_id"),
        Index(None, "updated_at"),
    )

    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[NoticeKind]
    about_at: Mapped[datetime]  # when the duty begins, ends, or is another one
    due_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]
    state: Mapped[NoticeState] = mapped_column(server_default=NoticeState.PLANNED)
    # Of a change: the times that were gained and lost.
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
