"""The reader: reads the words of incidents that were opened or renamed, for the search.

Whoever opened them has gone on long ago. Many that were opened in one second are read together,
once: a search looks at what waits by itself.
"""

import time
from datetime import timedelta

from app.crud import crud_search
from app.db.session import Database
from app.worker.loop import SKIPPED

PACE = 1.0  # seconds between rounds under load


class Reader:
    """Reads what waits, whichever replica gets hold of it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read_at = -PACE

    async def round(self) -> timedelta | None:
        """Read until nothing waits; None, or when to come again."""
        early = self._read_at + PACE - time.monotonic()
        if early > 0:
            return timedelta(seconds=early)
        while True:
            async with self._database.reading() as session:
                if not await crud_search.is_anything_queued(session):
                    return None
            if await self._database.write(crud_search.read_next) is None:
                return SKIPPED
            self._read_at = time.monotonic()
