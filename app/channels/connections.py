"""Connections for HTTP/1.1, kept for a moment after an answer so that a storm need not dial anew.

A connection is good for one place alone: one scheme, name, port and address. Nothing verified or
remembered for one name serves another, and an address that a name no longer resolves to is not
used any more, for whoever asks names the addresses that were checked just now. What has been
idle for a moment is closed before the other side would, so that no request meets a closing
door: we never send twice within one attempt what may have arrived.
"""

import asyncio
import re
import select
import ssl
from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

import h11

from app.channels.targets import IPAddress, Target

MOST_IDLE = 128  # in one pool
IDLE_FOR = 1.5  # seconds; common servers hang up after two or more
MOST_HEADERS = 64 * 1024
_HIGH_WATER = 128 * 1024
_KEEP_ALIVE = re.compile(rb"(?:^|[,\s])timeout=([0-9]{1,6})(?:$|[,\s])")


class UnansweredError(Exception):
    """The connection ended, or did not speak HTTP/1.1, before there was an answer."""


class Place(NamedTuple):
    """Where a connection leads, and what it was verified for."""

    scheme: str
    host: str
    port: int
    address: IPAddress


class Pool:
    """The connections of one sender. At most `most_idle` wait to be used again; 0 keeps none."""

    def __init__(
        self, tls: ssl.SSLContext, *, most_idle: int = MOST_IDLE, idle_for: float = IDLE_FOR
    ) -> None:
        self._tls = tls
        self._most_idle = most_idle
        self._idle_for = idle_for
        self._idle: dict[Place, list[Connection]] = {}
        self.idle_count = 0

    @property
    def keeps(self) -> bool:
        return self._most_idle > 0

    async def connect(
        self, target: Target, addresses: Sequence[IPAddress], *, timeout: float
    ) -> "Connection":
        """A connection to one of these addresses, best first: one that is kept, or a new one."""
        scheme = target.url.scheme
        places = [Place(scheme, target.host, target.port, address) for address in addresses]
        for place in places:
            if kept := self._take(place):
                return kept
        *others, last = places
        # Each but the last gets its share, for TCP and TLS alike; the last has what is left.
        share = timeout / (2 * len(others) + 2)
        for place in others:
            try:
                async with asyncio.timeout(share):
                    return await self._dial(place)
            except OSError:  # a TimeoutError is one, and so is what TLS finds wrong
                continue
        return await self._dial(last)

    def release(self, connection: "Connection") -> None:
        """Keep it for the next request, or end it if it is not fit for one."""
        idle_for = min(self._idle_for, connection.patience)
        if self.idle_count >= self._most_idle or idle_for <= 0 or not connection.renew():
            connection.abort()
            return
        self._idle.setdefault(connection.place, []).append(connection)
        self.idle_count += 1
        connection.rest(idle_for, self._end)

    def close(self) -> None:
        """End what is idle, and keep nothing from now on."""
        self._most_idle = 0
        for waiting in list(self._idle.values()):
            for connection in list(waiting):
                self._end(connection)

    def _take(self, place: Place) -> "Connection | None":
        while waiting := self._idle.get(place):
            connection = waiting[-1]  # the one used last: the others may run out
            self._forget(connection)
            if connection.is_fresh():
                return connection
            connection.abort()
        return None

    def _end(self, connection: "Connection") -> None:
        self._forget(connection)
        connection.abort()

    def _forget(self, connection: "Connection") -> None:
        connection.wake()
        waiting = self._idle[connection.place]
        waiting.remove(connection)
        self.idle_count -= 1
        if not waiting:
            del self._idle[connection.place]

    async def _dial(self, place: Place) -> "Connection":
        is_tls = place.scheme == "https"
        _, wire = await asyncio.get_running_loop().create_connection(
            _Wire,
            str(place.address),
            place.port,
            ssl=self._tls if is_tls else None,
            server_hostname=place.host.rstrip(".") if is_tls else None,
        )
        return Connection(place, wire)


