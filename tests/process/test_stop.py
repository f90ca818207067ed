"""A service that is told to stop in mid-send: another replica takes over at once."""

import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.service import Service, postgres_processes, run

pytestmark = pytest.mark.crash

PATIENCE = 60.0
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class StallingSink:
    """Takes every call, answers none until it is told to, and keeps their marks."""

    def __init__(self) -> None:
        self.marks: list[str] = []
        self.bodies: list[dict[str, object]] = []
        self.answers = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/hook"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while stream.readline():
                headers: dict[str, str] = {}
                while line := stream.readline().strip().decode():
                    name, _, value = line.partition(": ")
                    headers[name.lower()] = value
                self.bodies.append(json.loads(stream.read(int(headers["content-length"]))))
                self.marks.append(headers["webhook-id"])
                if not self.answers.wait(PATIENCE):
                    return
                connection.sendall(OK)

    def close(self) -> None:
        self.answers.set()
        self._socket.close()


@pytest.fixture
def sink() -> Iterator[StallingSink]:
    made = StallingSink()
    yield made
    made.close()


@pytest.fixture
def services(data_dir: Path) -> Iterator[list[Service]]:
    started: list[Service] = []
    yield started
    for service in started:
        service.end(signal.SIGKILL)
    run(data_dir, "migrate")
    assert postgres_processes(data_dir) == []


def until(what: str, holds: object) -> None:
    assert callable(holds)
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_what_is_in_mid_send_is_told_by_the_other_replica_without_its_lease_being_waited_for(
    data_dir: Path, services: list[Service], sink: StallingSink
) -> None:
    settings = {
        "TOCSIN_ALLOW_PRIVATE_TARGETS": "127.0.0.1/32",
        "TOCSIN_DRAIN_SECONDS": "0.5",
        "TOCSIN_SEND_TIMEOUT_SECONDS": "100",  # far longer than this test
    }
    one = Service(data_dir, **settings)
    services.append(one)
    one.log_in("admin@localhost", one.password)
    call = {"type": "webhook", "url": sink.url}
    steps = [{"delay_minutes": 0, "actions": [call]}]
    one.post("/v1/escalation/policies", {"name": "Call", "steps": steps})
    one.post("/v1/incidents", {"title": "Disk full", "severity": "high", "service": "database"})
    until("the sink was not called", lambda: len(sink.marks) == 1)

    two = Service(data_dir, **settings)
    services.append(two)
    two.log_in("admin@localhost", one.password)
    one.end(signal.SIGTERM)
    sink.answers.set()
    until("the other replica did not take over", lambda: len(sink.marks) == 2)
    assert len(set(sink.marks)) == 1, "the same mark: it can be told for a copy"

    def page() -> dict[str, object]:
        items = two.get("/v1/notifications?kind=page")["items"]
        [found] = [item for item in items if item["channel"] == "webhook"]
        return dict(found)

    until("it is not recorded as sent", lambda: page()["status"] == "sent")
    assert page()["is_resend"] is True
    assert [attempt["outcome"] for attempt in page()["history"]] == ["unknown", "sent"]  # type: ignore[attr-defined]
