"""The reader: reads the words of incidents that were opened or renamed, for the search.

Whoever opened them has gone on long ago, and whoever opens others now must not feel it: a few are
read at a time, with pauses between. Nobody waits for it, because a search looks at what is still
queued by itself.
"""

import time
from datetime import timedelta

from app.crud import crud_search
from app.db.session import Database
from app.worker.loop import SKIPPED

PACE = 1.0  # seconds until it looks again, after it had read all
REST = 4  # times as long as a batch took, before the next one


class Reader:
    """Reads what waits, whichever replica gets hold of it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._next = 0.0

    async def round(self) -> timedelta | None:
        """Read some of what waits; None if that was all, or when to come again."""
        began = time.monotonic()
        if began < self._next:
            return timedelta(seconds=self._next - began)
        if not await crud_search.is_anything_queued(self._database):
            return None
        taken = await self._database.write(crud_search.read_next)
        if taken is None:
            return SKIPPED
        is_all = taken < crud_search.MOST_READ
        now = time.monotonic()
        self._next = now + (PACE if is_all else REST * (now - began))
        return None if is_all else timedelta(seconds=self._next - now)
