"""The one way in for pings of this process: what comes at the same time is written together.

A ping is answered only once it is durable. Pings of one monitor that came together are taken in
the order they came.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from app.core.metrics import Metrics
from app.crud import crud_heartbeat_ping
from app.db.coalesce import Coalescer
from app.db.session import Database, WriteSession, transaction_time
from app.domain.heartbeat_monitor import OutageCause, Ping
from app.domain.storm import ServiceLimit
from app.services import heartbeat_ping as heartbeat_ping_service

TOGETHER = 200  # pings in one transaction
FLUSHERS = 2
ROOM = 2_000  # that may wait
PATIENT_FOR = 5  # turns at the pool


class Pings:
    """Takes pings in, many of them in one transaction."""

    def __init__(self, database: Database, limit: ServiceLimit, metrics: Metrics) -> None:
        self._database = database
        self._limit = limit
        self._metrics = metrics
        self._coalescer = Coalescer(self._take_in, most=TOGETHER, flushers=FLUSHERS, room=ROOM)

    async def add(self, ping: Ping) -> bool:
        """Whether there is a monitor of this address, once its ping is durable.

        Raises CrowdedError while more waits than can.
        """
        return await self._coalescer.add(ping)

    async def _take_in(self, pings: list[Ping]) -> list[bool]:
        async def take_in(session: WriteSession) -> tuple[set[str], int]:
            known: set[str] = set()
            outages = 0
            for turn in _turns(pings):
                taken = await crud_heartbeat_ping.take(session, turn)
                if not taken:
                    continue
                known.update(taken)
                now = await transaction_time(session)
                outages += await heartbeat_ping_service.follow(
                    session, taken.values(), now=now, limit=self._limit
                )
            return known, outages

        known, outages = await self._database.write(take_in, turns=PATIENT_FOR)
        self._metrics.heartbeat_outages(OutageCause.FAILED, outages)
        for ping in pings:
            if ping.token_hash in known:
                self._metrics.heartbeat_pinged(ping.kind)
        return [ping.token_hash in known for ping in pings]


def _turns(pings: Sequence[Ping]) -> Iterator[list[Ping]]:
    """The pings in order, such that each monitor has one in a turn."""
    histories: dict[str, list[Ping]] = defaultdict(list)
    for ping in pings:
        histories[ping.token_hash].append(ping)
    for turn in range(max(map(len, histories.values()))):
        yield [history[turn] for history in histories.values() if turn < len(history)]
