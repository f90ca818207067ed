"""At the doors that strangers may knock at: how often they may, and how long we take.

A try is counted in a unit of work of its own, committed before anything is judged.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from app.api.state import Service
from app.core.errors import TooManyError
from app.db.session import WriteSession, transaction_time
from app.domain.throttle import Quota
from app.services import throttle

Tries = Sequence[tuple[Quota, str]]


async def count(service: Service, tries: Tries) -> None:
    """Count a try, or refuse it with the time to wait."""

    async def counting(session: WriteSession) -> TooManyError | None:
        now = await transaction_time(session)
        return await throttle.count(session, tries, now=now)

    refusal = await service.database.write(counting)
    if refusal is not None:
        raise refusal


@asynccontextmanager
async def no_sooner_than(seconds: float) -> AsyncIterator[None]:
    """Take as long for somebody we know as for somebody we do not."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    try:
        yield
    finally:
        await asyncio.sleep(max(0.0, until - loop.time()))
