"""What will happen, and when: worked out from the seed before anything runs.

The same seed, duration and replicas give the same schedule. What a fault then meets (which
page is in mid-send, which connection is cut) is up to the moment; that is the point of it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from tests.crash.scenario import EVENT, LONGEST, SEVERITIES

CALM = 4.0  # seconds in which nothing is broken, before the faults and after them
ALERTS_A_SECOND = 2.5
# How often what runs a command is killed, in relation: a whole service takes a second of a
# processor to start, the loops alone much less.
KILLED = {"serve": 1, "worker": 2}
DATABASE_FAULT_EVERY = 6.0
TROUBLE_BEGINS = 0.05  # of all messages; it may stay for some
TROUBLE_BEGINS_AT = {EVENT: 0.15}  # which gets fewer messages


class SinkFault(StrEnum):
    """What a sink can do to a message."""

    STALL = "stall"  # takes it and says so, but late
    SILENCE = "silence"  # takes it and never says so
    RESET = "reset"  # takes it and cuts the connection
    KILL = "kill sender"  # takes it, and the replica that sent it is killed
    ERROR = "error"  # refuses: 500, 451
    BUSY = "busy"  # refuses: 429 with Retry-After, 421
    DROP = "drop"  # cuts the connection before there is a message


TAKES = (SinkFault.STALL, SinkFault.SILENCE, SinkFault.RESET, SinkFault.KILL)


class DatabaseFault(StrEnum):
    CUT = "connections cut"
    BACKEND = "backend killed"  # PostgreSQL ends every session and recovers
    RESTART = "fast restart"
    CRASH = "immediate restart"  # crash recovery


@dataclass(frozen=True)
class Kill:
    at: float
    slot: int


@dataclass(frozen=True)
class Break:
    """A fault of the database; it stays away for so many seconds, or loses so many connections."""

    at: float
    fault: DatabaseFault
    amount: float


@dataclass(frozen=True)
class Order:
    """What a sink does to one message."""

    fault: SinkFault
    seconds: float


@dataclass(frozen=True)
class Answer:
    """What somebody does about an incident, so long after its alert was taken in."""

    kind: str  # acknowledge, resolve, or recover: the tool itself says that it is over
    after: float


@dataclass(frozen=True)
class Alert:
    at: float
    token: str
    severity: str
    team: str | None
    again: float | None = None  # so long after it was taken in, the tool says it again
    answer: Answer | None = None


@dataclass(frozen=True)
class Plan:
    seed: int
    duration: float
    kills: tuple[Kill, ...] = ()
    breaks: tuple[Break, ...] = ()
    alerts: tuple[Alert, ...] = ()

    @property
    def faults_from(self) -> float:
        return CALM

    @property
    def last_alert_at(self) -> float:
        return self.duration + CALM


def make(seed: int, duration: float, *, slots: Sequence[str], kills: int) -> Plan:
    """The plan for a run: faults until `duration`, alerts a little longer."""
    return Plan(
        seed,
        duration,
        kills=_kills(Random(f"kills {seed}"), duration, slots, kills),
        breaks=_breaks(Random(f"database {seed}"), duration),
        alerts=_alerts(Random(f"alerts {seed}"), seed, duration),
    )


def _spread(random: Random, count: int, since: float, until: float) -> list[float]:
    """So many moments, anywhere, but no stretch of time without any."""
    cell = (until - since) / max(count, 1)
    return [since + cell * (index + random.random()) for index in range(count)]


def _kills(random: Random, duration: float, slots: Sequence[str], count: int) -> tuple[Kill, ...]:
    weight = sum(KILLED[command] for command in slots)
    planned = []
    for slot, command in enumerate(slots):
        share = math.ceil(count * KILLED[command] / weight)
        planned += [Kill(at, slot) for at in _spread(random, share, CALM, duration)]
    return tuple(sorted(planned, key=lambda kill: kill.at))


def _breaks(random: Random, duration: float) -> tuple[Break, ...]:
    kinds = list(DatabaseFault)
    count = int((duration - CALM) / DATABASE_FAULT_EVERY)
    planned = []
    for index, at in enumerate(_spread(random, count, CALM, duration)):
        # Each kind comes up even in a short run; most often connections are cut.
        fault = kinds[index // 2 % len(kinds)] if index % 2 else DatabaseFault.CUT
        is_cut = fault is DatabaseFault.CUT
        amount = random.randint(1, 6) if is_cut else random.uniform(0.1, 1.5)
        planned.append(Break(at, fault, amount))
    return tuple(planned)


# A silent sink holds a sender for as long as its timeout; a few of those go a long way.
_WEIGHTS = {
    SinkFault.STALL: 4,
    SinkFault.SILENCE: 1,
    SinkFault.RESET: 3,
    SinkFault.KILL: 3,
    SinkFault.ERROR: 4,
    SinkFault.BUSY: 3,
    SinkFault.DROP: 2,
}
_SINGLE = (SinkFault.SILENCE, SinkFault.KILL)


def troubles(seed: int, sink: str) -> Iterator[Order | None]:
    """What a sink does to each of its messages, in the order they come; mostly nothing."""
    random = Random(f"{sink} {seed}")
    begins = TROUBLE_BEGINS_AT.get(sink, TROUBLE_BEGINS)
    while True:
        if random.random() >= begins:
            yield None
            continue
        (fault,) = random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
        order = Order(fault, seconds=random.choice((0.3, 1.0, 2.0)))
        for _ in range(1 if fault in _SINGLE else random.randint(1, 4)):
            yield order


def _alerts(random: Random, seed: int, duration: float) -> tuple[Alert, ...]:
    until = duration + CALM
    planned = []
    for index, at in enumerate(_spread(random, int(until * ALERTS_A_SECOND), 0, until)):
        answer = None
        if random.random() < 0.3:
            kind = random.choice(("acknowledge", "acknowledge", "resolve", "recover"))
            answer = Answer(kind, after=random.uniform(0.2, LONGEST))
        # Said again once the incident is resolved, it would be another one.
        may_repeat = answer is None or answer.kind == "acknowledge"
        again = random.uniform(0.1, 10) if may_repeat and random.random() < 0.2 else None
        planned.append(
            Alert(
                at,
                token=f"k{seed}x{index:05d}",
                severity=random.choice(SEVERITIES),
                team="payments" if random.random() < 0.2 else None,
                again=again,
                answer=answer,
            )
        )
    return tuple(planned)
