"""Logins and what proves them. Nothing here could be used by who reads it: tokens are kept as
hashes, codes and links are derived from the installation's secret when they are sent."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed, one_of
from app.domain.auth import ChallengePurpose, SessionEnd


class LoginSession(Keyed, Base):
    """One login on one device: a browser's, which its cookie proves, or the family of refresh
    tokens that follow from it."""

    __tablename__ = "login_sessions"
    __table_args__ = (
        one_of("end_reason", SessionEnd),
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="end_has_a_reason"),
        Index(None, "user_id", "id"),
        Index(None, "expires_at"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    address: Mapped[str | None] = mapped_column(String(64))  # where the login came from
    user_agent: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime]
    expires_at: Mapped[datetime]  # when its cookie or its newest refresh token does
    cookie_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[SessionEnd | None]


class RefreshToken(Keyed, Base):
    """Good once: using it makes the next one, using it again ends its session."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (Index(None, "session_id"),)

    session_id: Mapped[int] = mapped_column(ForeignKey("login_sessions.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Challenge(Keyed, Base):
    """A link or a code that was sent to an address; whoever has it, reads that address."""

    __tablename__ = "challenges"
    __table_args__ = (
        one_of("purpose", ChallengePurpose),
        CheckConstraint("purpose = 'signup' OR user_id IS NOT NULL", name="about_somebody"),
        CheckConstraint(
            "(purpose = 'contact_method') = (contact_method_id IS NOT NULL)",
            name="about_an_address",
        ),
        CheckConstraint("failures >= 0", name="failures_counted"),
        Index(None, "user_id", "purpose"),
        Index(None, "contact_method_id"),
        Index(None, "expires_at"),
    )

    purpose: Mapped[ChallengePurpose]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    contact_method_id: Mapped[int | None] = mapped_column(
        ForeignKey("contact_methods.id", ondelete="CASCADE")
    )
    # For a signup: the account to be made, its password hashed. There is no user before.
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default="0")
