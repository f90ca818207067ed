"""What people are told of being on call, in the words that all channels share.

Times are shown on the clock of whoever reads them, with its name, because two time zones meet at
most hand-offs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.domain.notification import NotificationKind
from app.domain.time_zone import is_time_zone, zone
from app.messages.facts import (
    DutyChangeFacts,
    DutyFacts,
    DutyMessage,
    PublicReminderFacts,
    ShiftAnswerFacts,
    ShiftRequestFacts,
    TaskFacts,
)
from app.messages.plain import zulu

OPEN_END = "further notice"
TYPES = {
    NotificationKind.DUTY_STARTED: "duty.started",
    NotificationKind.DUTY_ENDED: "duty.ended",
    NotificationKind.DUTY_REMINDER: "duty.reminder",
    NotificationKind.DUTY_CHANGED: "duty.changed",
    NotificationKind.SHIFT_REQUESTED: "shift.requested",
    NotificationKind.SHIFT_ANSWERED: "shift.answered",
    NotificationKind.ACTION_ITEM_DUE: "action_item.due",
    NotificationKind.ACTION_ITEM_OVERDUE: "action_item.overdue",
    NotificationKind.POSTMORTEM_REVIEW: "postmortem.review_requested",
    NotificationKind.PUBLIC_REMINDER: "public_update.reminder",
}


@dataclass(frozen=True)
class Said:
    """One message about duty, before a channel gives it its form."""

    subject: str
    happened: str  # to the recipient, who may be named before it
    rows: tuple[tuple[str, str], ...]
    paragraphs: tuple[str, ...] = ()
    footnote: str | None = None

    def line(self) -> str:
        """All that matters, on one line."""
        return f"{self.subject} · {' · '.join(value for _, value in self.rows)}"


def said(kind: NotificationKind, facts: DutyMessage) -> Said:
    """What is said about facts that were made fit for people."""
    match facts:
        case DutyFacts():
            return _duty(kind, facts)
        case DutyChangeFacts():
            return _changed(facts)
        case ShiftAnswerFacts():
            return Said(facts.outcome, "this is about a shift.", _shifts(facts))
        case ShiftRequestFacts():
            return _requested(facts)
        case PublicReminderFacts():
            return _public(facts)
        case TaskFacts():
            return _task(kind, facts)


def clock(moment: datetime, time_zone: str) -> str:
    """A moment on somebody's own clock: 2026-11-22 09:00 CET."""
    shown = moment.astimezone(zone(time_zone) if is_time_zone(time_zone) else UTC)
    return shown.strftime("%Y-%m-%d %H:%M %Z")


def period(starts_at: datetime, ends_at: datetime | None, time_zone: str) -> str:
    """From when until when, on somebody's own clock."""
    until = OPEN_END if ends_at is None else clock(ends_at, time_zone)
    return f"{clock(starts_at, time_zone)} until {until}"


def _duty(kind: NotificationKind, facts: DutyFacts) -> Said:
    until = OPEN_END if facts.ends_at is None else clock(facts.ends_at, facts.time_zone)
    since = clock(facts.starts_at, facts.time_zone)
    match kind:
        case NotificationKind.DUTY_ENDED:
            return Said(
                f"You are off call: {facts.schedule}",
                "your duty is over.",
                (("Ended", until),),
                _brief("What happened:", facts.brief),
            )
        case NotificationKind.DUTY_REMINDER:
            return Said(
                f"You are on call soon: {facts.schedule}",
                "your duty begins soon.",
                (("From", since), ("Until", until)),
            )
    return Said(
        f"You are on call: {facts.schedule}",
        "you are on call now.",
        (("From", since), ("Until", until)),
        _brief("What you take over:", facts.brief),
    )


def _brief(heading: str, lines: tuple[str, ...]) -> tuple[str, ...]:
    return ("\n".join((heading, *(f"- {line}" for line in lines))),) if lines else ()


