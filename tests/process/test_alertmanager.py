"""A real Prometheus Alertmanager, from the system's packages, tells us of alerts and their end."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.absent import absent
from tests.process.service import PATIENCE, Service, run

pytestmark = pytest.mark.peer

PROGRAM = "prometheus-alertmanager"
CONFIGURATION = """
route:
  receiver: tocsin
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 4h
receivers:
  - name: tocsin
    webhook_configs:
      - url: {url}/v1/webhooks/alertmanager
        send_resolved: true
        http_config:
          {auth}
"""
BEARER = "authorization: {{credentials: {key}}}"
BASIC = "basic_auth: {{username: tocsin, password: {key}}}"


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.05)


class Alertmanager:
    """One that runs, on loopback, with its data in a folder of the test's."""

    def __init__(self, folder: Path, port: int, configuration: str) -> None:
        (folder / "am.yml").write_text(configuration)
        self.log = (folder / "am.log").open("w")
        self.process = subprocess.Popen(
            [
                PROGRAM,
                f"--config.file={folder / 'am.yml'}",
                f"--storage.path={folder / 'am'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
            ],
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}")
        wait_until(self._is_ready, "Alertmanager's readiness")

    def _is_ready(self) -> bool:
        try:
            return self.http.get("/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def tell(self, name: str, instance: str, *, ends_in: timedelta | None = None) -> None:
        """An alert fires; with `ends_in` it says when it is over."""
        alert: dict[str, Any] = {
            "labels": {"alertname": name, "instance": instance, "severity": "critical"},
            "annotations": {"summary": f"{name} on {instance}"},
            "generatorURL": "http://prometheus.example/graph",
        }
        if ends_in is not None:
            alert["endsAt"] = (datetime.now(UTC) + ends_in).isoformat()
        self.http.post("/api/v2/alerts", json=[alert]).raise_for_status()

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.http.close()
        self.log.close()


@pytest.fixture(params=[BEARER, BASIC], ids=["bearer", "basic"])
def both(
    request: pytest.FixtureRequest, data_dir: Path, free_port: int
) -> Iterator[tuple[Service, Alertmanager]]:
    if shutil.which(PROGRAM) is None:
        absent(PROGRAM, "prometheus-alertmanager")
    service = Service(data_dir)
    service.log_in("admin@localhost", service.password)
    made = service.post("/v1/integrations", {"name": "am", "kind": "alertmanager"})
    auth = request.param.format(key=made["key"])
    manager = Alertmanager(data_dir, free_port, CONFIGURATION.format(url=service.url, auth=auth))
    yield service, manager
    manager.end()
    service.end()
    run(data_dir, "migrate")


def test_alerts_fire_and_resolve_each_as_an_incident_of_its_own(
    both: tuple[Service, Alertmanager],
) -> None:
    service, manager = both

    def incidents(status: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = service.get(f"/v1/incidents?status={status}")["items"]
        return items

    manager.tell("HighCPU", "h1")
    wait_until(lambda: len(incidents("open")) == 1, "the first incident")
    [first] = incidents("open")
    assert (first["title"], first["severity"]) == ("HighCPU on h1", "critical")
    assert first["source"] == "alertmanager"

    manager.tell("HighCPU", "h2")
    wait_until(lambda: len(incidents("open")) == 2, "the second incident of the group")
    wait_until(
        lambda: service.get(f"/v1/incidents/{first['id']}")["alert_count"] >= 2,
        "the first alert told again with its group",
    )

    manager.tell("HighCPU", "h1", ends_in=timedelta(seconds=-1))
    wait_until(lambda: len(incidents("resolved")) == 1, "the recovery")
    assert incidents("resolved")[0]["id"] == first["id"]
    assert [incident["title"] for incident in incidents("open")] == ["HighCPU on h2"]

    manager.tell("HighCPU", "h2", ends_in=timedelta(seconds=-1))
    wait_until(lambda: incidents("open") == [], "the last recovery")
    assert service.get("/v1/incidents")["total"] == 2
