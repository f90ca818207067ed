"""The bell between replicas: LISTEN/NOTIFY on one connection of its own.

It says only "there is something to do"; what, stands in the rows. A lost ring costs one
safety tick, so every failure here is logged and mended by connecting again. Rings of one
moment go out as one NOTIFY per loop, never inside the transaction that made the work: a
NOTIFY there makes commits wait for each other and halves the rate of ingest.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from app.db.session import Database

log = logging.getLogger(__name__)

CHANNEL = "tocsin"
DEBOUNCE = 0.02
RECONNECT_AFTER = 1.0
KEEPALIVE = 15.0


class Bell:
    """Rings the loops of every process when this one commits work for them.

    `on_ring` is what a ring does here; a process without loops rings for the others only.
    """

    def __init__(self, database: Database, on_ring: Callable[[str], None]) -> None:
        self._database = database
        self._engine = create_async_engine(database.engine.url, poolclass=NullPool)
        self._on_ring = on_ring
        self._to_announce: set[str] = set()
        self._something = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep_listening(), name="bell")
        self._database.wake = self.ring

    def ring(self, loops: Iterable[str]) -> None:
        """Wake these loops here now, and everywhere else in a moment."""
        for loop in loops:
            self._on_ring(loop)
            self._to_announce.add(loop)
        self._something.set()

    async def stop(self) -> None:
        self._database.wake = lambda loops: None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._engine.dispose()

    async def _keep_listening(self) -> None:
        while True:
            try:
                async with self._engine.connect() as connection:
                    await self._listen(connection)
            except Exception as error:
                log.warning("bell.lost", extra={"error": str(error)[:300]})
            await asyncio.sleep(RECONNECT_AFTER)

    async def _listen(self, connection: AsyncConnection) -> None:
        raw: Any = (await connection.get_raw_connection()).driver_connection
        own_pid = raw.get_server_pid()

        def hear(_: object, pid: int, channel: str, loop: str) -> None:
            if pid != own_pid:
                self._on_ring(loop)

        await raw.add_listener(CHANNEL, hear)
        while True:
            try:
                await asyncio.wait_for(self._something.wait(), KEEPALIVE)
            except TimeoutError:
                await raw.execute("SELECT 1")  # a connection that died in silence shows here
                continue
            await asyncio.sleep(DEBOUNCE)
            self._something.clear()
            loops, self._to_announce = self._to_announce, set()
            for loop in sorted(loops):
                await raw.execute("SELECT pg_notify($1, $2)", CHANNEL, loop)
