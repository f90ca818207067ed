"""Chat messages: a title and a few lines without markup, each link on a line of its own."""

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
    IncidentFacts,
    PageFacts,
    ShiftRequestFacts,
    TaskFacts,
    UpdateFacts,
    VerificationFacts,
    Words,
)
from app.messages.plain import counted, instant

FEW = 5


def words(kind: NotificationKind, facts: Facts) -> Words:
    """A title and a few lines about facts that were made fit for a chat."""
    match facts:
        case PageFacts():
            return _page(facts)
        case UpdateFacts():
            role = f", as {facts.role}" if isinstance(facts, AssignmentFacts) else ""
            said = [f"{DONE[kind]} by {facts.actor}{role}", *_about(facts)]
            return Words(f"{DONE[kind]}: {_name(facts)}", "\n".join(said))
        case ContactTestFacts():
            return Words("Tocsin test", f"A page to “{facts.contact}” would reach you here.")
        case VerificationFacts():
            minutes = counted(facts.minutes, "minute")
            return Words(
                "Your Tocsin code", f"{facts.code} is your Tocsin code, good for {minutes}."
            )
        case DutyFacts() | DutyChangeFacts() | ShiftRequestFacts() | TaskFacts():
            told = duty.said(kind, facts)
            lines = [f"{name}: {value}" for name, value in told.rows]
            return Words(told.subject, "\n".join((*lines, *told.paragraphs)))
    raise TypeError(f"No chat message is sent about {kind}.")


def bundle(facts: BundleFacts) -> Words:
    """The incidents in their order, each with its link; the rest as a number."""
    said = [_call(facts.recipient)]
    for item in facts.items:
        said.append(f"{item.urgency}: {item.title} · {item.service} (#{item.incident_id})")
        if item.acknowledge_url:
            said.append(f"Acknowledge: {item.acknowledge_url}")
    if facts.total > len(facts.items):
        said.append(f"And {facts.total - len(facts.items)} more.")
    return Words(f"{counted(facts.total, 'incident')} at once", "\n".join(said))


def _page(facts: PageFacts) -> Words:
    said = [_call(facts.recipient)]
    if facts.message:
        said.append(facts.message)
    said += _about(facts)
    if facts.acknowledge_url:
        said.append(f"Acknowledge: {facts.acknowledge_url}")
    return Words(f"{facts.urgency}: {_name(facts)}", "\n".join(said))


def _call(recipient: str | None) -> str:
    return f"{recipient}, you are needed." if recipient else "You are needed."


def _name(facts: IncidentFacts) -> str:
    return f"{facts.headline} · {facts.service} (#{facts.incident_id})"


def _about(facts: IncidentFacts) -> list[str]:
    said = [f"Since {instant(facts.opened_at)}"]
    if facts.alert_count > 1:
        said[0] += f", {facts.alert_count} alerts"
    if facts.url:
        said.append(f"See: {facts.url}")
    return said
