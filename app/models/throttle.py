"""How often something was tried lately, by whom or at whom."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base


class Throttle(Base):
    """One count in one window of time. `key` is a digest: the table names nobody."""

    __tablename__ = "throttles"
    __table_args__ = (Index(None, "ends_at"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    ends_at: Mapped[datetime]
