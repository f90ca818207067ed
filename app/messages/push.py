"""Push messages: a title and one line for a lock screen.

Links are no part of the words, where nobody could press them: they travel beside them, in
`Rendered.json`.
"""

from app.domain.notification import NotificationKind
from app.messages import duty
from app.messages.facts import (
    DONE,
    AssignmentFacts,
    BundleFacts,
    ContactTestFacts,
    DutyChangeFacts,
    DutyFacts,
    Facts,
    PageFacts,
    ShiftRequestFacts,
    TaskFacts,
    UpdateFacts,
    VerificationFacts,
    Words,
)
from app.messages.plain import counted, cut, line

FEW = 3
_TITLE = 120  # what a lock screen shows, and then some
_BODY = 240


def words(kind: NotificationKind, facts: Facts) -> Words:
    """A title and a line about facts that were made fit for people."""
    match facts:
        case PageFacts():
            body = f"#{facts.incident_id} · {facts.service}"
            if facts.message:
                body += f" · {line(facts.message)}"
            return _words(f"{facts.urgency}: {facts.headline}", body)
        case UpdateFacts():
            role = f", as {facts.role}" if isinstance(facts, AssignmentFacts) else ""
            body = f"#{facts.incident_id} · {facts.service} · by {facts.actor}{role}"
            return _words(f"{DONE[kind]}: {facts.title}", body)
        case ContactTestFacts():
            return _words("Tocsin test", f"A page to “{facts.contact}” would reach you here.")
        case VerificationFacts():
            minutes = counted(facts.minutes, "minute")
            return _words("Your Tocsin code", f"{facts.code}, good for {minutes}")
        case DutyFacts() | DutyChangeFacts() | ShiftRequestFacts() | TaskFacts():
            said = duty.said(kind, facts)
            return _words(said.subject, " · ".join(value for _, value in said.rows))
    raise TypeError(f"No push is sent about {kind}.")


def bundle(facts: BundleFacts) -> Words:
    """The incidents in their order, the rest as a number."""
    told = [f"{item.urgency} {cut(item.title, 60)}" for item in facts.items]
    if facts.total > len(told):
        told.append(f"{facts.total - len(told)} more")
    return Words(f"{counted(facts.total, 'incident')} at once", " · ".join(told))


def _words(title: str, body: str) -> Words:
    return Words(cut(title, _TITLE), cut(body, _BODY))
