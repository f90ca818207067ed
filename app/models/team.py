"""Teams, and who is in them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, false, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed, Revised


class Team(Keyed, Revised, Base):
    """Whoever looks after services together. It is deleted only once it owns nothing."""

    __tablename__ = "teams"
    __table_args__ = (
        CheckConstraint("name <> ''", name="named"),
        Index("uq_teams_name_folded", text("lower(name)"), unique=True),
    )

    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str | None] = mapped_column(Text)
    # Where most of it works; what it owns may have a zone of its own.
    time_zone: Mapped[str | None] = mapped_column(String(64))


class TeamMember(Base):
    """Somebody's place in a team. It outlives a deactivation, and then counts for nothing."""

    __tablename__ = "team_members"
    __table_args__ = (Index(None, "user_id"),)

    team_id: Mapped[int] = mapped_column(
        ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    is_lead: Mapped[bool] = mapped_column(server_default=false())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
