"""The status page's own settings, and how far it has come."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, String, Text, false, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Revised


class StatusPage(Revised, Base):
    """The one page there is.

    Its row is the lock that whoever changes what the public sees holds; each such change raises
    `version`, which is how whoever keeps a copy learns that it is old.
    """

    __tablename__ = "status_pages"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        CheckConstraint("name <> ''", name="named"),
        CheckConstraint("jsonb_typeof(update_minutes) = 'object'", name="update_minutes_object"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(100), server_default="Status")
    # Where the public reaches it, if that is not where Tocsin is.
    url: Mapped[str | None] = mapped_column(String(2000))
    description: Mapped[str | None] = mapped_column(Text)
    support_url: Mapped[str | None] = mapped_column(String(2000))
    time_zone: Mapped[str] = mapped_column(String(64), server_default="UTC")
    # Whether an update says who wrote it.
    shows_authors: Mapped[bool] = mapped_column(server_default=false())
    # After how many minutes the public is to hear again, by the incident's severity.
    update_minutes: Mapped[dict[str, int]] = mapped_column(
        JSONB, server_default=text("""'{"high": 60, "medium": 120, "critical": 30}'""")
    )
    version: Mapped[int] = mapped_column(BigInteger, server_default="1")
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
