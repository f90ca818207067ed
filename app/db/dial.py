"""Reaching whichever server takes writes just now, and letting go of one that is of no use.

The driver asks the hosts of a URL one after the other under one time limit, so a first host that
hangs keeps everybody from the second. Here the next one is asked as soon as the one before it
fails or has been silent for a moment, and the one that accepted last is asked first.

A server that is stopped, or gone with its network, closes no connection: whoever waits for its
answer waits for ever. So every connection is remembered, and `hang_up` ends them all at once.
From then on whoever wants one is refused without waiting, until one caller, the one who `probe`s,
has found a server again.
"""

import asyncio
import socket
from collections import deque
from typing import Any
from weakref import WeakSet

import asyncpg

Place = tuple[str | None, int | None]

HEAD_START = 0.5  # seconds that a host is silent before the next one is asked as well
# A peer that acknowledges nothing for so long is gone, whatever TCP still hopes for (15 minutes).
SILENCE = 15
KEEPALIVES = {
    "TCP_KEEPIDLE": SILENCE,
    "TCP_KEEPINTVL": SILENCE // 3,
    "TCP_KEEPCNT": 3,
    "TCP_USER_TIMEOUT": SILENCE * 1000,
}


class UnreachableError(ConnectionError):
    """No way to the server; the cause says which."""


class Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection that notices when nobody is at the other end any more."""

    def __init__(self, protocol: Any, transport: asyncio.BaseTransport, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        wire = transport.get_extra_info("socket")
        if wire is not None and wire.family in (socket.AF_INET, socket.AF_INET6):
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in KEEPALIVES.items():
                if hasattr(socket, name):  # not every system has all of them
                    wire.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def hang_up(self) -> None:
        """End it at once and without a word, under whoever is using it.

        The driver's `terminate` is for its owner: somebody else who is between two messages of
        one call would fall over what it clears away. Cutting the wire tells everybody properly.
        """
        self._aborted = True
        self._transport.abort()


class Dialer:
    """Connects as `asyncpg.connect` does, but to the first host that accepts."""

    def __init__(self) -> None:
        self._accepted_last: Place | None = None
        self._connections: WeakSet[Connection] = WeakSet()
        self._has_hung_up = False

    async def __call__(self, **options: Any) -> Connection:
        """A connection to a server that takes writes, unless the options ask for another."""
        if self._has_hung_up:
            raise UnreachableError("The server was of no use a moment ago.")
        return await self._dial(**options)

    async def probe(self, **options: Any) -> Connection:
        """The same, also while everybody else is refused; ends that if it finds a server."""
        try:
            connection = await self._dial(**options)
        except (UnreachableError, asyncpg.TargetServerAttributeNotMatched):
            raise
        except Exception:
            self._has_hung_up = False  # it may be our fault only: let the others try
            raise
        self._has_hung_up = False
        return connection

    async def _dial(
        self,
        *,
        host: str | list[str] | None = None,
        port: int | list[int] | None = None,
        timeout: float = 60.0,
        **options: Any,
    ) -> Connection:
        options.setdefault("target_session_attrs", "read-write")
        options.update(connection_class=Connection, timeout=timeout)
        places = _places(host, port)
        places.sort(key=lambda place: place != self._accepted_last)
        try:
            async with asyncio.timeout(timeout):
                place, connection = await _first_to_accept(places, options)
        except OSError as error:
            raise UnreachableError(str(error) or type(error).__name__) from error
        self._accepted_last = place
        self._connections.add(connection)
        return connection

    def hang_up(self) -> None:
        """End every connection at once, without a word to the server; refuse new ones."""
        self._has_hung_up = True
        for connection in list(self._connections):
            connection.hang_up()


def _places(host: str | list[str] | None, port: int | list[int] | None) -> list[Place]:
    hosts = host if isinstance(host, list) else [host]
    ports = port if isinstance(port, list) else [port] * len(hosts)
    return list(zip(hosts, ports, strict=True))


async def _first_to_accept(
    places: list[Place], options: dict[str, Any]
) -> tuple[Place, Connection]:
    to_ask = deque(places)
    asked: dict[asyncio.Task[Connection], Place] = {}
    refusals: dict[Place, BaseException] = {}
    try:
        while to_ask or asked:
            if to_ask:
                host, port = place = to_ask.popleft()
                asking = asyncpg.connect(host=host, port=port, **options)
                asked[asyncio.create_task(asking)] = place
            answered, _ = await asyncio.wait(
                asked, timeout=HEAD_START, return_when=asyncio.FIRST_COMPLETED
            )
            for task in answered:
                if (refusal := task.exception()) is None:
                    return asked.pop(task), task.result()
                refusals[asked.pop(task)] = refusal
            if not answered and not to_ask:
                # Somebody is silent; meanwhile another one may have been promoted.
                to_ask.extend(refusals)
                refusals.clear()
    finally:
        await _forget(asked)
    raise _most_telling([refusals[place] for place in places])


async def _forget(asked: dict[asyncio.Task[Connection], Place]) -> None:
    """Break off what is still under way, and end what was reached too late."""
    for task in asked:
        task.cancel()
    for late in await asyncio.gather(*asked, return_exceptions=True):
        if isinstance(late, Connection):
            late.terminate()


def _most_telling(refusals: list[BaseException]) -> BaseException:
    """That a server was there but takes no writes says more than that another is down."""
    told = asyncpg.TargetServerAttributeNotMatched
    return next((error for error in refusals if isinstance(error, told)), refusals[0])
