"""Text messages: one short text each, in letters that the network sends whole.

A text message of GSM-7 letters holds 160; one other letter anywhere and it holds 70. So our
own words keep to that alphabet, typographic signs become plain ones, and a title is cut to
what is left. Only a link comes on top of the 160.
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
    IncidentFacts,
    PageFacts,
    ShiftRequestFacts,
    TaskFacts,
    UpdateFacts,
    VerificationFacts,
    Words,
)
from app.messages.plain import counted

ROOM = 160
FEW = 5  # incidents that may fit into one text message
_LONGEST_NAME = 30
_TWICE = frozenset("^{}\\[~]|€")  # behind an escape: two letters each
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("·•", "*"),
        "…": "...",
        "→": "->",
        "←": "<-",
    }
)


def words(kind: NotificationKind, facts: Facts) -> Words:
    """One text message about facts that were made fit for people."""
    match facts:
        case PageFacts():
            return _words(_page(facts))
        case UpdateFacts():
            return _words(_update(kind, facts))
        case ContactTestFacts():
            contact = _fit(plain(facts.contact), 60)
            return _words(f'Tocsin test: a page to "{contact}" would reach you here.')
        case VerificationFacts():
            # The code comes first: a phone shows that much without being unlocked.
            minutes = counted(facts.minutes, "minute")
            return _words(f"{facts.code} is your Tocsin code, good for {minutes}.")
        case DutyFacts() | DutyChangeFacts() | ShiftRequestFacts() | TaskFacts():
            return _words(_fit(plain(duty.said(kind, facts).line()), ROOM))
    raise TypeError(f"No text message is sent about {kind}.")


def bundle(facts: BundleFacts) -> Words:
    """As many of the incidents as fit, in their order; the rest is a number."""
    said = f"{counted(facts.total, 'incident')}:"
    told = 0
    for item in facts.items:
        more = f" {item.urgency} {_fit(plain(item.title), 50)} #{item.incident_id};"
        if septets(said + more) > ROOM - len(f" {facts.total} more."):
            break
        said += more
        told += 1
    rest = facts.total - told
    return _words(f"{said} {rest} more." if rest > 0 else f"{said.rstrip(';')}.")


def plain(text: str) -> str:
    """`text` with typographic signs as a typewriter has them."""
    return text.translate(_PLAIN)


def septets(text: str) -> int:
    """How much of a text message the text takes, if all of it is in the alphabet."""
    return len(text) + sum(letter in _TWICE for letter in text)


def _words(text: str) -> Words:
    return Words(text.partition("\n")[0], text)


def _page(facts: PageFacts) -> str:
    before = f"{facts.urgency}: "
    if not facts.acknowledge_url:
        return _about(facts, before)
    ask = "\nAck: "
    return _about(facts, before, taken=len(ask)) + ask + facts.acknowledge_url


def _update(kind: NotificationKind, facts: UpdateFacts) -> str:
    role = f" as {facts.role}" if isinstance(facts, AssignmentFacts) else ""
    return _about(facts, f"{DONE[kind]}{role} by {_fit(plain(facts.actor), _LONGEST_NAME)}: ")


def _about(facts: IncidentFacts, before: str, *, taken: int = 0) -> str:
    after = f" ({_fit(plain(facts.service), _LONGEST_NAME)}) #{facts.incident_id}"
    return before + _fit(plain(facts.headline), ROOM - taken - septets(before + after)) + after


def _fit(text: str, room: int) -> str:
    if septets(text) <= room:
        return text
    while septets(text) > max(room - 3, 0):
        text = text[: min(len(text) - 1, max(room - 3, 0))]
    return text.rstrip() + "..."
