"""Leaving when told to: what was started is stopped, wherever the program happened to be.

A signal’s handler runs between any two instructions. What it raises there unwinds the program as
Ctrl-C does, but for a few places out of which nothing comes: what is called back when something is
no longer referred to, above all. Python tells of what was lost there, so we ask once more.
"""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN = 0.01  # seconds until we ask again: whatever swallowed it is over by then
PATIENCE = 10.0  # seconds for what was started to be stopped, before anybody may ask again

_leaving_since: float | None = None


class Leaving(SystemExit):
    """Told to leave. The status is that of a process which ended by that signal."""


def when_told() -> None:
    """From now on leave politely when the process is told to terminate, or its terminal closes."""
    signal.signal(signal.SIGTERM, _leave)
    # Whoever serves hears the one name only.
    for other in (signal.SIGHUP, signal.SIGALRM):
        signal.signal(other, lambda *_: signal.raise_signal(signal.SIGTERM))
    sys.unraisablehook = _told_in_vain


@contextmanager
def instead(tell: Callable[[], object]) -> Iterator[None]:
    """While this lasts, only say that we were told to leave, or Ctrl-C was pressed."""
    told = (signal.SIGINT, signal.SIGTERM)
    before = {signum: signal.signal(signum, lambda *_: tell()) for signum in told}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


@contextmanager
def later() -> Iterator[None]:
    """Hear whoever tells us to leave once this is over, because it is short: what talks to a
    database complains loudly if it is cut off while it says goodbye."""
    told: list[int] = []
    heard = (signal.SIGINT, signal.SIGTERM)
    before = {one: signal.signal(one, lambda signum, _: told.append(signum)) for one in heard}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    for signum in told[:1]:
        signal.raise_signal(signum)


def _leave(signum: int, frame: FrameType | None) -> None:
    """Once: a closed terminal is told of twice, and the second time must not cut short what stops
    the database."""
    global _leaving_since
    now = time.monotonic()
    if _leaving_since is not None and now - _leaving_since < PATIENCE:
        return
    _leaving_since = now
    raise Leaving(128 + signum)


def _told_in_vain(lost: "sys.UnraisableHookArgs") -> None:
    global _leaving_since
    if isinstance(lost.exc_value, Leaving):
        _leaving_since = None
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
    else:
        sys.__unraisablehook__(lost)
