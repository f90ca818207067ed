"""Keeps the exported status page as it should be: after each change, and now and then, because
days end and the page says when it was looked at."""

import logging
from datetime import timedelta
from pathlib import Path

from app.db.session import Database
from app.services.status_page import LOOP
from app.web import export
from app.worker.loop import Loop

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=5)


class Exporting:
    """The loop of one process; without a folder it does nothing."""

    def __init__(self, database: Database, folder: Path | None, address: str) -> None:
        self._database = database
        self._folder = folder
        self._address = address
        if folder is not None:
            export.claim(folder)  # what is set wrong is said at the start
        self._loop = Loop("status export", self.round, longest_sleep=EVERY)

    def start(self) -> None:
        if self._folder is not None:
            self._loop.start()

    def ring(self, loop: str) -> None:
        """Somebody committed what this loop of the worker looks after."""
        if loop == LOOP:
            self._loop.ring()

    async def stop(self) -> None:
        await self._loop.stop()

    async def round(self) -> timedelta | None:
        """Write the page as it is now."""
        assert self._folder is not None
        written = await export.export(self._database, self._folder, self._address)
        if written.changed or written.removed:
            log.info(
                "status.exported",
                extra={
                    "files": written.files,
                    "changed": written.changed,
                    "removed": written.removed,
                },
            )
        return None
