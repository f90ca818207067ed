"""How a change becomes an entry of the audit log.

Whatever is added, changed or deleted through a mapped class, in a transaction that knows who is
behind it (`session.info["source"]`), leaves an entry in that same transaction; and once that has
committed, whoever looks at things of this kind is told to look again. A statement that
changes rows in bulk is not seen here: whoever runs one for a person says so in words
(`services.audit_log`). Of machines' work, ingest above all, nothing is looked at.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import event, insert, inspect
from sqlalchemy.orm import InstanceState, Session, UOWTransaction

from app.core.source import Source
from app.db.base_class import Base
from app.domain.audit_log import LEFT_OUT, Changes, place, shown
from app.domain.event import changed
from app.models import AuditEntry
from app.models.audit_log import entry
from app.models.audit_trail import AUDITED, STATUS_VERBS, VERBS, Audited


def listen() -> None:
    """Note what is changed in this process from here on."""
    if not event.contains(Session, "after_flush", _note):
        event.listen(Session, "after_flush", _note)


def _note(session: Session, _: UOWTransaction) -> None:
    source = session.info.get("source")
    if source is None:
        return
    entries = list(_entries(session, source))
    if entries:
        now = session.info.get("now")
        dated = [{**one, "created_at": now} for one in entries] if now is not None else entries
        session.connection().execute(insert(AuditEntry), dated)
        resources = {str(one["action"]).partition(".")[0] for one in entries}
        session.info.setdefault("wake", set()).update(map(changed, resources))


def _entries(session: Session, source: Source) -> Iterator[dict[str, Any]]:
    for kind, rows in (
        ("created", session.new),
        ("updated", session.dirty),
        ("deleted", session.deleted),
    ):
        for row in rows:
            about = AUDITED.get(type(row))
            if about is not None:
                state = inspect(row)
                changes = _changes(state, about, kind)
                if changes:
                    verb = _verb(changes) if kind == "updated" else kind
                    key = state.dict.get(about.key)
                    yield entry(source, f"{about.resource}.{verb}", key, changes)


def _changes(state: InstanceState[Base], about: Audited, kind: str) -> Changes:
    """By column, what was and what is; of a new or a deleted row, everything that it says."""
    changes: Changes = {}
    for name in sorted(about.shown | about.places | about.secret):
        before, after = None, state.dict.get(name)
        if kind == "deleted":
            before, after = after, None
        elif kind == "updated":
            history = state.attrs[name].history
            if not history.has_changes():
                continue
            before = history.deleted[0] if history.deleted else None
        if before is not None or after is not None:
            changes[name] = {
                "before": _told(about, name, before),
                "after": _told(about, name, after),
            }
    return changes


def _told(about: Audited, name: str, value: object) -> Any:
    if value is None:
        return None
    if name in about.secret:
        return LEFT_OUT
    if name in about.places:
        return place(str(value))
    return shown(value)


def _verb(changes: Changes) -> str:
    """The word for these changes: the one that says the most."""
    for name, (filled, emptied) in VERBS.items():
        if name in changes:
            return emptied if changes[name]["after"] is None else filled
    if "status" in changes:
        return STATUS_VERBS.get(changes["status"]["after"], "updated")
    return "updated"
