"""Was anything lost, doubled, late, or sent after an answer? Pure: books in, verdict out.

What was owed follows from the alerts that were answered with 2xx, the answers of people, and
`scenario`; what was paged is what the sinks took. The product's own word counts for one thing
only: a page that it shows as failed is not lost but failed, which is no better here.

- A page is **owed** if its alert was answered with 2xx and nobody ever answered the incident.
  On an incident that somebody answered, a page that did not arrive is *called off*.
- Two marks for one page are two pages: **doubled**, whatever happened. One mark that a sink
  took twice is a **resend** if a fault was injected on that very send, else doubled.
- What subscriptions were told is judged apart (`judge_events`).
- An answer took effect somewhere between its request and its response. What was leased
  (by the message's own word) or begun (plus a moment, for what was leased just before) after
  the response came too late.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.crash.copies import CLOCK, count_copies
from tests.crash.judge_events import EventVerdict, judge_events
from tests.crash.ledger import Accepted, Answered, Arrival, Books
from tests.crash.scenario import EVENT, Owed, owed_by

# How long a page that was leased before the answer may take to reach the sink, on an idle machine;
# where replicas start slowly, it may take as many times longer.
CROSSING = 3.0
MOST_EXAMPLES = 5

Key = tuple[str, str, str, int, int]  # token, address, policy, loop, step


@dataclass(frozen=True)
class Promise:
    """A page that an alert owes, and from when to when it may have fallen due."""

    key: Key
    due_from: float
    due_until: float


@dataclass
class Verdict:
    """The numbers, and why it is red if it is."""

    accepted: int = 0
    unanswered: int = 0  # alerts that nobody ever answered with 2xx
    promised: int = 0
    delivered: int = 0
    delivered_once: int = 0
    resent: int = 0
    refused: int = 0  # attempts that a sink refused; a retry after one is no resend
    called_off: int = 0
    crossed: int = 0  # on their way when the answer came
    failed: int = 0
    lost: int = 0
    doubled: int = 0
    after_answer: int = 0
    wrong: int = 0
    early: int = 0
    lateness: list[float] = field(default_factory=list)
    lateness_calm: list[float] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    missing: list[Promise] = field(default_factory=list)
    events: EventVerdict = field(default_factory=EventVerdict)

    @property
    def is_green(self) -> bool:
        return not self.reasons


def judge(books: Books, *, kills_wanted: int, calm: Iterable[tuple[float, float]] = ()) -> Verdict:
    """The verdict over a run that has come to rest. `calm` are the spans without faults."""
    verdict = Verdict()
    promises = promised(books)
    answers = _answers(books)
    pages = _pages(books)
    examples: dict[str, list[str]] = defaultdict(list)
    _count_alerts(books, verdict, examples)
    _resends(books, verdict, examples)
    for key, arrivals in pages.items():
        if key not in promises:
            verdict.wrong += 1
            examples["wrong"].append(f"{_told(key)} was paged, which nobody owes")
            continue
        _one_page(promises[key], arrivals, verdict, examples)
        _too_late(arrivals, answers.get(key[0]), books.slowness, verdict, examples)
    _deliveries(books, promises, pages, verdict, examples, list(calm))
    verdict.events = judge_events(books)
    _reasons(books, verdict, examples, kills_wanted)
    return verdict


def promised(books: Books) -> dict[Key, Promise]:
    """Every page that the alerts owe, answered or not."""
    found = {}
    for alert in books.alerts:
        for owed in owed_by(alert.severity, alert.team):
            promise = _promise(alert, owed)
            found[promise.key] = promise
    return found


def _promise(alert: Accepted, owed: Owed) -> Promise:
    until = alert.answered_at if alert.answered_at is not None else float("inf")
    key = (alert.token, owed.address, owed.policy, owed.loop, owed.step)
    return Promise(key, alert.first_request + owed.after, until + owed.after)


def _answers(books: Books) -> dict[str, Answered]:
    """Of each incident the first answer that is known to have taken effect, or may have."""
    found: dict[str, Answered] = {}
    for answer in books.answers:
        other = found.get(answer.token)
        if other is None or _effective(answer) < _effective(other):
            found[answer.token] = answer
    return found


def _effective(answer: Answered) -> float:
    return answer.answered_at if answer.answered_at is not None else float("inf")


def _pages(books: Books) -> dict[Key, list[Arrival]]:
    """What sinks were sent, taken or refused, by the page it is."""
    found: dict[Key, list[Arrival]] = defaultdict(list)
    for arrival in books.arrivals:
        if arrival.kind == "page":
            key = (arrival.token or "?", arrival.address, arrival.policy or "?",
                   arrival.loop or 0, arrival.step or 0)  # fmt: skip
            found[key].append(arrival)
    return found


def _count_alerts(books: Books, verdict: Verdict, examples: dict[str, list[str]]) -> None:
    verdict.accepted = sum(alert.answered_at is not None for alert in books.alerts)
    verdict.unanswered = len(books.alerts) - verdict.accepted
    for alert in books.alerts:
        if len(set(alert.incidents)) > 1:
            numbers = ", ".join(f"#{number}" for number in sorted(set(alert.incidents)))
            examples["split"].append(f"alert {alert.token} opened several incidents: {numbers}")
    for entry in (*books.alerts, *books.answers):
        if entry.refusal is not None:
            examples["refused"].append(f"{entry.token}: {entry.refusal}")


def _one_page(
    promise: Promise, arrivals: list[Arrival], verdict: Verdict, examples: dict[str, list[str]]
) -> None:
    """One page has one mark, and does not come before its time."""
    marks = {arrival.mark for arrival in arrivals}
    if len(marks) > 1:
        verdict.doubled += len(marks) - 1
        examples["doubled"].append(f"{_told(promise.key)} came as {len(marks)} messages")
    if min(arrival.began for arrival in arrivals) < promise.due_from - CLOCK:
        verdict.early += 1
        examples["early"].append(f"{_told(promise.key)} came before it was due")


def _resends(books: Books, verdict: Verdict, examples: dict[str, list[str]]) -> None:
    copies = count_copies([a for a in books.arrivals if a.channel != EVENT], books)
    verdict.resent, verdict.refused = copies.resent, copies.refused
    verdict.doubled += len(copies.doubled)
    verdict.wrong += len(copies.wrong)
    examples["doubled"] += copies.doubled
    examples["wrong"] += copies.wrong


def _too_late(
    arrivals: Iterable[Arrival],
    answer: Answered | None,
    slowness: float,
    verdict: Verdict,
    examples: dict[str, list[str]],
) -> None:
    """What was sent although the incident had been answered."""
    if answer is None or answer.answered_at is None:
        return
    for arrival in arrivals:
        if arrival.began <= answer.answered_at:
            continue
        was_leased_after = arrival.claimed_at is not None and arrival.claimed_at > (
            answer.answered_at + CLOCK
        )
        if was_leased_after or arrival.began > answer.answered_at + CROSSING * slowness:
            verdict.after_answer += 1
            examples["after"].append(
                f"{arrival.mark} to {arrival.address} was sent"
                f" {arrival.began - answer.answered_at:.2f} s after its incident was answered"
            )
        else:
            verdict.crossed += 1


def _deliveries(
    books: Books,
    promises: Mapping[Key, Promise],
    pages: Mapping[Key, list[Arrival]],
    verdict: Verdict,
    examples: dict[str, list[str]],
    calm: list[tuple[float, float]],
) -> None:
    """Of every page that was owed, whether it came and how late."""
    answered = {answer.token for answer in books.answers}
    accepted = {alert.token for alert in books.alerts if alert.answered_at is not None}
    for key, promise in promises.items():
        taken = sorted(
            arrival.taken_at
            for arrival in pages.get(key, ())
            if arrival.taken_at is not None and arrival.answered_at is not None
        )
        if taken:
            verdict.delivered += 1
            verdict.delivered_once += sum(a.taken_at is not None for a in pages[key]) == 1
            late = max(0.0, taken[0] - promise.due_until)
            verdict.lateness.append(late)
            if any(since <= promise.due_until and taken[0] <= until for since, until in calm):
                verdict.lateness_calm.append(late)
        elif key[0] in answered:
            verdict.called_off += 1
        elif key[0] in accepted:
            verdict.missing.append(promise)
    _explain_missing(books, verdict, examples)
    verdict.promised = verdict.delivered + verdict.lost + verdict.failed


def _explain_missing(books: Books, verdict: Verdict, examples: dict[str, list[str]]) -> None:
    """A page that did not come is failed if the product says so, else it is lost."""
    incidents = {alert.token: set(alert.incidents) for alert in books.alerts}
    shown = {
        token: sum(books.failed.get(number, 0) for number in numbers)
        for token, numbers in incidents.items()
    }
    for promise in verdict.missing:
        token = promise.key[0]
        if shown.get(token, 0) > 0:
            shown[token] -= 1
            verdict.failed += 1
            examples["failed"].append(f"{_told(promise.key)} is shown as failed")
        else:
            verdict.lost += 1
            examples["lost"].append(f"{_told(promise.key)} never came")


_FAULTS = (
    ("lost", "page(s) lost"),
    ("doubled", "page(s) doubled"),
    ("failed", "page(s) given up, although every sink recovered"),
    ("after_answer", "message(s) sent after an answer that had committed"),
    ("wrong", "message(s) that nobody owes"),
    ("early", "page(s) before their time"),
    ("unanswered", "alert(s) never answered with 2xx"),
)
_EXAMPLES_OF = {"after_answer": "after"}


def _reasons(
    books: Books, verdict: Verdict, examples: Mapping[str, list[str]], kills_wanted: int
) -> None:
    for name, told in _FAULTS:
        number = getattr(verdict, name)
        if number:
            verdict.reasons.append(f"{number} {told}{_such_as(examples, name)}")
    for name in ("split", "refused"):
        verdict.reasons += examples.get(name, ())[:MOST_EXAMPLES]
    verdict.reasons += verdict.events.reasons(MOST_EXAMPLES)
    verdict.reasons += books.broken[:MOST_EXAMPLES]
    if not verdict.accepted or not verdict.delivered:
        verdict.reasons.append("nothing was paged at all, so nothing was shown")
    if books.kills() < kills_wanted:
        verdict.reasons.append(f"only {books.kills()} kills of the {kills_wanted} that it takes")


def _such_as(examples: Mapping[str, list[str]], name: str) -> str:
    some = examples.get(_EXAMPLES_OF.get(name, name), ())[:MOST_EXAMPLES]
    return ": " + "; ".join(some) if some else ""


def _told(key: Key) -> str:
    token, address, policy, loop, step = key
    return f"{token} to {address} (“{policy}”, round {loop + 1}, step {step + 1})"
