"""Streams of a whole service: relay, bell and loops as they run, and a stop that waits for none."""

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.process.service import Service

pytestmark = pytest.mark.crash

SOON = 10.0  # seconds; what waits for a stream takes the server's whole patience, which is 30


@pytest.fixture
def services(data_dir: Path) -> Iterator[list[Service]]:
    started: list[Service] = []
    yield started
    for service in reversed(started):
        service.end(signal.SIGKILL)


def start(data_dir: Path, services: list[Service], *arguments: str) -> Service:
    service = Service(data_dir, *arguments)
    services.append(service)
    service.log_in("admin@localhost", services[0].password)
    return service


def next_event(lines: Iterator[str]) -> tuple[str, str]:
    """Its id and type."""
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        found[name] = value
        if not line:
            if "data" in found:
                return found["id"], found["event"]
            found = {}
    raise AssertionError("The stream has ended.")


def test_what_one_replica_does_is_told_by_another_and_a_stop_ends_all_streams(
    data_dir: Path, services: list[Service]
) -> None:
    """The second replica runs no loops: it hears by the bell only that there is news."""
    one = start(data_dir, services)
    two = start(data_dir, services, "--no-worker")
    ticket = two.post("/v1/stream/tickets", {})["ticket"]
    incident = {"title": "Disk full", "severity": "high", "service": "database"}

    with (
        httpx.stream("GET", f"{two.url}/v1/stream", headers=two.http.headers, timeout=30) as stream,
        connect(f"{two.url.replace('http', 'ws')}/v1/ws?ticket={ticket}", proxy=None) as socket,
    ):
        lines = stream.iter_lines()
        assert json.loads(socket.recv(SOON))["type"] == "ready"
        one.post("/v1/incidents", incident)
        told = next_event(lines)
        assert told[1] == "incident.created"
        message = json.loads(socket.recv(SOON))
        assert (str(message["id"]), message["type"]) == told

        began = time.monotonic()
        status = two.end(signal.SIGTERM)
        assert time.monotonic() - began < SOON, "it waited for the streams"
        assert status in (0, 128 + signal.SIGTERM, -signal.SIGTERM)
        rest = list(lines)  # a whole answer: httpx raises for one that is cut off
        last = max([int(told[0])] + [int(line[4:]) for line in rest if line.startswith("id: ")])
        with suppress(ConnectionClosed):
            for _ in socket:
                pass
        assert socket.close_code in (1001, 1012), "it was cut off"

    # Whoever listened there goes on here: nothing missed, nothing twice.
    one.post("/v1/incidents", incident)
    headers = {"Last-Event-ID": str(last)}
    with one.http.stream("GET", "/v1/stream", headers=headers) as stream:
        number, kind = next_event(stream.iter_lines())
    assert int(number) == last + 1
    assert kind.startswith("incident.")
    assert ticket not in two.log.read_text()


def test_a_reader_that_reads_nothing_delays_no_other(
    data_dir: Path, services: list[Service]
) -> None:
    """One asks for a stream and never reads a byte of it."""
    service = start(data_dir, services)
    key = service.post("/v1/integrations", {"name": "tool", "kind": "alerts"})["key"]
    token = service.http.headers["Authorization"]

    async def tell() -> int:
        host, port = service.http.base_url.host, service.http.base_url.port
        _, writer = await asyncio.open_connection(host, port, limit=1)
        writer.write(
            f"GET /v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n".encode()
        )
        await writer.drain()
        async with httpx.AsyncClient(base_url=service.url, timeout=30) as http:
            stream = http.stream("GET", "/v1/stream", headers={"Authorization": token})
            async with stream as response:
                lines = response.aiter_lines()
                alerts = [{"title": f"disk {n}" * 20, "severity": "low"} for n in range(1_000)]
                headers = {"X-API-Key": key}
                answer = await http.post("/v1/webhooks/alerts", json=alerts, headers=headers)
                assert answer.status_code < 300, answer.text
                told = 0
                async with asyncio.timeout(30):
                    async for line in lines:
                        told += line == "event: incident.created"
                        if told == len(alerts):
                            break
        writer.transport.abort()
        return told

    assert asyncio.run(tell()) == 1_000
