"""Housekeeping: forget what is over, in batches that hold nobody up.

Nothing that somebody waits for is done here; a replica that comes late finds less to do.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from app.crud import crud_auth, crud_notification, crud_throttle
from app.db.session import Database, WriteSession, transaction_time

BATCH = 500
MOST_BATCHES = 40  # of each kind in one round: the next one goes on
LOGINS_KEPT = timedelta(days=30)  # and challenges, after they ended
LETTERS_KEPT = timedelta(days=90)

Remove = Callable[[WriteSession, datetime], Awaitable[int]]


async def _throttles(session: WriteSession, now: datetime) -> int:
    return await crud_throttle.remove_over(session, now=now, limit=BATCH)


async def _logins(session: WriteSession, now: datetime) -> int:
    return await crud_auth.remove_over(session, before=now - LOGINS_KEPT, limit=BATCH)


async def _letters(session: WriteSession, now: datetime) -> int:
    return await crud_notification.remove_old_letters(
        session, before=now - LETTERS_KEPT, limit=BATCH
    )


ROOMS: tuple[Remove, ...] = (_throttles, _logins, _letters)


class Housekeeping:
    """Sweeps, and counts what it removed since this process began."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.removed = 0

    async def sweep(self) -> timedelta | None:
        """Forget everything that is over."""
        for remove in ROOMS:
            for _ in range(MOST_BATCHES):
                count = await self._sweep_once(remove)
                self.removed += count
                if count == 0:
                    break
        return None

    async def _sweep_once(self, remove: Remove) -> int:
        async def once(session: WriteSession) -> int:
            return await remove(session, await transaction_time(session))

        return await self._database.write(once)
