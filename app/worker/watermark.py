"""Where to begin looking for what is due, as far as one process knows.

Steps leave dead entries behind in the index of due times. As long as somebody holds a
snapshot (a backup) nothing may remove them, and whoever looks from the start wades through
all of them, each time. So a process remembers a mark below which it left nothing, and looks
from there.

A mark may be wrong: somebody else held a row just then, or one appeared below it (a late
commit, a ladder that catches up). What a process writes itself lowers its mark at once; the
last `LATE_COMMITS` are always looked through; and every `LOOK_EVERY` one look from the start
lowers the mark to whatever is there. A look that takes long is repeated the more seldom, so
that it never takes more than its share of the time.
"""

import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from app.crud.crud_escalation import FROM_THE_START, Due, Mark, NextDue, Since

LATE_COMMITS = timedelta(seconds=2)
LOOK_EVERY = 1.0  # seconds
LOOK_SHARE = 20  # of its own duration, at least, passes between looks


class Watermark:
    """Below these marks, one for each urgency, nothing was left when we were there."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._marks = FROM_THE_START
        self._next_look = clock() + LOOK_EVERY
        self._looked = True  # in this round, which begins at the start

    @property
    def since(self) -> Since:
        return self._marks

    def begin_round(self) -> None:
        self._looked = self._marks == FROM_THE_START

    def wants_look(self) -> bool:
        return self._clock() >= self._next_look

    def look(self, found: NextDue, *, took: float) -> None:
        """A look from the start found this, whoever holds it."""
        self._marks = Since(
            *(
                mark if at is None else min(mark, Mark(at))
                for mark, at in zip(self._marks, found, strict=True)
            )
        )
        self._looked = True
        self._next_look = self._clock() + max(LOOK_EVERY, LOOK_SHARE * took)

    @property
    def owed_look(self) -> float | None:
        """Seconds until this round must be followed by a look; None if it had one."""
        return None if self._looked else max(self._next_look - self._clock(), 0.0)

    def passed(
        self, dues: Collection[Due], nearest: Mapping[bool, datetime], *, limit: int, now: datetime
    ) -> None:
        """These were taken, and that is committed. `nearest` is what was written instead."""
        critical = [due for due in dues if due.escalation.is_critical]
        other = [due for due in dues if not due.escalation.is_critical]
        seen = Since(
            _reached(critical, limit, now),
            # Not looked at where what is critical filled the batch.
            _reached(other, limit, now) if len(critical) < limit else self._marks.other,
        )
        self._marks = Since(
            *(
                min(mark, Mark(nearest[is_critical])) if is_critical in nearest else mark
                for mark, is_critical in zip(seen, (True, False), strict=True)
            )
        )


def _reached(dues: Collection[Due], limit: int, now: datetime) -> Mark:
    """How far these lead: to the last of them, or past everything that is due."""
    if len(dues) < limit:
        return Mark(now - LATE_COMMITS)
    last = max(due.escalation.next_step_at for due in dues)
    return Mark(last, max(d.escalation.id for d in dues if d.escalation.next_step_at == last))
