"""A whole service as its watchers see it: Prometheus, a dead man's switch, somebody who looks."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from tests.bench.idle import server
from tests.process.service import PATIENCE, ROOT, Service, environment, run

pytestmark = pytest.mark.crash

SECRET = "ping-4c7f0b1e"
TOKEN = "a-token-for-figures"


class Monitor:
    """Expects a sign of life, and counts them."""

    def __init__(self) -> None:
        self.heard = 0
        outer = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.heard += self.path == f"/{SECRET}"
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}/{SECRET}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def end(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    made = Monitor()
    yield made
    made.end()


@pytest.fixture
def service(data_dir: Path, monitor: Monitor) -> Iterator[Service]:
    made = Service(
        data_dir,
        TOCSIN_HEARTBEAT_URL=monitor.url,
        TOCSIN_HEARTBEAT_SECONDS="1",
        TOCSIN_METRICS_TOKEN=TOKEN,
    )
    yield made
    for pid in server(data_dir):
        os.kill(pid, signal.SIGCONT)
    made.end()
    run(data_dir, "migrate")


def until(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.05)


def last_beat(service: Service) -> str:
    return str(service.get("/health")["heartbeat"]["last"])


def figures(service: Service) -> str:
    answer = service.http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return answer.text


def test_signs_of_life_end_with_the_life_and_with_the_database(
    service: Service, monitor: Monitor, data_dir: Path
) -> None:
    until(lambda: monitor.heard >= 2, "two signs of life")
    programs = server(data_dir)
    for pid in programs:
        os.kill(pid, signal.SIGSTOP)  # there, and of no use
    until(lambda: last_beat(service) == "withheld", "silence while the database stands still")
    heard = monitor.heard
    assert service.http.get("/ready").status_code == 503
    assert monitor.heard == heard
    for pid in programs:
        os.kill(pid, signal.SIGCONT)
    until(lambda: monitor.heard > heard, "a sign of life once the database is back")

    service.end(signal.SIGTERM)
    heard = monitor.heard
    log = service.log.read_text()
    assert monitor.heard == heard
    assert "heartbeat.withheld" in log
    assert SECRET not in log
    assert TOKEN not in log


def test_what_happens_is_in_the_figures(service: Service) -> None:
    service.log_in("admin@localhost", service.password)
    key = service.post("/v1/integrations", {"name": "scripts", "kind": "alerts"})["key"]
    service.post("/v1/webhooks/alerts", {"title": "Disk full"}, **{"X-API-Key": key})
    kept = 'tocsin_messages_total{channel="email",kind="page",outcome="kept"} 1.0'
    until(lambda: kept in figures(service), "a page in the figures")
    found = figures(service)
    assert "tocsin_step_lateness_seconds_count 1.0" in found
    assert 'tocsin_page_lateness_seconds_count{channel="email"} 1.0' in found
    assert 'tocsin_page_lateness_seconds_bucket{channel="email",le="30.0"} 1.0' in found
    assert 'tocsin_loop_alive{loop="escalation"} 1.0' in found
    assert 'tocsin_heartbeats_total{outcome="sent"}' in found
    door = 'method="POST",route="/v1/webhooks/alerts",status="2xx"'
    assert f"tocsin_http_request_seconds_count{{{door}}} 1.0" in found
    assert service.http.get("/metrics").status_code == 401
    until(lambda: service.get("/health")["overdue"] is not None, "the auditor's first look")
    assert set(service.get("/health")["overdue"].values()) == {0}


def test_a_worker_without_an_api_can_be_watched_too(service: Service, data_dir: Path) -> None:
    log = data_dir / "worker.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "worker", "--port", "0"],
            cwd=ROOT,
            env=environment(data_dir),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    until(lambda: "watched at " in log.read_text(), "a worker that runs")
    url = log.read_text().partition("watched at ")[2].split(". ")[0]

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/ready").status_code == 200
        except httpx.TransportError:
            return False

    until(answers, "a worker that is ready")
    assert 'tocsin_loop_alive{loop="escalation"} 1.0' in httpx.get(f"{url}/metrics").text
    assert httpx.get(f"{url}/health").json()["loops"]["escalation"]["alive"]
    assert httpx.get(f"{url}/v1/users/me").status_code == 404
    assert httpx.get(f"{url}/openapi.json").status_code == 404
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE)
    assert "Traceback" not in log.read_text()
