"""At the doors that strangers may knock at: who knocks, how often, and how long we take.

A try is counted in a unit of work of its own, committed before anything is judged.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv6Address, ip_address, ip_network

from fastapi import Request

from app.api.state import Service
from app.core.errors import TooManyError
from app.db.session import WriteSession, transaction_time
from app.domain.throttle import Quota
from app.services import throttle

Tries = Sequence[tuple[Quota, str]]


def client_of(request: Request) -> str:
    """Who knocks: an address, or the network that one IPv6 customer has to himself."""
    host = request.client.host if request.client else "unknown"
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((address, 64), strict=False))
    return str(address)


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
