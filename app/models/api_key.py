"""Keys with which programs act as the person who made them."""

from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, String, Text, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base_class import Base, Keyed
from app.models.user import User


class ApiKey(Keyed, Base):
    """A secret of a person, kept as a hash. It opens what both its scopes and its owner's role
    allow, while the owner's account is active."""

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint("name <> ''", name="named"),
        CheckConstraint("'read' = ANY (scopes)", name="reads"),
        CheckConstraint("scopes <@ ARRAY['read', 'respond', 'administer']", name="scopes_known"),
        Index(None, "user_id", "id"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(100))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(20))  # its first characters, to tell keys apart
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]  # to the minute
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="raise")
