"""The small world of the crash test: its people, its policies and subscriptions, and what an
alert owes them.

Pure, and written down a second time on purpose: the product is asked for these policies in its
own JSON, but what they owe is worked out here, with none of its code.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MAIL, HOOK, EVENT = "mail", "hook", "event"
FALLBACK = "fallback"
NEVER = 3600.0  # seconds; a ladder that must not end within a run


@dataclass(frozen=True)
class Rule:
    """One of a person's rules, in seconds."""

    channel: str
    delay: float = 0.0
    min_severity: str | None = None


@dataclass(frozen=True)
class Person:
    name: str
    rules: tuple[Rule, ...] = (Rule(MAIL),)
    switched_off: tuple[str, ...] = ()

    def address(self, channel: str) -> str:
        return f"{self.name}@example.org" if channel == MAIL else f"/hook/{self.name}"


@dataclass(frozen=True)
class Step:
    """A step: how long after the one before, whom it pages, and which URL it calls."""

    delay: float
    people: tuple[str, ...]
    hook: str | None = None


@dataclass(frozen=True)
class Policy:
    name: str
    steps: tuple[Step, ...]
    severity: tuple[str, ...] = ()
    team: str | None = None
    repeat: int = 0
    final: float = NEVER

    def is_for(self, severity: str, team: str | None) -> bool:
        wants_severity = not self.severity or severity in self.severity
        return wants_severity and (self.team is None or team == self.team)

    @property
    def conditions(self) -> dict[str, Any]:
        by_severity = {"severity": list(self.severity)} if self.severity else {}
        return by_severity | ({"labels.team": [self.team]} if self.team else {})


@dataclass(frozen=True)
class Owed:
    """One page that an alert owes: to whom, by which step, and how long after it was taken in."""

    address: str
    policy: str
    loop: int
    step: int
    after: float


@dataclass(frozen=True)
class Subscription:
    """An endpoint that is to be told of incidents, of some severities or of all."""

    name: str
    severities: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        return f"/events/{self.name}"

    def wants(self, severity: str) -> bool:
        return not self.severities or severity in self.severities


SERVICE = "database"  # the only one that has alerts
TOLD = ("incident.created", "incident.status_changed")
SEVERITIES = ("critical", "high", "medium", "low")
PEOPLE = {
    person.name: person
    for person in (
        Person("ana"),
        Person("ben", (Rule(HOOK), Rule(MAIL, delay=3))),
        Person("cyn", (Rule(MAIL), Rule(HOOK))),
        Person("dan", (Rule(HOOK, min_severity="high"), Rule(MAIL))),
        Person("eve", (Rule(MAIL), Rule(HOOK)), switched_off=(MAIL,)),
        Person("fay"),
        Person("hal", switched_off=(MAIL,)),  # nobody can reach Hal
    )
}
LAST_RESORT = PEOPLE["fay"]
POLICIES = (
    Policy(
        "Worst first",
        (Step(0, ("ana",)), Step(3, ("ben",)), Step(3, ("cyn",), hook="/step/worst")),
        severity=("critical",),
        repeat=1,
        final=3,
    ),
    Policy("High", (Step(0, ("ben", "cyn")), Step(6, ("dan",))), severity=("high",)),
    Policy("Payments", (Step(1.5, ("dan",)), Step(4.5, ("ana",))), team="payments"),
    Policy(
        "Nobody first", (Step(0, ("hal",)), Step(4.5, ("eve",)), Step(3, ("ana",))),
        severity=("medium",),
    ),
)  # fmt: skip

SUBSCRIPTIONS = (Subscription("desk"), Subscription("worst", ("critical", "high")))


def owed_by(severity: str, team: str | None) -> list[Owed]:
    """Every page that such an alert owes, if nobody ever answers."""
    matching = [policy for policy in POLICIES if policy.is_for(severity, team)]
    if not matching:
        return [_last_resort(0.0)]
    return [owed for policy in matching for owed in _climbed(policy, severity)]


def _climbed(policy: Policy, severity: str) -> Iterator[Owed]:
    at = 0.0
    for loop in range(policy.repeat + 1):
        is_late = True  # whether the next step waits for its delay: not if nobody was reached
        for index, step in enumerate(policy.steps):
            at += step.delay if is_late else 0.0
            reached = list(_reached(step, severity))
            called = [(step.hook, 0.0)] if step.hook else []
            for address, delay in reached + called:
                yield Owed(address, policy.name, loop, index, at + delay)
            is_late = bool(reached) or not step.people
        at += policy.final if is_late else 0.0
    if policy.final < NEVER:
        yield _last_resort(at)


def _reached(step: Step, severity: str) -> Iterator[tuple[str, float]]:
    for name in step.people:
        person = PEOPLE[name]
        for rule in person.rules:
            wants = rule.min_severity is None or (
                SEVERITIES.index(severity) <= SEVERITIES.index(rule.min_severity)
            )
            if wants and rule.channel not in person.switched_off:
                yield person.address(rule.channel), rule.delay


def _last_resort(after: float) -> Owed:
    return Owed(LAST_RESORT.address(MAIL), FALLBACK, 0, 0, after)


LONGEST = max(owed.after for s in SEVERITIES for owed in owed_by(s, "payments"))
