"""The one way in for alerts of this process: what comes at the same time is written together.

A request is answered only once its own alerts are durable. Its key counts as known for a moment,
so that a storm does not ask for it each time; whether it still opens anything is asked again in
the transaction that takes the alerts in.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from app.crud import crud_intake
from app.db.coalesce import Coalescer
from app.db.session import (
    Database,
    WriteSession,
    is_crowded,
    transaction_time,
    was_refused,
)
from app.domain.storm import ServiceLimit
from app.services import integration as integration_service
from app.services import plain_intake
from app.services.integration import Delivery, Item
from app.services.plain_intake import Parcel, Taken

TOGETHER = 200  # alerts in one transaction
FLUSHERS = 3  # while one gathers, others wait for the database and the disk
ROOM = 2_000  # requests that may wait
PATIENT_FOR = 5  # turns at the pool: an alert that came is worth more waiting than a question
KNOWN_FOR = 30.0  # seconds
MOST_KNOWN = 10_000


class Intake:
    """Takes parcels in, many of them in one transaction."""

    def __init__(self, database: Database, limit: ServiceLimit) -> None:
        self._database = database
        self._limit = limit
        self._known: dict[str, float] = {}
        self._asking: dict[str, asyncio.Task[bool]] = {}
        self._coalescer = Coalescer(
            self._take_in, most=TOGETHER, flushers=FLUSHERS, room=ROOM, weigh=_alerts
        )

    @property
    def waiting(self) -> int:
        """How many requests wait for a transaction to take them."""
        return self._coalescer.waiting

    @property
    def flushing(self) -> int:
        """How many transactions are under way."""
        return self._coalescer.flushing

    async def knows(self, key_hash: str) -> bool:
        """Whether the key opens an active integration, or did a moment ago."""
        now = time.monotonic()
        if self._known.get(key_hash, 0.0) > now:
            return True
        # A storm asks once, however many of its requests come before the answer.
        asking = self._asking.get(key_hash)
        if asking is None:
            asking = asyncio.create_task(self._ask(key_hash), name="key")
            self._asking[key_hash] = asking
            asking.add_done_callback(lambda _: self._asking.pop(key_hash))
        return await asyncio.shield(asking)

    async def _ask(self, key_hash: str) -> bool:
        async with self._database.reading() as session:
            is_known = key_hash in await crud_intake.senders(session, [key_hash])
        if is_known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[key_hash] = time.monotonic() + KNOWN_FOR
        return is_known

    async def add(self, parcel: Parcel) -> Sequence[Item] | None:
        """What became of each alert, once that is durable; None if the key opens nothing any more.

        Raises CrowdedError while more waits than can.
        """
        taken = await self._coalescer.add(parcel)
        if taken.is_overtaken:
            taken = await self._coalescer.add(replace(parcel, was_overtaken=True))
        return taken.items

    async def _take_in(self, parcels: list[Parcel]) -> Sequence[Taken]:
        if all(plain_intake.is_plain(parcel) for parcel in parcels):
            try:
                taken = await self._take_in_at_once(parcels)
            except Exception as error:
                # Nothing of it was written; the longer way waits longer, and tries clashes again.
                if not (is_crowded(error) or was_refused(error)):
                    raise
            else:
                if taken is not None:
                    return taken
        return await self._database.write(partial(self._take_in_all, parcels), turns=PATIENT_FOR)

    async def _take_in_at_once(self, parcels: list[Parcel]) -> Sequence[Taken] | None:
        """By two statements; None, and nothing is done, where those are not enough."""
        async with self._database.asking() as ask:
            found = await plain_intake.take_in(
                ask, parcels, limit=self._limit, shift=self._database.clock_shift
            )
        if found is None:
            return None
        taken, loops = found
        self._database.wake(loops)
        return taken

    async def _take_in_all(self, parcels: list[Parcel], session: WriteSession) -> list[Taken]:
        senders, known = await crud_intake.look(
            session, plain_intake.problems(parcels), plain_intake.services(parcels)
        )
        now = await transaction_time(session)
        deliveries = [
            Delivery(
                senders[parcel.key_hash],
                parcel.readings,
                parcel.body,
                parcel.body_size,
                parcel.request_id,
            )
            if parcel.key_hash in senders
            else None
            for parcel in parcels
        ]
        items = iter(
            await integration_service.receive(
                session,
                [delivery for delivery in deliveries if delivery is not None],
                now=now,
                limit=self._limit,
                known=known,
            )
        )
        return [
            Taken(None if delivery is None else [next(items) for _ in delivery.readings.alerts])
            for delivery in deliveries
        ]


def _alerts(parcel: Parcel) -> int:
    return len(parcel.readings.alerts)
