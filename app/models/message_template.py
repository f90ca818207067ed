"""Wordings of an installation's own, in the place of the built-in ones."""

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed, Revised, one_of
from app.domain.notification import Channel, NotificationKind


class MessageTemplate(Keyed, Revised, Base):
    """How one kind of message reads on one channel. No row means the built-in wording."""

    __tablename__ = "message_templates"
    __table_args__ = (
        UniqueConstraint("kind", "channel"),
        one_of("kind", NotificationKind),
        one_of("channel", Channel),
        Index(None, "updated_by"),
    )

    kind: Mapped[NotificationKind]
    channel: Mapped[Channel]
    subject: Mapped[str | None] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    updated_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
