"""The auditor: looks at rows, not at loops, for a promise that somebody has forgotten.

It finds what must not be: something due for long that nobody took, a sender that vanished long
ago, an open incident whose ladders stand still or that no ladder watches. It says so in the log,
in `/health` and in `/metrics`, and mends nothing: a repair in silence would hide the fault that
made it necessary. Open incidents are looked at a slice in each round, the newest first, so that a
round costs the same however many there are.
"""

import logging
from dataclasses import asdict, replace
from datetime import timedelta

from app.core.paging import BIGGEST_KEY
from app.crud import crud_health
from app.crud.crud_health import Overdue
from app.db.session import Database, transaction_time

log = logging.getLogger(__name__)

AUDIT_EVERY = timedelta(seconds=30)
PATIENCE = timedelta(minutes=2)  # due for so long is no hiccup
SHOWN = 10  # incidents named in a line of the log


class Auditor:
    """Looks every now and then; `found` is what the last look came to."""

    def __init__(self, database: Database) -> None:
        self.found: Overdue | None = None
        self._database = database
        self._after = BIGGEST_KEY
        # Of the round through all open incidents that is under way, and of the one before.
        self._stopped: set[int] = set()
        self._unwatched: set[int] = set()
        self._before: tuple[set[int], set[int]] = (set(), set())

    async def look(self) -> timedelta | None:
        """Count what is overdue, and say so when that has changed."""
        async with self._database.reading() as session:
            now = await transaction_time(session)
            overdue = await crud_health.overdue(session, now=now, patience=PATIENCE)
            slice_ = await crud_health.forgotten(session, after=self._after)
        self._stopped |= slice_.stopped
        self._unwatched |= slice_.unwatched
        if slice_.next_after is None:
            self._before = self._stopped, self._unwatched
            self._stopped, self._unwatched = set(), set()
        self._after = BIGGEST_KEY if slice_.next_after is None else slice_.next_after
        # What the round before found counts until this one has come past it.
        stopped = self._before[0] | self._stopped
        unwatched = self._before[1] | self._unwatched
        self._tell(
            replace(overdue, clocks=len(stopped), incidents=len(unwatched)),
            sorted(stopped | unwatched)[:SHOWN],
        )
        return None

    def _tell(self, overdue: Overdue, incidents: list[int]) -> None:
        was, self.found = self.found or Overdue(), overdue
        if overdue == was:
            return
        if overdue == Overdue():
            log.warning("audit.nothing_overdue_any_more")
        else:
            log.error("audit.overdue", extra={**asdict(overdue), "examples": incidents})