def _changed(facts: DutyChangeFacts) -> Said:
    rows = [("On call", period(*part, facts.time_zone)) for part in facts.gained]
    rows += [("Off call", period(*part, facts.time_zone)) for part in facts.lost]
    return Said(
        f"Your duty has changed: {facts.schedule}",
        "somebody changed when you are on call.",
        tuple(rows),
    )


def _requested(facts: ShiftRequestFacts) -> Said:
    asks = "offers you a swap" if facts.wanted is not None else "asks for cover"
    rows = _shifts(facts)
    if facts.message:
        rows += (("Says", facts.message),)
    return Said(
        f"{facts.asker} {asks}: {facts.schedule}",
        f"{facts.asker} {asks}.",
        (*rows, ("See", facts.api_url)),
        footnote="Nothing changes until somebody takes it.",
    )


def _shifts(facts: ShiftRequestFacts) -> tuple[tuple[str, str], ...]:
    rows: tuple[tuple[str, str], ...] = (
        ("Schedule", facts.schedule),
        ("Request", f"#{facts.request_id}"),
        ("Shift", period(*facts.given, facts.time_zone)),
    )
    if facts.wanted is not None:
        rows += (("For", period(*facts.wanted, facts.time_zone)),)
    return rows


def _public(facts: PublicReminderFacts) -> Said:
    rows: tuple[tuple[str, str], ...] = (
        ("Incident", f"#{facts.incident_id}"),
        ("Public status", facts.status),
        *((("Promised by", facts.due_at),) if facts.due_at is not None else ()),
        ("See", facts.url),
    )
    if facts.due_at is None:
        happened = "an incident is over, and the public does not know yet."
        return Said(f"Tell the public: {facts.title}", happened, rows)
    happened = "the public was promised an update, and it is nearly due."
    return Said(f"Update due: {facts.title}", happened, rows)


def _task(kind: NotificationKind, facts: TaskFacts) -> Said:
    rows: tuple[tuple[str, str], ...] = (("Incident", f"#{facts.incident_id}"),)
    if facts.due_on is not None:
        rows += (("Due", facts.due_on.isoformat()),)
    rows += (("See", facts.url),)
    match kind:
        case NotificationKind.ACTION_ITEM_DUE:
            return Said(f"Due tomorrow: {facts.title}", "an action item of yours is due.", rows)
        case NotificationKind.ACTION_ITEM_OVERDUE:
            footnote = "Set another day if it takes longer, or drop it if nobody needs it."
            happened = "an action item of yours is overdue."
            return Said(f"Overdue: {facts.title}", happened, rows, footnote=footnote)
    asker = facts.actor or "Somebody"
    happened = f"{asker} asks you to read what was learned."
    return Said(f"Review a postmortem: {facts.title}", happened, rows)


def program(facts: DutyMessage) -> dict[str, Any]:
    """The same for a program, words as they came."""
    if isinstance(facts, TaskFacts):
        due_on = None if facts.due_on is None else facts.due_on.isoformat()
        return {
            "recipient": facts.recipient,
            "title": facts.title,
            "incident_id": facts.incident_id,
            "due_on": due_on,
            "actor": facts.actor,
            "url": facts.url,
        }
    said: dict[str, Any] = {"recipient": facts.recipient, "schedule": facts.schedule}
    match facts:
        case DutyFacts():
            ends_at = None if facts.ends_at is None else zulu(facts.ends_at)
            said |= {"starts_at": zulu(facts.starts_at), "ends_at": ends_at}
            said["brief"] = list(facts.brief)
        case DutyChangeFacts():
            said["gained"] = [_span(part) for part in facts.gained]
            said["lost"] = [_span(part) for part in facts.lost]
        case ShiftRequestFacts():
            said |= {
                "request_id": facts.request_id,
                "asker": facts.asker,
                "given": _span(facts.given),
                "wanted": None if facts.wanted is None else _span(facts.wanted),
                "message": facts.message,
                "api_url": facts.api_url,
            }
            if isinstance(facts, ShiftAnswerFacts):
                said["outcome"] = facts.outcome
    return said


def _span(part: tuple[datetime, datetime]) -> Mapping[str, str]:
    return {"starts_at": zulu(part[0]), "ends_at": zulu(part[1])}
