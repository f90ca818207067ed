"""The audit log: what is added to it, read from it and, after a long time, forgotten."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.models import AuditEntry


@dataclass(frozen=True)
class AuditFilter:
    """Which entries: each field that is given narrows."""

    user_id: int | None = None
    action: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    request_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def add(session: WriteSession, entry: Mapping[str, Any]) -> None:
    await base.add(session, AuditEntry(**entry))


def _wanted(where: AuditFilter) -> Select[tuple[AuditEntry]]:
    statement = select(AuditEntry)
    for name in ("user_id", "action", "resource_type", "resource_id", "request_id"):
        value = getattr(where, name)
        if value is not None:
            statement = statement.where(getattr(AuditEntry, name) == value)
    if where.since is not None:
        statement = statement.where(AuditEntry.created_at >= where.since)
    if where.until is not None:
        statement = statement.where(AuditEntry.created_at < where.until)
    return statement


async def list_page(
    session: ReadSession, where: AuditFilter, wanted: base.Window
) -> base.Slice[AuditEntry]:
    """The entries that match, newest first."""
    return await base.window(session, _wanted(where), AuditEntry.id, wanted)


async def before(
    session: ReadSession, where: AuditFilter, key: int | None, *, limit: int
) -> Sequence[AuditEntry]:
    """The next `limit` entries that match, newest first, below `key`: an export goes on there."""
    statement = _wanted(where).order_by(AuditEntry.id.desc()).limit(limit)
    if key is not None:
        statement = statement.where(AuditEntry.id < key)
    return (await session.scalars(statement)).all()


async def forget(session: WriteSession, *, kept_days: int, limit: int) -> int:
    """Forget up to `limit` entries older than that; how many it were."""
    forgotten = await session.scalar(select(func.audit_log_forget(kept_days, limit)))
    return int(forgotten or 0)
