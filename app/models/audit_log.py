"""Who changed what. Rows are only ever added: triggers (migration 0006) refuse the rest, except
that a function of the database forgets what is old."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.source import Source
from app.db.base_class import Base, Keyed, one_of
from app.domain.audit_log import ActorKind, cut


class AuditEntry(Keyed, Base):
    """One change of one thing. It names people and things by number without a foreign key: it
    outlives them all."""

    __tablename__ = "audit_log"
    __table_args__ = (
        one_of("actor_kind", ActorKind),
        Index(None, "created_at"),
        Index(None, "user_id", "id"),
        Index(None, "action", "id"),
        Index(None, "resource_type", "resource_id", "id"),
        Index(None, "request_id"),
    )

    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    actor_kind: Mapped[ActorKind]
    actor: Mapped[str | None] = mapped_column(String(255))  # their name at that time
    user_id: Mapped[int | None]
    api_key_id: Mapped[int | None]
    action: Mapped[str] = mapped_column(String(100))
    resource_type: Mapped[str] = mapped_column(String(50))
    resource_id: Mapped[str | None] = mapped_column(String(100))
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    address: Mapped[str | None] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(128))
    user_agent: Mapped[str | None] = mapped_column(String(200))


def entry(
    source: Source, action: str, resource_id: object, changes: Mapping[str, Any]
) -> dict[str, Any]:
    """An entry as it is written: who it was, from where, and what they did to what.

    An action is `resource.verb`.
    """
    return {
        "actor_kind": source.kind,
        "actor": cut(source.name, 255),
        "user_id": source.user_id,
        "api_key_id": source.api_key_id,
        "action": action,
        "resource_type": action.partition(".")[0],
        "resource_id": None if resource_id is None else str(resource_id)[:100],
        "changes": dict(changes),
        "address": cut(source.address, 64),
        "request_id": cut(source.request_id, 128),
        "user_agent": cut(source.user_agent, 200),
    }
