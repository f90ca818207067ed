"""Files of subscribers: what came, how far it was taken in, and what was wrong with which line."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed, Stamped, one_of
from app.domain.subscriber_import import ImportState, LineOutcome


class SubscriberImport(Keyed, Stamped, Base):
    """One file. Its lines are rows, taken in a few at a time: `taken` is how far it has come.

    The counts move in the transaction that takes the lines in, so they say what is.
    """

    __tablename__ = "subscriber_imports"
    __table_args__ = (
        one_of("state", ImportState),
        CheckConstraint("taken <= lines", name="taken_of_lines"),
        CheckConstraint("added + known + refused = taken", name="counted_whole"),
        CheckConstraint("(state = 'running') = (finished_at IS NULL)", name="finished_at"),
        Index("ix_subscriber_imports_running", "id", postgresql_where=text("state = 'running'")),
        Index(None, "created_by"),
        Index(
            "ix_subscriber_imports_finished_at",
            "finished_at",
            postgresql_where=text("finished_at IS NOT NULL"),
        ),
    )

    name: Mapped[str] = mapped_column(String(255))  # the file's
    state: Mapped[ImportState] = mapped_column(server_default=ImportState.RUNNING)
    # Whoever sent it says that these people agreed: they are told without following a link.
    have_agreed: Mapped[bool]
    lines: Mapped[int] = mapped_column(server_default="0")
    taken: Mapped[int] = mapped_column(server_default="0")
    added: Mapped[int] = mapped_column(server_default="0")
    known: Mapped[int] = mapped_column(server_default="0")
    refused: Mapped[int] = mapped_column(server_default="0")
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    finished_at: Mapped[datetime | None]


class SubscriberImportLine(Keyed, Base):
    """One line of a file; what it said is kept until it is taken in, or as long as it was bad."""

    __tablename__ = "subscriber_import_lines"
    __table_args__ = (
        UniqueConstraint("import_id", "number"),
        one_of("outcome", LineOutcome),
        CheckConstraint("(outcome = 'refused') = (reason IS NOT NULL)", name="refused_says_why"),
        Index(
            "ix_subscriber_import_lines_waiting",
            "import_id",
            "number",
            postgresql_where=text("outcome = 'waiting'"),
        ),
        Index(
            "ix_subscriber_import_lines_refused",
            "import_id",
            "number",
            postgresql_where=text("outcome = 'refused'"),
        ),
    )

    import_id: Mapped[int] = mapped_column(ForeignKey("subscriber_imports.id", ondelete="CASCADE"))
    number: Mapped[int]
    given: Mapped[str] = mapped_column(Text)  # as JSON: its cells by the names of the head
    outcome: Mapped[LineOutcome] = mapped_column(server_default=LineOutcome.WAITING)
    reason: Mapped[str | None] = mapped_column(Text)