class Connection:
    """One connection, and the requests that go over it one after the other."""

    def __init__(self, place: Place, wire: "_Wire") -> None:
        self.place = place
        self.patience = float("inf")  # seconds that the other side says it waits for more
        self._wire = wire
        self._http = _client()
        self._timer: asyncio.TimerHandle | None = None

    async def ask(self, request: h11.Request, body: bytes) -> h11.Response:
        """The head of the answer to one request."""
        parts = [self._http.send(request)]
        if body:
            parts.append(self._http.send(h11.Data(data=body)))
        parts.append(self._http.send(h11.EndOfMessage()))
        self._wire.write(b"".join(part for part in parts if part))
        while True:
            event = await self._next_event()
            if isinstance(event, h11.Response):
                self._read_patience(event)
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise UnansweredError("the connection was closed without an answer")

    async def read(self) -> bytes:
        """More of the answer's body; nothing when it is complete."""
        event = await self._next_event()
        return bytes(event.data) if isinstance(event, h11.Data) else b""

    def renew(self) -> bool:
        """Make it ready for another request, if the one before is answered to the last byte."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        if self._http.trailing_data[0] or not self._wire.is_quiet:
            return False
        self._http.start_next_cycle()
        return True

    def rest(self, seconds: float, end: Callable[["Connection"], None]) -> None:
        """Wait for the next request; whatever happens before that ends it."""
        self._timer = asyncio.get_running_loop().call_later(seconds, end, self)
        self._wire.when_disturbed = lambda: end(self)

    def wake(self) -> None:
        """Rest no longer."""
        self._wire.when_disturbed = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def is_fresh(self) -> bool:
        """Whether nothing came while it rested: not even what the loop has not seen yet."""
        return self._wire.is_quiet and not self._wire.has_unread()

    def abort(self) -> None:
        """End it at once, whatever is under way."""
        self._wire.abort()

    async def _next_event(self) -> object:
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as exc:
                # Its text quotes the other side, who may have quoted us.
                raise UnansweredError("the answer was not in proper HTTP/1.1") from exc
            if event is not h11.NEED_DATA:
                return event
            self._http.receive_data(await self._wire.read())

    def _read_patience(self, response: h11.Response) -> None:
        for name, value in response.headers:
            if name == b"keep-alive" and (found := _KEEP_ALIVE.search(value)):
                self.patience = int(found[1]) - 1.0  # our moment and theirs are not the same


def _client() -> h11.Connection:
    return h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEADERS)


class _Wire(asyncio.Protocol):
    """The bytes of a connection, as far as they have come."""

    def __init__(self) -> None:
        self.when_disturbed: Callable[[], None] | None = None
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._is_over = False
        self._fault: Exception | None = None
        self._arrival: asyncio.Future[None] | None = None

    @property
    def is_quiet(self) -> bool:
        return not (self._received or self._is_over)

    def write(self, request: bytes) -> None:
        if self._transport is not None:
            self._transport.write(request)

    async def read(self) -> bytes:
        """What has come, waiting for some of it; nothing once the other side has ended."""
        while self.is_quiet:
            self._arrival = asyncio.get_running_loop().create_future()
            try:
                await self._arrival
            finally:
                self._arrival = None
        if self._fault is not None:
            raise self._fault
        found = bytes(self._received)
        self._received.clear()
        if self._transport is not None and not self._is_over:
            self._transport.resume_reading()
        return found

    def has_unread(self) -> bool:
        """Whether something has come that the event loop has not looked at yet."""
        if self._transport is None:
            return True
        look = select.poll()
        look.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(look.poll(0))

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # --- what the event loop tells us

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one only in its ways

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) > _HIGH_WATER and self._transport is not None:
            self._transport.pause_reading()
        self._tell()

    def eof_received(self) -> None:
        self._is_over = True
        self._tell()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_over = True
        if not self._received:
            self._fault = exc
        self._transport = None
        self._tell()

    def _tell(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)
        if self.when_disturbed is not None:
            self.when_disturbed()
