"""Waiting for what takes its time: soon at first, then less and less often."""

import time
from collections.abc import Iterator


def patiently(patience: float) -> Iterator[None]:
    """Try at once, then ever more slowly, until patience runs out."""
    deadline, pause = time.monotonic() + patience, 0.005
    while time.monotonic() < deadline:
        yield
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)
