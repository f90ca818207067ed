"""What was promised after an incident, and when its owner is reminded of it.

Rows, not timers: a reminder is one for each (item, person, kind, day it is due), however often
its day is moved to and fro, and whoever tells it.
"""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base_class import Base, Keyed, Revised, Stamped, one_of
from app.domain.action_item import (
    ActionItemPriority,
    ActionItemState,
    ReminderKind,
    ReminderState,
)
from app.models.postmortem import Postmortem
from app.models.user import User

UNFINISHED = text("state IN ('open', 'in_progress')")


class ActionItem(Keyed, Revised, Base):
    """One thing that somebody does so that it does not happen again."""

    __tablename__ = "action_items"
    __table_args__ = (
        one_of("state", ActionItemState),
        one_of("priority", ActionItemPriority),
        CheckConstraint("title <> ''", name="named"),
        CheckConstraint(
            "(state IN ('done', 'dropped')) = (finished_at IS NOT NULL)", name="finished_at"
        ),
        Index(None, "postmortem_id", "id"),
        Index(None, "owner_id", "id"),
        Index(None, "created_by"),
        Index(None, "updated_at", "id"),
        Index("ix_action_items_unfinished", "due_on", "id", postgresql_where=UNFINISHED),
    )

    postmortem_id: Mapped[int] = mapped_column(ForeignKey("postmortems.id"))
    title: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    state: Mapped[ActionItemState] = mapped_column(server_default=ActionItemState.OPEN)
    priority: Mapped[ActionItemPriority] = mapped_column(server_default=ActionItemPriority.MEDIUM)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    due_on: Mapped[date | None]
    url: Mapped[str | None] = mapped_column(String(2000))  # where the work is tracked
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    finished_at: Mapped[datetime | None]

    owner: Mapped[User | None] = relationship(lazy="raise", foreign_keys=[owner_id])
    postmortem: Mapped[Postmortem] = relationship(lazy="raise")


class ActionItemReminder(Keyed, Stamped, Base):
    """One thing to remind one person of. `ready_at` is when; quiet hours move it on."""

    __tablename__ = "action_item_reminders"
    __table_args__ = (
        UniqueConstraint("action_item_id", "user_id", "kind", "due_on"),
        one_of("kind", ReminderKind),
        one_of("state", ReminderState),
        CheckConstraint("(state = 'planned') = (ready_at IS NOT NULL)", name="planned_is_ready"),
        Index(
            "ix_action_item_reminders_ready",
            "ready_at",
            "id",
            postgresql_where=text("ready_at IS NOT NULL"),
        ),
        Index(None, "user_id"),
    )

    action_item_id: Mapped[int] = mapped_column(ForeignKey("action_items.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[ReminderKind]
    due_on: Mapped[date]
    ready_at: Mapped[datetime | None]
    state: Mapped[ReminderState] = mapped_column(server_default=ReminderState.PLANNED)
