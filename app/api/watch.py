"""What the database says of itself and of its backlog, for figures that many may ask for.

One look serves everybody who asks within the next second, and longer if it took long: a storm of
scrapes costs no more than one, and a database in trouble is not asked more for being in trouble.
Who comes while a look is under way waits for that one.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.crud import crud_health, crud_heartbeat_monitor
from app.crud.crud_health import Backlog, Sessions
from app.db.session import Database, is_outage, transaction_time
from app.domain.heartbeat_monitor import MonitorState

log = logging.getLogger(__name__)

FRESH_FOR = 1.0  # seconds
SHARE = 0.05  # of the time may be spent looking
PATIENCE = 5.0  # less than a scraper has


@dataclass(frozen=True)
class Look:
    """How things stood at one instant."""

    takes_writes: bool
    backlog: Backlog
    sessions: Sessions
    heartbeats: Mapping[MonitorState, int]


class Watch:
    """Looks at most every second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._turn = asyncio.Lock()
        self._fresh_until = float("-inf")
        self._found: Look | None = None

    async def look(self, database: Database) -> Look | None:
        """What was found just now; None while the database cannot be reached."""
        async with self._turn:
            began = self._clock()
            if began >= self._fresh_until:
                self._found = await _look(database)
                ended = self._clock()
                self._fresh_until = ended + max(FRESH_FOR, (ended - began) / SHARE)
            return self._found


async def _look(database: Database) -> Look | None:
    try:
        async with asyncio.timeout(PATIENCE), database.reading() as session:
            now = await transaction_time(session)
            return Look(
                takes_writes=await crud_health.takes_writes(session),
                backlog=await crud_health.backlog(session, now=now),
                sessions=await crud_health.sessions(session),
                heartbeats=await crud_heartbeat_monitor.count_by_state(session, now=now),
            )
    except Exception as error:  # what this process counted is worth showing all the same
        if not is_outage(error):
            log.exception("watch.failed")
        return None
