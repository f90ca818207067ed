"""A web server that takes webhook calls, and misbehaves when it is told to.

It listens for pages as it stands; what else can be read from a call is up to its reader.
"""

import asyncio
import json
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from tests.crash.ledger import Arrival
from tests.crash.plan import Order, SinkFault
from tests.crash.scenario import FALLBACK, HOOK
from tests.crash.sinks import Sink, port_of, token_of

RESET = struct.pack("ii", 1, 0)  # closing sends RST, whatever was written

# body, path, webhook-id, when its connection began, and the port that this came from
Reader = Callable[[bytes, str, str, float, int], Arrival]


async def listen(sink: Sink, read: Reader | None = None) -> asyncio.Server:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Cancelled only when the run is over; asyncio's streams would log it as an error.
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await _converse(sink, read or read_page, reader, writer)
        with suppress(OSError, asyncio.CancelledError):
            writer.close()
            await writer.wait_closed()

    return await asyncio.start_server(converse, "127.0.0.1", 0)


async def _converse(
    sink: Sink, read: Reader, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    began, order = time.time(), sink.next_order()
    if order and order.fault is SinkFault.DROP:
        _reset(writer)
        return
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    path = head[0].split()[1]
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head[1:])
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    port = writer.get_extra_info("peername")[1]
    arrival = read(body, path, headers["webhook-id"], began, port)
    arrival.fault = str(order.fault) if order else arrival.fault
    refusal = _refusal(order)
    if refusal is not None:
        sink.refused(arrival)
        writer.write(refusal)
        await writer.drain()
        return
    sink.took(arrival)
    gone = asyncio.create_task(reader.read())  # ends when the sender hangs up
    telling = asyncio.create_task(sink.dwell(order, arrival))
    await asyncio.wait((gone, telling), return_when=asyncio.FIRST_COMPLETED)
    is_told = telling.done() and telling.result()
    for task in (gone, telling):
        task.cancel()
    if is_told:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        sink.said_so(arrival)
        await writer.drain()
    else:
        _reset(writer)


def _refusal(order: Order | None) -> bytes | None:
    match order and order.fault:
        case SinkFault.ERROR:
            return b"HTTP/1.1 500 Broken\r\ncontent-length: 0\r\n\r\n"
        case SinkFault.BUSY:
            return b"HTTP/1.1 429 Busy\r\nretry-after: 2\r\ncontent-length: 0\r\n\r\n"
    return None


def _reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


def read_page(body: bytes, path: str, mark: str, began: float, _port: int) -> Arrival:
    """What a page says of itself."""
    said = json.loads(body)
    data = said["data"]
    arrival = Arrival(HOOK, path, mark, began, text=body.decode())
    arrival.claimed_at = datetime.fromisoformat(said["timestamp"]).timestamp()
    arrival.slot = port_of(data.get("incident", {}).get("api_url", ""))
    if said["type"] != "incident.paged":
        arrival.kind = said["type"]
        return arrival
    arrival.token = token_of(data["incident"]["title"])
    is_fallback = data["is_fallback"]
    arrival.policy = FALLBACK if is_fallback else data["policy"]
    arrival.loop, arrival.step = data["loop"], data["step"]
    return arrival
