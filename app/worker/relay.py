"""The relay: gives events that have been committed their places in the change feed.

One at a time, whichever replica gets hold of the feed's row; it lets go when it commits, so
that one which is killed leaves its place to the next at once, and nothing half done. Events
come here after their commit. Whatever order their transactions end in, the places say in
which order readers may learn of them, and nobody is ever told of a place before one below it.

Placed events leave dead entries behind in the index of those that wait, so most rounds look
only beyond what was placed last. A transaction that was open for long commits events of lower
ids: for these every `LOOK_EVERY` one round looks from the start.
"""

import asyncio
import time
from datetime import timedelta

from app.crud import crud_event
from app.db.session import Database, WriteSession, wake_after_commit
from app.domain.event import FEED

BEHIND = 0.02  # seconds that whoever is to be paged has a head start
PACE = 0.05  # seconds between rounds under load: a place each commit would cost ingest dearly
LOOK_EVERY = 1.0  # seconds between rounds that look from the start
LOOK_SHARE = 20  # of its own duration, at least, passes between these
OVERLAP = 1_000  # ids below the last one placed, where most late commits are
BUSY = timedelta(milliseconds=20)  # another replica is at it; see that it found everything


class Relay:
    """Places what waits, and rings whoever reads the feed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._after = 0
        self._placed_at = 0.0
        self._next_look = 0.0

    async def round(self) -> timedelta | None:
        """Give places until nothing waits; None, or when to come again."""
        await asyncio.sleep(max(BEHIND, self._placed_at + PACE - time.monotonic()))
        began = time.monotonic()
        is_look = began >= self._next_look
        after = 0 if is_look else self._after
        while True:
            if not await crud_event.is_anything_unplaced(self._database, after=after):
                break
            placed = await self._database.write(lambda session: self._place(session, after))
            if placed is None:
                return BUSY
            self._placed_at = time.monotonic()
            self._after = max(self._after, (placed.last_id or 0) - OVERLAP)
            if placed.count < crud_event.MOST:  # whoever has committed since then has rung
                break
        if is_look:
            took = time.monotonic() - began
            self._next_look = time.monotonic() + max(LOOK_EVERY, LOOK_SHARE * took)
            return None
        # A round that skipped the beginning is followed by one that does not.
        return timedelta(seconds=max(self._next_look - time.monotonic(), 0.0))

    async def _place(self, session: WriteSession, after: int) -> crud_event.Placed | None:
        """None if another replica is the relay just now."""
        if not await crud_event.hold_feed(session):
            return None
        placed = await crud_event.place(session, after=after)
        if placed.count:
            wake_after_commit(session, FEED)
        return placed
