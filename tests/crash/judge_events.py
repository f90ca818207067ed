"""Was every subscription told of everything, and of each thing once? Pure: books in, verdict out.

What is owed follows from the tool's and the people's own books, never from the product's feed:
the opening of each incident whose alert was answered with 2xx, and each answer of theirs that
was, to every subscription that wants its severity. What was told is what the sink took.

- Two marks for one event are two deliveries: **doubled**, whatever happened. One mark that
  the sink took twice is a **resend** if a fault excuses it (`copies`), else doubled.
- What an alert or an answer did that nobody confirmed may be told; nobody owes it.
- An answer ends no delivery. What was owed and did not come is **lost**, given up or not.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from tests.crash.copies import count_copies
from tests.crash.ledger import Arrival, Books
from tests.crash.scenario import EVENT

OPENED = "opened"
BECAME = {"acknowledge": "acknowledged", "resolve": "resolved", "recover": "resolved"}

Key = tuple[str, str, str]  # address, token, what is told


@dataclass
class EventVerdict:
    """The numbers, with what is wrong told by example."""

    owed: int = 0
    delivered: int = 0
    delivered_once: int = 0
    resent: int = 0
    refused: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: int = 0
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def reasons(self, most: int) -> list[str]:
        """Why it is red, if it is, with so many examples of each kind."""
        return [
            f"{getattr(self, name)} {told}: {'; '.join(self.examples[name][:most])}"
            for name, told in _FAULTS
            if getattr(self, name)
        ]


_FAULTS = (
    ("lost", "event(s) that a subscription was never told"),
    ("doubled", "event(s) told twice"),
    ("wrong", "event(s) told that did not happen, or not to be told there"),
)


def judge_events(books: Books) -> EventVerdict:
    """What subscriptions were told, against what happened."""
    verdict = EventVerdict()
    arrivals = [arrival for arrival in books.arrivals if arrival.channel == EVENT]
    told = _by_event(arrivals)
    owed, possible = _owed(books)
    for key, attempts in told.items():
        marks = {arrival.mark for arrival in attempts}
        if key not in possible:
            _count(verdict, "wrong", f"{_words(key)}, which never happened")
        if len(marks) > 1:
            _count(verdict, "doubled", f"{_words(key)} under {len(marks)} marks", len(marks) - 1)
    for key in owed:
        attempts = told.get(key, [])
        if any(a.taken_at is not None and a.answered_at is not None for a in attempts):
            verdict.delivered += 1
            verdict.delivered_once += sum(a.taken_at is not None for a in attempts) == 1
        else:
            _count(verdict, "lost", _words(key))
    verdict.owed = len(owed)
    _judge_copies(arrivals, books, verdict)
    return verdict


def _owed(books: Books) -> tuple[set[Key], set[Key]]:
    """Of what happened, what is owed, and what may be told at all."""
    owed: set[Key] = set()
    possible: set[Key] = set()
    for alert in books.alerts:
        happened = {OPENED: alert.answered_at is not None}
        for answer in (answer for answer in books.answers if answer.token == alert.token):
            entry = BECAME[answer.kind]
            is_sure = answer.answered_at is not None and answer.refusal is None
            happened[entry] = happened.get(entry, False) or is_sure
        for subscription in books.subscriptions:
            if subscription.wants(alert.severity):
                keys = {entry: (subscription.address, alert.token, entry) for entry in happened}
                possible.update(keys.values())
                owed.update(keys[entry] for entry, is_sure in happened.items() if is_sure)
    return owed, possible


def _by_event(arrivals: list[Arrival]) -> dict[Key, list[Arrival]]:
    found: dict[Key, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        found[arrival.address, arrival.token or "?", arrival.tells or arrival.kind].append(arrival)
    return found


def _judge_copies(arrivals: list[Arrival], books: Books, verdict: EventVerdict) -> None:
    copies = count_copies(arrivals, books)
    verdict.resent, verdict.refused = copies.resent, copies.refused
    for example in copies.doubled:
        _count(verdict, "doubled", example)
    for example in copies.wrong:
        _count(verdict, "wrong", example)


def _count(verdict: EventVerdict, name: str, example: str, number: int = 1) -> None:
    setattr(verdict, name, getattr(verdict, name) + number)
    verdict.examples[name].append(example)


def _words(key: Key) -> str:
    address, token, entry = key
    return f"“{entry}” of {token} to {address}"
