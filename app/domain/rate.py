"""How often somebody may do something: a window that slides, kept as three numbers.

A caller's window begins with a first request and is followed by the next; what was counted in
the one before weighs as much as of it still lies within a window's length. So a whole quota
may come at once, a new minute is no new quota, and what is told to wait is the shortest wait
that helps. A request that is refused does not count: who knocks on is not locked out for ever.

Time is an argument, in milliseconds of whatever clock the counts are kept by.
"""

import re
from dataclasses import dataclass

WRITTEN = re.compile(r"([0-9]{1,9})/(second|minute|hour)")
SECONDS = {"second": 1, "minute": 60, "hour": 3600}


@dataclass(frozen=True)
class Rate:
    """`limit` requests in any `window` seconds."""

    limit: int
    window: int

    @property
    def length(self) -> int:
        return self.window * 1000


@dataclass(frozen=True, slots=True)
class Tally:
    """When a caller's window began, and what was counted in it and in the one before."""

    began: int
    before: int = 0
    here: int = 0


@dataclass(frozen=True)
class Standing:
    """How a caller stands with a rate after a request."""

    rate: Rate
    is_allowed: bool
    remaining: int
    reset: int  # seconds until more is left than now; of a refusal, until one more is


def parse(text: str) -> Rate | None:
    """A rate as operators write it, `100/minute`; None for `0`, which is no limit."""
    text = text.replace(" ", "").lower()
    found = WRITTEN.fullmatch(text)
    if found is None and text != "0":
        raise ValueError("must be a rate such as 100/minute (or second, hour), or 0 for no limit")
    if found is None or int(found[1]) == 0:
        return None
    return Rate(int(found[1]), SECONDS[found[2]])


def checked(text: str) -> str:
    """The same, if it can be parsed."""
    parse(text)
    return text


def count(rate: Rate, tally: Tally | None, *, now: int) -> tuple[Tally, bool]:
    """The tally with one more request in it, if there was room for it, and whether there was."""
    tally = _at(rate, tally, now)
    if _weight(rate, tally, now) + 1 > rate.limit:
        return tally, False
    return Tally(tally.began, tally.before, tally.here + 1), True


def standing(rate: Rate, tally: Tally, *, is_allowed: bool, now: int) -> Standing:
    remaining = max(0, rate.limit - _weight(rate, tally, now)) if is_allowed else 0
    wait = tally.began + rate.length - now if is_allowed else _wait(rate, tally, now)
    return Standing(rate, is_allowed, remaining, max(1, -(-wait // 1000)))


def _at(rate: Rate, tally: Tally | None, now: int) -> Tally:
    """The same counts, seen from the window that `now` lies in."""
    passed = 2 if tally is None else (now - tally.began) // rate.length
    if tally is None or passed >= 2:
        return Tally(now)
    return Tally(tally.began + rate.length, tally.here) if passed == 1 else tally


def _weight(rate: Rate, tally: Tally, now: int) -> int:
    overlap = tally.began + rate.length - now
    return tally.here - (-tally.before * overlap // rate.length)


def _wait(rate: Rate, tally: Tally, now: int) -> int:
    """Milliseconds until one more request has room, if nothing else comes."""
    if tally.here >= rate.limit:  # not in this window
        tally = Tally(tally.began + rate.length, tally.here)
    room = (rate.limit - tally.here - 1) * rate.length
    return tally.began + rate.length - room // max(1, tally.before) - now
