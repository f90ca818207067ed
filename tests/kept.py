"""Connections that outlive the tests which use them, because new ones know nothing.

A new pool has its statements to compile again, its connections their plans to make, and the
server a process to start for each: that cost more than most tests do themselves.
"""

from copy import copy

from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from app.db.base import metadata
from app.db.session import LOST, Database

POOL_SIZE = 20
DELETE_ALL = "; ".join(
    ["BEGIN", "SET LOCAL session_replication_role = replica"]
    + [f'DELETE FROM "{table.name}"' for table in metadata.sorted_tables]
    + ["COMMIT"]
)


class Kept:
    """One worker's connections.

    Each test gets a `Database` of its own over them, so that no clock and no bell is left to the
    next. If it leaves one in use, or ends them, the next test gets new ones.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._made: Database | None = None

    async def empty(self) -> Database:
        """A database with empty tables, a clock that is right and no bell."""
        try:
            return await self._emptied()
        except (DBAPIError, *LOST):  # somebody ended them, or hung up
            await self.close()
            return await self._emptied()

    async def _emptied(self) -> Database:
        if self._made is None:
            self._made = Database(self._url, pool_size=POOL_SIZE)
        async with self._made.engine.connect() as connection:
            wire = (await connection.get_raw_connection()).driver_connection
            assert wire is not None
            await wire.execute(DELETE_ALL)
        return copy(self._made)

    async def take_back(self) -> None:
        """After a test: whatever it did to them shall not meet the next one."""
        if self._made is not None and not self._is_whole(self._made):
            await self.close()

    @staticmethod
    def _is_whole(database: Database) -> bool:
        pool = database.engine.pool
        assert isinstance(pool, QueuePool)
        return pool.checkedout() == 0

    async def close(self) -> None:
        if self._made is not None:
            await self._made.close()
            self._made = None
