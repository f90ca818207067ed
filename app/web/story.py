"""The story of an incident as it is read: by days, newest first, people before machines.

What Tocsin did by itself is told more quietly than what somebody did, and what the public was told
is marked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.incident import TimelineType
from app.models import IncidentComment, TimelineEvent

LONGEST_SHOWN = 200  # of a value that was changed
ICONS = {
    TimelineType.OPENED: "siren",
    TimelineType.ACKNOWLEDGED: "hand",
    TimelineType.RESOLVED: "circle-check",
    TimelineType.REOPENED: "rotate-ccw",
    TimelineType.SNOOZED: "pause",
    TimelineType.SNOOZE_ENDED: "play",
    TimelineType.EDITED: "pencil",
    TimelineType.ASSIGNED: "user",
    TimelineType.UNASSIGNED: "user",
    TimelineType.COMMENTED: "message-square",
    TimelineType.ESCALATION_STARTED: "play",
    TimelineType.ESCALATION_STEP: "bell-ring",
    TimelineType.ESCALATION_REACHED_NOBODY: "triangle-alert",
    TimelineType.ESCALATION_REPEATED: "repeat",
    TimelineType.ESCALATION_EXHAUSTED: "triangle-alert",
    TimelineType.ESCALATION_FAULT: "triangle-alert",
    TimelineType.NOTIFICATION_FAILED: "triangle-alert",
    TimelineType.NOTIFICATION_RESENT: "send",
    TimelineType.ESCALATED: "zap",
    TimelineType.ESCALATION_HURRIED: "zap",
    TimelineType.DELETED: "trash-2",
    TimelineType.RESTORED: "undo-2",
    TimelineType.ACKNOWLEDGEMENT_EXPIRED: "clock",
    TimelineType.HELD_BACK: "layers",
    TimelineType.DRILL_ANSWERED: "flag",
    TimelineType.PAGING_WAITS: "clock",
    TimelineType.PAGING_BEGINS: "play",
    TimelineType.PUBLISHED: "globe",
    TimelineType.PUBLIC_UPDATE: "megaphone",
    TimelineType.PUBLIC_WITHDRAWN: "eye-off",
    TimelineType.PUBLIC_REMINDER: "clock",
    TimelineType.POSTMORTEM: "file-text",
}
ALARMING = {
    TimelineType.ESCALATION_REACHED_NOBODY,
    TimelineType.ESCALATION_EXHAUSTED,
    TimelineType.ESCALATION_FAULT,
    TimelineType.NOTIFICATION_FAILED,
}
# What the public has seen of it; a postmortem says itself where it can be read.
PUBLIC = {
    TimelineType.PUBLISHED,
    TimelineType.PUBLIC_UPDATE,
    TimelineType.PUBLIC_WITHDRAWN,
}


@dataclass(frozen=True)
class Change:
    """A field that was edited."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Entry:
    """One thing that happened."""

    id: int
    kind: str
    icon: str
    at: datetime
    text: str
    name: str | None  # who did it; None: a machine
    body: str | None = None  # Markdown
    changes: Sequence[Change] = ()
    is_public: bool = False
    is_alarming: bool = False


@dataclass(frozen=True)
class Day:
    date: date
    entries: Sequence[Entry]


@dataclass(frozen=True)
class Story:
    """The newest of it, by days; `older_than` is where the rest goes on."""

    days: Sequence[Day]
    older_than: int | None = None


def told(
    events: Sequence[TimelineEvent],
    comments: Mapping[int, IncidentComment],
    names: Mapping[int, str],
    *,
    zone: str,
    most: int,
) -> Story:
    """These entries, which come newest first; one more than `most` says that there are older."""
    shown = events[:most]
    here = ZoneInfo(zone)
    days: dict[date, list[Entry]] = {}
    for event in shown:
        day = event.created_at.astimezone(here).date()
        days.setdefault(day, []).append(_entry(event, comments, names))
    older = shown[-1].id if len(events) > most else None
    return Story([Day(day, entries) for day, entries in days.items()], older)


def _entry(
    event: TimelineEvent, comments: Mapping[int, IncidentComment], names: Mapping[int, str]
) -> Entry:
    comment = comments.get(event.facts.get("comment_id", 0))
    text, body = event.description, None if comment is None else comment.content
    if event.event_type is TimelineType.PUBLIC_UPDATE:
        text, body = _apart(text)
    return Entry(
        event.id,
        event.event_type.value,
        ICONS.get(event.event_type, "activity"),
        event.created_at,
        text,
        None if event.user_id is None else names.get(event.user_id, "Somebody"),
        body,
        _changes(event.facts),
        event.event_type in PUBLIC,
        event.event_type in ALARMING,
    )


def _apart(text: str) -> tuple[str, str | None]:
    """Who told the public, and the words that it was told, which are Markdown."""
    before, mark, told = text.partition("told the public")
    became, colon, body = told.partition(": ")
    return (f"{before}{mark}{became}.", body) if colon else (text, None)


def _changes(facts: Mapping[str, Any]) -> list[Change]:
    before, after = facts.get("before"), facts.get("after")
    if not isinstance(before, dict) or not isinstance(after, dict):
        return []
    return [
        Change(_spoken(name), _short(before[name]), _short(after.get(name)))
        for name in sorted(before)
    ]


def _spoken(name: str) -> str:
    return name.removeprefix("custom_fields.").replace("_", " ")


def _short(value: Any) -> str:
    if value is None or value in ("", []):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"
