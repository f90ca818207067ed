"""Messages that came more than once under one mark: which of them a fault excuses. Pure.

Whatever bears the same mark is the same message. A sink may have taken it twice only where a
fault was injected on that very send, so that the sender could not record the first.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from tests.crash.ledger import Arrival, Books

# Times on an idle machine; where replicas start slowly, everything may take as many times longer.
# A sender that was told “taken” records it at once; a kill within this time may have come first.
RECORDING = 2.0
# It tries to record for about so long, if the database is away.
RECORDING_STUBBORNLY = 8.0
CLOCK = 0.05  # what two clocks' readings on one machine may differ by, and rounding


@dataclass
class Copies:
    resent: int = 0
    refused: int = 0  # attempts that a sink refused; a retry after one is no copy
    doubled: list[str] = field(default_factory=list)  # what no fault excuses, in words
    wrong: list[str] = field(default_factory=list)


def count_copies(arrivals: Iterable[Arrival], books: Books) -> Copies:
    found = Copies()
    by_mark: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        if arrival.taken_at is None:
            found.refused += 1
        else:
            by_mark[arrival.mark].append(arrival)
    for mark, taken in by_mark.items():
        taken.sort(key=lambda arrival: arrival.began)
        if len({(arrival.address, arrival.token, arrival.tells) for arrival in taken}) > 1:
            found.wrong.append(f"the mark {mark} stands on different messages")
        for before, after in pairwise(taken):
            if _was_disturbed(before, after, books):
                found.resent += 1
            else:
                found.doubled.append(
                    f"{mark} to {after.address} came again"
                    f" {after.began - before.began:.1f} s later, though nothing disturbed it"
                )
    return found


def _was_disturbed(before: Arrival, after: Arrival, books: Books) -> bool:
    """Whether a fault between the two may have kept the product from recording the first."""
    if before.fault is not None or before.answered_at is None:
        return True
    for fault in books.faults:
        if fault.kind == "kill" and fault.slot in (before.slot, None):
            recording = RECORDING
        elif fault.kind == "database":
            recording = RECORDING_STUBBORNLY
        else:
            continue
        latest = min(before.answered_at + recording * books.slowness, after.began)
        if fault.at <= latest and fault.until >= before.began - CLOCK:
            return True
    return False
