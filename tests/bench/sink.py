"""A webhook sink in a process of its own: takes everything at once, and counts.

    python -m tests.bench.sink

It prints its URL. `GET /count` tells what it took since the last `GET /reset`: how many calls, how
many different marks, and when the first and the last came (on the machine's monotonic clock).
"""

import asyncio
import json
import time
from collections import Counter

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class Counts:
    """What was taken."""

    def __init__(self) -> None:
        self.marks: Counter[bytes] = Counter()
        self.first_at = self.last_at = 0.0

    def take(self, head: bytes) -> None:
        self.last_at = time.monotonic()
        self.first_at = self.first_at or self.last_at
        self.marks[_header(head, b"webhook-id")] += 1

    def told(self) -> bytes:
        found = {
            "calls": self.marks.total(),
            "marks": len(self.marks),
            "first_at": self.first_at,
            "last_at": self.last_at,
        }
        return json.dumps(found).encode()


def _header(head: bytes, name: bytes) -> bytes:
    """The value of a header; the head is in lower case."""
    _, found, rest = head.partition(b"\r\n" + name + b":")
    return rest.partition(b"\r\n")[0].strip() if found else b""


class Connection(asyncio.Protocol):
    """One connection; requests may follow one another on it."""

    counts = Counts()

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].lower()
            end += 4 + int(_header(head, b"content-length") or 0)
            if len(self._received) < end:
                return
            self._received = self._received[end:]
            self._transport.write(self._answer(head))

    def _answer(self, head: bytes) -> bytes:
        if head.startswith(b"post "):
            self.counts.take(head)
            return OK
        told = self.counts.told()
        if head.startswith(b"get /reset "):
            Connection.counts = Counts()
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(told), told)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=1024)
    port = server.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}", flush=True)  # whoever started it reads this
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
