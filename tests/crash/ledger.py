"""What really happened, as seen from outside: alerts taken in, answers, messages, faults.

Only ever added to, in memory and as lines of JSON, so that a red run can be read afterwards.
All times are this machine's clock, in seconds.
"""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, TextIO

from tests.crash.scenario import Subscription

USUAL_START = 0.8  # seconds until a forked replica is ready, on two cores with nothing else to do


@dataclass
class Accepted:
    """An alert, from the first time it was sent until it was answered with 2xx."""

    token: str
    severity: str
    team: str | None
    first_request: float
    answered_at: float | None = None
    incidents: list[int] = field(default_factory=list)  # more than one: the problem was split
    tries: int = 0
    refusal: str | None = None  # an answer that no repetition can change


@dataclass
class Answered:
    """What somebody did about an incident: it took effect at some moment in between."""

    token: str
    kind: str
    first_request: float
    answered_at: float | None = None
    tries: int = 0
    refusal: str | None = None


@dataclass
class Arrival:
    """A message at a sink, and what the sink did with it.

    `taken_at` is set if the sink took it, `answered_at` if it also said so. `slot` is the
    replica that sent it. What was cut before a word of it was read is no arrival.
    """

    channel: str
    address: str
    mark: str
    began: float  # its connection
    kind: str = "page"
    token: str | None = None
    policy: str | None = None
    loop: int | None = None
    step: int | None = None
    tells: str | None = None  # of an event: opened, acknowledged, resolved
    slot: int | None = None
    claimed_at: float | None = None  # when it was leased, if the message says
    fault: str | None = None
    taken_at: float | None = None
    answered_at: float | None = None
    text: str = ""


@dataclass(frozen=True)
class Fault:
    """A fault that was injected. A kill names its slot; one of the database has an end."""

    kind: str  # kill, database, sink
    what: str
    at: float
    until: float
    slot: int | None = None


@dataclass
class Books:
    """All of it: what the judge goes by."""

    alerts: list[Accepted] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
    subscriptions: tuple[Subscription, ...] = ()  # made before the first alert
    arrivals: list[Arrival] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    # What the product itself shows as given up: of each incident, how many pages.
    failed: dict[int, int] = field(default_factory=dict)
    starts: list[float] = field(default_factory=list)  # how long replicas took to be ready
    broken: list[str] = field(default_factory=list)  # what else should not have happened

    def kills(self) -> int:
        return sum(fault.kind == "kill" for fault in self.faults)

    @property
    def slowness(self) -> float:
        """How many times slower than an idle machine this one was, going by the usual start."""
        return max(1.0, median(self.starts) / USUAL_START) if self.starts else 1.0

    def faults_by_kind(self) -> dict[str, int]:
        return dict(sorted(Counter(fault.what for fault in self.faults).items()))


class Ledger:
    """The books, and the file in which every entry is a line."""

    def __init__(self, file: TextIO) -> None:
        self.books = Books()
        self._file = file

    def close(self) -> None:
        self._file.close()

    def accepted(self, alert: Accepted) -> None:
        self.books.alerts.append(alert)
        self._write("alert", asdict(alert))

    def answered(self, answer: Answered) -> None:
        self.books.answers.append(answer)
        self._write("answer", asdict(answer))

    def arrived(self, arrival: Arrival) -> None:
        self.books.arrivals.append(arrival)
        self.changed(arrival)

    def changed(self, entry: Accepted | Answered | Arrival) -> None:
        """Something is known by now that was not when it was entered."""
        self._write(type(entry).__name__.lower(), asdict(entry))

    def faulted(self, fault: Fault) -> None:
        self.books.faults.append(fault)
        self._write("fault", asdict(fault))

    def started(self, seconds: float) -> None:
        self.books.starts.append(seconds)
        self._write("start", {"seconds": round(seconds, 3)})

    def broke(self, what: str) -> None:
        self.books.broken.append(what)
        self._write("broken", {"what": what})

    def _write(self, kind: str, entry: dict[str, Any]) -> None:
        entry.pop("text", None)
        self._file.write(json.dumps({"entry": kind, **entry}) + "\n")


def open_ledger(path: Path) -> Ledger:
    return Ledger(path.open("w", buffering=1))
