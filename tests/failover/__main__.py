"""The crash test on two PostgreSQL servers: wherever it hurts the one, here the other takes over.

    python -m tests.failover [--seed N] [--duration SECONDS] [--kills N]

Everything else is as in `python -m tests.crash`, the judge above all.
"""

import asyncio
import sys
import time
from pathlib import Path

from app.db.url import driver_url
from tests.crash import __main__ as crash
from tests.crash.database import TheDatabase
from tests.crash.plan import Break, DatabaseFault
from tests.failover.pair import Pair

FAULTS = {
    DatabaseFault.BACKEND: "primary takes no writes",
    DatabaseFault.RESTART: "primary hangs",
    DatabaseFault.CRASH: "primary killed",
}


class ThePair(TheDatabase):
    """A pair whose primary fails as planned; the standby takes over, and a new one follows."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "unused")  # what is asked by SQL alone is asked in the same way
        self._pair = Pair(folder, settings={"max_connections": "250"})

    @property
    def url(self) -> str:
        return driver_url(self._pair.url)

    def start(self) -> None:
        self._pair.start()

    def stop(self) -> None:
        self._pair.stop()

    async def suffer(self, planned: Break) -> tuple[float, float]:
        """Do what is planned; from when to when there was no server that takes writes."""
        if planned.fault is DatabaseFault.CUT:
            return await super().suffer(planned)
        began = time.time()
        await asyncio.to_thread(self._pair.faults[FAULTS[planned.fault]])
        await asyncio.sleep(planned.amount)
        await asyncio.to_thread(self._pair.promote)
        ended = time.time()
        await asyncio.to_thread(self._pair.rejoin)
        return began, ended


def main() -> int:
    return crash.main(database=ThePair)


if __name__ == "__main__":
    sys.exit(main())
