"""Whether a provider is sent to, or left alone until it may be well again. Time is an argument.

Closed until it fails so many times in a row. Then open: nothing is sent until the next probe,
one message alone; if that is taken the breaker closes, if not the pause doubles, to a bound.
What was sent before the state last changed says nothing about how it is now, unless it was
taken: a provider that takes something is well.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class BreakerState(StrEnum):
    CLOSED = "closed"  # sent to
    HALF_OPEN = "half_open"  # one probe is under way
    OPEN = "open"  # left alone until the next probe


@dataclass(frozen=True)
class Tolerance:
    """How much is put up with."""

    failures: int = 5  # in a row
    first_pause: timedelta = timedelta(seconds=2)
    longest_pause: timedelta = timedelta(seconds=30)
    # The longest that a provider's own wish (Retry-After) keeps us away from all of it.
    longest_wish: timedelta = timedelta(minutes=5)


# A host may serve many who have nothing to do with one another: what it asks of one of them
# keeps the others waiting no longer than any failure would.
OF_MANY = Tolerance(longest_wish=Tolerance.longest_pause)

SHORTEST_WAIT = timedelta(seconds=1)  # for the answer to a probe


@dataclass(frozen=True)
class Permit:
    """One message may be sent; whoever has it says how that went, once."""

    turn: int
    is_probe: bool = False


@dataclass(frozen=True)
class Refusal:
    """Not now; it is worth asking again at `until`."""

    until: datetime


class Breaker:
    """The state of one provider, as one process knows it."""

    def __init__(self, tolerance: Tolerance = Tolerance()) -> None:
        self._tolerance = tolerance
        self._turn = 0
        self._pause = tolerance.first_pause
        self._probing_since: datetime | None = None
        self.failures = 0
        self.failing_since: datetime | None = None
        self.probe_at: datetime | None = None
        self.last_error: str | None = None

    @property
    def state(self) -> BreakerState:
        if self.probe_at is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._probing_since is None else BreakerState.HALF_OPEN

    def admit(self, now: datetime) -> Permit | Refusal:
        """Leave to send one message now, or when to ask again."""
        if self.probe_at is None:
            return Permit(self._turn)
        if self._probing_since is not None:
            # As long again as the probe has taken already: seldom too long, and not often too soon.
            wait = max(SHORTEST_WAIT, now - self._probing_since)
            return Refusal(now + min(wait, self._tolerance.longest_pause))
        if now < self.probe_at:
            return Refusal(self.probe_at)
        self._probing_since = now
        return Permit(self._turn, is_probe=True)

    def worked(self) -> None:
        """It took something, or said clearly why not: it is well."""
        if self.probe_at is not None:
            self._turn += 1
        self._pause = self._tolerance.first_pause
        self._probing_since = self.failing_since = self.probe_at = self.last_error = None
        self.failures = 0

    def failed(
        self, permit: Permit, error: str, *, now: datetime, wish: timedelta | None = None
    ) -> None:
        """It did not take it; `wish` is how long it asks to be left alone."""
        if permit.turn != self._turn or (self.probe_at is not None and not permit.is_probe):
            return
        self.failures += 1
        self.last_error = error
        if self.failing_since is None:
            self.failing_since = now
        if permit.is_probe:
            self._open(min(self._pause * 2, self._tolerance.longest_pause), wish, now)
        elif wish is not None or self.failures >= self._tolerance.failures:
            self._open(self._tolerance.first_pause, wish, now)

    def undecided(self, permit: Permit) -> None:
        """What became of it says nothing about the provider."""
        if permit.is_probe and permit.turn == self._turn:
            self._probing_since = None

    def _open(self, pause: timedelta, wish: timedelta | None, now: datetime) -> None:
        self._turn += 1
        self._pause = pause
        self._probing_since = None
        asked = min(wish, self._tolerance.longest_wish) if wish is not None else pause
        self.probe_at = now + max(pause, asked)
