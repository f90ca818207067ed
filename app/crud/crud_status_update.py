"""News of incidents, promised by one statement to all who are to hear it."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, String, TextClause, bindparam, text

from app.db.session import WriteSession
from app.domain.notification import NotificationKind

_NEWS = """
    INSERT INTO notifications (kind, incident_id, channel, recipient, rule, user_id,
        contact_method_id, address, facts, due_at, ready_at, created_at, updated_at)
    SELECT :kind, incident_id, channel, recipient, 0, user_id, contact_method_id, address,
        CAST(:facts AS jsonb), :now, :now, :now, :now
    FROM ({told}) told
    ORDER BY incident_id, contact_method_id, address
    RETURNING id
"""
# An address of somebody who wants the news, is not who made it, and has the channel on.
_WANTS_NEWS = """
    c.wants_updates AND c.verified_at IS NOT NULL AND u.is_active
    AND u.id IS DISTINCT FROM :actor_id
    AND NOT EXISTS (
        SELECT 1 FROM notification_preferences p
        WHERE p.user_id = c.user_id AND p.channel = c.channel AND NOT p.is_enabled)
"""
# Whoever was really paged, alone or in a bundle, and every webhook that was called: it needs to
# know how it ended. What is on its way counts, and what may have arrived before its sender
# vanished; so does what was sent and is to be sent again.
_PAGED = """
    SELECT DISTINCT n.incident_id, n.channel, n.recipient, n.user_id, n.contact_method_id,
        n.address
    FROM notifications n
    LEFT JOIN contact_methods c ON c.id = n.contact_method_id
    LEFT JOIN users u ON u.id = n.user_id
    WHERE n.incident_id = ANY(:incidents) AND n.kind = 'page'
        AND (n.status IN ('sending', 'sent', 'delivered', 'suppressed') OR EXISTS (
            SELECT 1 FROM notification_attempts a WHERE a.notification_id = n.id
                AND a.outcome IN ('sent', 'kept', 'unknown')))
        AND (n.user_id IS NULL OR {wants})
"""
_ASSIGNED = """
    SELECT i.incident_id, c.channel, 'user:' || c.user_id AS recipient, c.user_id,
        c.id AS contact_method_id, CAST(NULL AS text) AS address
    FROM unnest(:incidents) AS i(incident_id), contact_methods c JOIN users u ON u.id = c.user_id
    WHERE c.user_id = :assignee_id AND {wants}
"""
_NEWS_TYPES: dict[str, Any] = {
    "kind": String(),
    "facts": String(),
    "incidents": ARRAY(BigInteger()),
    "actor_id": BigInteger(),
    "now": DateTime(timezone=True),
}


def _news(told: str, **types: Any) -> TextClause:
    binds = [bindparam(name, type_=kind) for name, kind in (_NEWS_TYPES | types).items()]
    statement = _NEWS.replace("{told}", told).replace("{wants}", _WANTS_NEWS)
    return text(statement).bindparams(*binds)


_TELL_PAGED = _news(_PAGED)
_TELL_ASSIGNEE = _news(_ASSIGNED, assignee_id=BigInteger())


@dataclass(frozen=True)
class News:
    """What is told about incidents, and who made it so."""

    kind: NotificationKind
    incident_ids: Collection[int]
    facts: Mapping[str, str]
    actor_id: int | None

    def parameters(self, now: datetime) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "facts": json.dumps(self.facts),
            "incidents": sorted(self.incident_ids),
            "actor_id": self.actor_id,
            "now": now,
        }


async def tell_paged(session: WriteSession, news: News, *, now: datetime) -> int:
    """Promise the news to whoever was paged and wants it; how many messages that makes."""
    return len((await session.scalars(_TELL_PAGED, news.parameters(now))).all())


async def tell_assignee(
    session: WriteSession, news: News, assignee_id: int, *, now: datetime
) -> int:
    """Promise the news to all addresses of the assignee that want it; how many that makes."""
    parameters = news.parameters(now) | {"assignee_id": assignee_id}
    return len((await session.scalars(_TELL_ASSIGNEE, parameters)).all())
