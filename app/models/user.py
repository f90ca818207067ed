"""People."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Computed, Index, String, text, true
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed, Revised, one_of
from app.domain.api_key import KeyInUse
from app.domain.user import Permission, Role, may


class User(Keyed, Revised, Base):
    __tablename__ = "users"
    __table_args__ = (
        one_of("role", Role),
        CheckConstraint("email = btrim(email) AND email <> ''", name="email_given"),
        CheckConstraint("deleted_at IS NULL OR NOT is_active", name="deleted_is_inactive"),
        # An address is free again once its account is deleted.
        Index(
            "uq_users_email_folded",
            text("lower(email)"),
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )

    email: Mapped[str] = mapped_column(String(255))
    hashed_password: Mapped[str] = mapped_column(String(255))
    full_name: Mapped[str | None] = mapped_column(String(255))
    role: Mapped[Role] = mapped_column(server_default=Role.RESPONDER)
    is_active: Mapped[bool] = mapped_column(server_default=true())
    # What older clients ask for; it cannot drift from the role.
    is_superuser: Mapped[bool] = mapped_column(Computed("role = 'admin'", persisted=True))
    phone: Mapped[str | None] = mapped_column(String(50))
    time_zone: Mapped[str] = mapped_column(String(64), server_default="UTC")

    deleted_at: Mapped[datetime | None]  # the name stays in the history it made

    @property
    def display_name(self) -> str:
        """What to call this person in a sentence."""
        return self.full_name or self.email

    @property
    def key(self) -> KeyInUse | None:
        """The API key that this caller brought; None for whoever logged in."""
        return getattr(self, "_key", None)

    def limit_to(self, key: KeyInUse) -> None:
        """From here on this is a program that holds a key of theirs."""
        self._key = key

    def may(self, permission: Permission) -> bool:
        """Whether the role allows it, and the key that was brought, if one was."""
        return may(self.role, permission) and (self.key is None or permission in self.key.scopes)
