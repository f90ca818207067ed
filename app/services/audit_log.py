"""The audit log, in words: for what is done to rows in bulk, or to no row at all.

What changes through the mapped classes is noted by itself (`crud.crud_audit_trail`). Either way
an entry is part of the transaction that it tells of, and where nobody has said who is behind a
transaction, there is none.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.core.source import Source
from app.crud import crud_audit_log, crud_audit_trail
from app.db.session import WriteSession, wake_after_commit
from app.domain.audit_log import ActorKind, shown
from app.domain.event import changed
from app.models import User
from app.models.audit_log import entry


def listen() -> None:
    """Note what is changed in this process from here on: whoever builds it says so once."""
    crud_audit_trail.listen()


async def note(
    session: WriteSession,
    action: str,
    resource_id: object,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    about: str | None = None,
    now: datetime | None = None,
) -> None:
    """Say that somebody did this. `action` is `resource.verb`; the values are cleaned here.

    What stayed as it was is left out, but for what tells which thing it is `about`.
    """
    source: Source | None = session.info.get("source")
    if source is None:
        return
    was, new = before or {}, after or {}
    changes: dict[str, Any] = {
        name: {"before": shown(was.get(name)), "after": shown(new.get(name))}
        for name in sorted(was.keys() | new.keys())
        if name == about or was.get(name) != new.get(name)
    }
    dated = {} if now is None else {"created_at": now}
    await crud_audit_log.add(session, {**entry(source, action, resource_id, changes), **dated})
    wake_after_commit(session, changed(action.partition(".")[0]))


def was_proved(session: WriteSession, user: User) -> None:
    """Whoever is behind this transaction has just shown that they are this person."""
    source: Source | None = session.info.get("source")
    if source is not None and source.kind is ActorKind.ANONYMOUS:
        session.info["source"] = replace(
            source, kind=ActorKind.USER, name=user.display_name, user_id=user.id
        )
