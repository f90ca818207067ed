"""What the demo has made: it takes nothing else back."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base


class DemoMark(Base):
    """One thing of the demo, by what it is there."""

    __tablename__ = "demo_marks"

    resource: Mapped[str] = mapped_column(String(50), primary_key=True)
    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    key: Mapped[int]
