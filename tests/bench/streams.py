"""Streams: what one who listens costs, how soon they hear, and how much one process can tell.

Raw connections of this process listen to a whole service. Memory is what the service takes
more (PSS) with a thousand who listen to silence than with a hundred.
"""

import asyncio
import resource
import time
from statistics import median, quantiles

import httpx

from tests.bench.figures import Figure
from tests.bench.ground import Bench
from tests.bench.idle import memory
from tests.process.service import Service
from tests.unlimited import ENVIRONMENT

IDLE, WARM = 1_000, 100
TOLD, LISTENERS = 5_000, 100
DECLARED = 100
FILES = 8_192
MANY = """
INSERT INTO events (type, data) SELECT 'incident.updated', jsonb_build_object('incident_id', n,
    'title', 'Disk full', 'entry', 'edited', 'description', 'Ana changed the title.',
    'user_id', 1, 'is_drill', false) FROM generate_series(1, $1) n
"""


class Listener:
    """One raw connection, which counts events."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, service: Service, query: str = "") -> "Listener":
        url, token = httpx.URL(service.url), service.http.headers["Authorization"]
        made = cls(*await asyncio.open_connection(url.host, url.port))
        made.writer.write(
            f"GET /v1/stream{query} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n".encode()
        )
        answer = await made.reader.readuntil(b"retry: ")
        assert answer.startswith(b"HTTP/1.1 200"), answer
        return made

    async def hears(self, events: int) -> float:
        """When it has heard so many."""
        heard, kept = 0, b""
        while heard < events:
            kept += await self.reader.read(65_536)
            assert not self.reader.at_eof(), "it was let go"
            heard += kept.count(b"\nevent: ")
            kept = kept[-7:]  # half of a mark
        return time.perf_counter()

    def close(self) -> None:
        self.writer.transport.abort()


async def bytes_of_one(bench: Bench, service: Service) -> float:
    """What the service takes for one more who listens to silence."""
    listeners = [await Listener.to(service) for _ in range(WARM)]
    await asyncio.sleep(2)
    before = memory(service.process.pid)
    listeners += [await Listener.to(service) for _ in range(IDLE)]
    await asyncio.sleep(17)  # a heartbeat has gone round
    after = memory(service.process.pid)
    for listener in listeners:
        listener.close()
    each = (after - before) * 1024 / IDLE
    bench.say(f"{IDLE} listeners: {before:.0f} → {after:.0f} MiB, {each:.1f} kB each")
    return each


async def latencies(service: Service) -> tuple[list[float], list[float]]:
    """From sending an incident until somebody hears of it, and until the sender is answered."""
    told, answered = [], []
    headers = dict(service.http.headers)
    async with httpx.AsyncClient(base_url=service.url, headers=headers, timeout=30) as http:
        listener = await Listener.to(service, "?types=incident.created")
        for n in range(DECLARED):
            body = {"title": f"disk {n}", "severity": "low", "service": "bench"}
            hearing = asyncio.create_task(listener.hears(1))
            began = time.perf_counter()
            answer = await http.post("/v1/incidents", json=body)
            assert answer.status_code == 201, answer.text
            answered.append((time.perf_counter() - began) * 1000)
            told.append((await hearing - began) * 1000)
        listener.close()
    return told, answered


async def told_per_second(bench: Bench, service: Service, url: str) -> float:
    """How many events reach listeners in a second, all of them counted."""
    listeners = [await Listener.to(service) for _ in range(LISTENERS)]
    await asyncio.sleep(1)
    connection = await bench.connect(url)
    hearing = [asyncio.create_task(listener.hears(TOLD)) for listener in listeners]
    began = time.perf_counter()
    await connection.execute(MANY, TOLD)
    await connection.execute("SELECT pg_notify('tocsin', 'relay')")
    ends = await asyncio.gather(*hearing)
    await connection.close()
    for listener in listeners:
        listener.close()
    return TOLD * LISTENERS / (max(ends) - began)


async def measure(bench: Bench) -> list[Figure]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, FILES), hard), hard))
    url = await bench.new_database()
    with bench.service(url, **ENVIRONMENT) as service:
        each = await bytes_of_one(bench, service)
        told, answered = await latencies(service)
        speeds = [await told_per_second(bench, service, url) for _ in range(bench.rounds)]
    bench.say(f"{median(speeds):.0f} events/s to {LISTENERS} listeners: {speeds}")
    bench.say(f"told after {median(told):.1f} ms, answered after {median(answered):.1f} ms")
    return [
        Figure("stream_memory", each, "kB", "one more who listens to silence",
               goal=50.0, smaller=True),
        Figure("stream_p50", median(told), "ms", "from POST of an incident to a listener, median",
               limit=median(answered), limit_is="until the POST itself is answered"),
        Figure("stream_p99", quantiles(told, n=100)[98], "ms", "its 99th percentile"),
        Figure("stream_events", median(speeds), "events/s",
               f"told to {LISTENERS} listeners of one process, together"),
    ]  # fmt: skip
