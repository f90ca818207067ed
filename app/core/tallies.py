"""What callers were counted for in this process: fast, bounded, and never swept.

A count that nobody touched for two windows is worth nothing. So they live in two generations:
what is used moves to the young one, and the old one is dropped whole. Where strangers come in
such numbers that a generation is full before its time, it ends early: what is forgotten then
makes the limit more generous, for nobody stricter.
"""

import time
from collections.abc import Callable

from app.domain import rate as rates
from app.domain.rate import Rate, Standing, Tally

MOST = 20_000  # callers in a generation


def milliseconds() -> int:
    """A clock that nobody sets."""
    return time.monotonic_ns() // 1_000_000


class Tallies:
    """The counts of one rate."""

    def __init__(self, rate: Rate, clock: Callable[[], int] = milliseconds) -> None:
        self.rate = rate
        self._clock = clock
        self._young: dict[str, Tally] = {}
        self._old: dict[str, Tally] = {}
        self._turns_at = clock() + 2 * rate.length

    def count(self, caller: str) -> Standing:
        """Count a request if there is room for it; how the caller stands then."""
        now = self._clock()
        if now >= self._turns_at or len(self._young) >= MOST:
            self._old, self._young = self._young, {}
            self._turns_at = now + 2 * self.rate.length
        found = self._young.get(caller) or self._old.get(caller)
        tally, is_allowed = rates.count(self.rate, found, now=now)
        if is_allowed:
            self._young[caller] = tally
        return rates.standing(self.rate, tally, is_allowed=is_allowed, now=now)

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
