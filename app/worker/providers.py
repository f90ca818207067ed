"""The providers behind one channel: which of them a message may go to now.

Each has a breaker, as this process knows it. What is refused names the time at which it is
worth asking again; rows then wait for that time, not we. One provider has at most so many
messages under way: whoever is slow keeps its own messages waiting, and nobody else's.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.channels.base import (
    GaveUp,
    Message,
    NamesProvider,
    Outcome,
    ReceiptReader,
    RetryLater,
    Sender,
    Sent,
)
from app.channels.fallback import Fallback
from app.domain.breaker import OF_MANY, Breaker, BreakerState, Permit, Refusal, Tolerance

# Time between the rows that wait for the same provider, so that they do not all come back in
# the same instant, before everything else that is due by then.
APART = timedelta(milliseconds=2)
MOST_APART = timedelta(seconds=30)
BEHIND = timedelta(seconds=1)  # a message that failed as a probe waits behind all others
MOST_REMEMBERED = 1000  # providers that are well and were used lately
MOST_SHOWN = 100


@dataclass(frozen=True)
class Admission:
    """A message may go to this provider; `Providers.settle` is told how that went, once."""

    sender: Sender
    has_receipts: bool
    provider: "Provider | None" = None  # None: nobody would take it
    permit: Permit | None = None
    number: int = 0


@dataclass(frozen=True)
class Closed:
    """No provider takes it now; it comes back then."""

    until: datetime
    why: str


class Provider:
    """One provider: its breaker, and what is on its way there."""

    def __init__(self, name: str, tolerance: Tolerance) -> None:
        self.name = name
        self.breaker = Breaker(tolerance)
        self.under_way: dict[int, datetime] = {}  # since when, by the number of the admission
        self.admitted = 0
        self.turned_away = 0  # since the last probe, or the last that it took

    @property
    def is_forgettable(self) -> bool:
        return not self.under_way and self.breaker.failures == 0

    def report(self) -> dict[str, Any]:
        breaker = self.breaker
        error = breaker.last_error
        return {
            "state": breaker.state.value,
            "failures": breaker.failures,
            "since": _iso(breaker.failing_since),
            "next_probe": _iso(breaker.probe_at),
            # What comes after the colon is the provider's own text, and for its owner's eyes.
            "last_error": None if error is None else error.partition(": ")[0],
            "under_way": len(self.under_way),
        }


class Providers:
    """All providers that one sender may use, and what this process knows of them."""

    def __init__(self, sender: Sender, tolerance: Tolerance | None = None) -> None:
        ways: tuple[Sender, ...] = sender.ways if isinstance(sender, Fallback) else (sender,)
        self._ways = tuple(_Way(number, way) for number, way in enumerate(ways))
        self._tolerance = tolerance
        self._known: OrderedDict[tuple[int, str], Provider] = OrderedDict()

    @property
    def are_many(self) -> bool:
        """Whether one may be slow while others are not."""
        return any(way.has_many for way in self._ways)

    def admit(self, message: Message, *, now: datetime) -> Admission | Closed:
        """The first provider that a message may go to now, or when to ask again."""
        closed: list[Closed] = []
        for way in self._ways:
            provider = self._provider(way, message)
            if provider is None:
                return Admission(way.sender, way.has_receipts)
            found = self._ask(way, provider, now)
            if isinstance(found, Admission):
                return found
            closed.append(found)
        return min(closed, key=lambda one: one.until)

    def settle(self, admission: Admission, outcome: Outcome | None, *, now: datetime) -> None:
        """What became of a message that was admitted; None if nobody knows."""
        provider, permit = admission.provider, admission.permit
        if provider is None or permit is None:
            return
        provider.under_way.pop(admission.number, None)
        breaker = provider.breaker
        match outcome:
            case Sent() | GaveUp(is_answer=True):
                breaker.worked()
                provider.turned_away = 0
            case RetryLater(error, after, is_about_message=False):
                breaker.failed(permit, error, now=now, wish=after)
            case _:
                breaker.undecided(permit)

    def returns_at(
        self, admission: Admission, message: Message, *, now: datetime
    ) -> datetime | None:
        """When a message that failed as a probe comes back: as soon as any provider may take it,
        but behind all that never had a chance. None if it was no probe."""
        if admission.permit is None or not admission.permit.is_probe:
            return None
        behind = [self._provider(way, message) for way in self._ways]
        times = [(one.breaker.probe_at if one is not None else None) or now for one in behind]
        return max(min(times), now) + BEHIND

    def report(self) -> dict[str, dict[str, Any]]:
        """By provider, those in trouble first: how they stand. No secret, hosts only."""
        shown = sorted(
            self._known.values(),
            key=lambda one: (one.breaker.state is BreakerState.CLOSED, -one.breaker.failures),
        )
        return {provider.name: provider.report() for provider in shown[:MOST_SHOWN]}

    def _provider(self, way: "_Way", message: Message) -> Provider | None:
        name = way.provider_of(message)
        if name is None:
            return None
        known = self._known.get((way.number, name))
        if known is None:
            usual = OF_MANY if way.has_many else Tolerance()
            known = self._known[way.number, name] = Provider(name, self._tolerance or usual)
            self._forget_some()
        self._known.move_to_end((way.number, name))
        return known

    def _ask(self, way: "_Way", provider: Provider, now: datetime) -> Admission | Closed:
        if len(provider.under_way) >= way.sender.concurrency:
            return self._put_off(provider, now)
        answer = provider.breaker.admit(now)
        if isinstance(answer, Refusal):
            return self._turn_away(provider, answer.until, now)
        if answer.is_probe:
            provider.turned_away = 0
        provider.admitted += 1
        provider.under_way[provider.admitted] = now
        return Admission(way.sender, way.has_receipts, provider, answer, provider.admitted)

    def _turn_away(self, provider: Provider, until: datetime, now: datetime) -> Closed:
        until += self._spread(provider)
        since = provider.breaker.failing_since or now
        seconds = max((now - since).total_seconds(), 1)
        why = (
            f"{provider.name} has taken nothing for {seconds:.0f} s; tried again at"
            f" {until:%H:%M:%S} UTC. Last: {provider.breaker.last_error}"
        )
        return Closed(until, why[:300])

    def _put_off(self, provider: Provider, now: datetime) -> Closed:
        # As long again as the oldest has taken already: by then one of them is likely done.
        oldest = now - min(provider.under_way.values())
        until = now + min(max(oldest, timedelta(seconds=0.25)), MOST_APART) + self._spread(provider)
        why = (
            f"{provider.name} is slow, and has {len(provider.under_way)} messages to answer;"
            f" tried again at {until:%H:%M:%S} UTC."
        )
        return Closed(until, why)

    def _spread(self, provider: Provider) -> timedelta:
        provider.turned_away += 1
        return min(APART * (provider.turned_away - 1), MOST_APART)

    def _forget_some(self) -> None:
        if len(self._known) <= MOST_REMEMBERED:
            return
        for key, provider in list(self._known.items())[: MOST_REMEMBERED // 10]:
            if provider.is_forgettable:
                del self._known[key]


class _Way:
    """One sender, and what it is: asked once, for such questions take their time."""

    def __init__(self, number: int, sender: Sender) -> None:
        self.number = number
        self.sender = sender
        self.has_receipts = isinstance(sender, ReceiptReader)
        self._names = sender if isinstance(sender, NamesProvider) else None
        self.has_many = self._names is not None and self._names.has_many_providers

    def provider_of(self, message: Message) -> str | None:
        return str(self.sender.channel) if self._names is None else self._names.provider_of(message)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
