"""A subscriber's endpoint: a webhook sink that reads events.

An event shows no link of the replica that sent it. Whose it is, is found where the kernel keeps
it: by the port that the connection came from.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from tests.crash import hook_sink
from tests.crash.ledger import Arrival
from tests.crash.scenario import EVENT
from tests.crash.sinks import Sink, token_of

SOCKETS = Path("/proc/net/tcp")
LOCAL, INODE = 1, 9  # columns
GONE = "sender gone"  # killed, or out of patience, before a word of it was read

Senders = Callable[[], Mapping[int, int]]  # by process, the slot that it is in


async def listen(sink: Sink, senders: Senders) -> asyncio.Server:
    def read(body: bytes, path: str, mark: str, began: float, port: int) -> Arrival:
        arrival = read_event(body, path, mark, began)
        arrival.slot = sender_at(port, senders())
        arrival.fault = GONE if arrival.slot is None else None
        return arrival

    return await hook_sink.listen(sink, read)


def read_event(body: bytes, path: str, mark: str, began: float) -> Arrival:
    """What an event says of itself."""
    said = json.loads(body)
    arrival = Arrival(EVENT, path, mark, began, kind=said["type"], text=body.decode())
    arrival.token = token_of(said["data"].get("title", ""))
    arrival.tells = said["data"].get("entry")
    return arrival


def sender_at(port: int, senders: Mapping[int, int]) -> int | None:
    """The slot whose process has the socket with this port; None if it lives no more."""
    mine = f":{port:04X}"
    lines = (line.split() for line in SOCKETS.read_text().splitlines()[1:])
    sockets = {f"socket:[{line[INODE]}]" for line in lines if line[LOCAL].endswith(mine)}
    for pid, slot in senders.items():
        with suppress(OSError):  # it has just ended
            for link in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    if str(link.readlink()) in sockets:
                        return slot
    return None
