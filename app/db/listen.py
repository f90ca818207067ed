"""The bell between replicas: LISTEN/NOTIFY on one connection of its own.

It says only "there is something to do"; what, stands in the rows. A lost ring costs one
safety tick, so every failure here is logged and mended by connecting again. Rings of one
moment go out in one transaction, one NOTIFY per loop, and never in the one that made the work: a
NOTIFY there makes commits wait for each other and halves the rate of ingest.

The same connection keeps watch. A server that stands still answers nothing, and one that was
demoted in place still answers reads: both leave the pool's connections open and useless. When
the watch finds one of them it hangs up all of them, and everybody dials anew.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from app.db.dial import Connection
from app.db.session import Database
from app.domain.event import CHANGED

T = TypeVar("T")

log = logging.getLogger(__name__)

CHANNEL = "tocsin"
DEBOUNCE = 0.02
RECONNECT_AFTER = 1.0
WATCH_EVERY = 1.0
# How many seconds of silence mean that the server stands still. It needs no disk, no lock and no
# snapshot to answer: only one that gets no processor for so long is taken for dead by mistake.
PATIENCE = 5
ANNOUNCE = "SELECT pg_notify($1, loop) FROM unnest($2::text[]) AS loop"
IS_READ_ONLY = """
SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean
"""


class OutOfServiceError(Exception):
    """The server is there but of no use; the message says why."""


class Bell:
    """Rings the loops of every process when this one commits work for them.

    `on_ring` is what a ring does here; a process without loops rings for the others only.
    """

    def __init__(self, database: Database, on_ring: Callable[[str], None]) -> None:
        self._database = database
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
            if not loop.startswith(f"{CHANGED}."):  # nobody acts on it; it goes with the others
                self._something.set()

    async def stop(self) -> None:
        self._database.wake = lambda loops: None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep_listening(self) -> None:
        while True:
            try:
                connection = await self._database.connect_aside()
                try:
                    await self._listen(connection)
                finally:
                    connection.terminate()
            except Exception as error:
                log.warning("bell.lost", extra={"error": str(error)[:300]})
                if isinstance(error, OutOfServiceError):
                    self._database.hang_up()
            await asyncio.sleep(RECONNECT_AFTER)

    async def _listen(self, connection: Connection) -> None:
        own_pid = connection.get_server_pid()

        def hear(_: object, pid: int, channel: str, loop: str) -> None:
            if pid != own_pid:
                self._on_ring(loop)

        await _answer(connection.add_listener(CHANNEL, hear))
        watched_at = 0.0
        while True:
            if time.monotonic() - watched_at >= WATCH_EVERY:
                await _watch(connection)
                watched_at = time.monotonic()
            try:
                await asyncio.wait_for(self._something.wait(), WATCH_EVERY)
            except TimeoutError:
                if not self._to_announce:
                    continue
            await self._announce(connection)

    async def _announce(self, connection: Connection) -> None:
        await asyncio.sleep(DEBOUNCE)
        self._something.clear()
        loops, self._to_announce = self._to_announce, set()
        await _answer(connection.execute(ANNOUNCE, CHANNEL, sorted(loops)))


async def _watch(connection: Connection) -> None:
    """Raise OutOfServiceError unless the server answers, and takes writes."""
    if await _answer(connection.fetchval(IS_READ_ONLY)):
        raise OutOfServiceError("The server takes no writes any more.")


async def _answer(question: Coroutine[Any, Any, T]) -> T:
    """What the server says, if it says anything while we have patience."""
    asked = asyncio.create_task(question)
    try:
        for _ in range(PATIENCE):  # in slices: a stop of our own costs no more than one
            if (await asyncio.wait({asked}, timeout=1))[0]:
                return await asked
        raise OutOfServiceError(f"The server has not answered for {PATIENCE} s.")
    finally:
        asked.cancel()
