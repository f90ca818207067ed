"""Whose turn it was last, of people who take turns."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base


class RoundRobin(Base):
    """One ring of people: a team, or a list that policies name.

    The row is held from the choice to the commit of the step that pages, so that two steps at
    once choose two people. Whoever takes several takes them in the order of `ring`, after the
    incidents, which nobody who holds one waits for.
    """

    __tablename__ = "round_robins"
    __table_args__ = (Index(None, "last_user_id"),)

    ring: Mapped[str] = mapped_column(String(1200), primary_key=True)
    last_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    turns: Mapped[int] = mapped_column(server_default="0")
    updated_at: Mapped[datetime]
