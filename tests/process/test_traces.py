"""Traces of a real process arrive at a collector, and tell nothing that they should not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.collector import Collector, collecting
from tests.process.service import Service, run

pytestmark = pytest.mark.crash

NOT_INSTALLED = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter")):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
"""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as listening:
        yield listening


@pytest.fixture
def service(data_dir: Path, collector: Collector) -> Iterator[Service]:
    running = Service(
        data_dir, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_BSP_SCHEDULE_DELAY="100"
    )
    running.log_in("admin@localhost", running.password)
    yield running
    running.end()
    run(data_dir, "migrate")


def test_a_request_is_a_trace_that_its_id_finds(service: Service, collector: Collector) -> None:
    made = service.http.post(
        "/v1/incidents",
        json={"title": "Disk full", "severity": "high", "service": "database"},
        headers={"X-Request-ID": "mine-1"},
    )
    assert made.status_code == 201
    span = collector.wait_for(
        lambda span: span.about.get("tocsin.request_id") == "mine-1", "span of the request"
    )
    assert (span.name, span.service) == ("POST /v1/incidents", "tocsin")
    assert span.about["http.route"] == "/v1/incidents"
    assert span.about["url.path"] == "/v1/incidents"
    assert span.about["http.response.status_code"] == 201
    statement = collector.wait_for(
        lambda inner: (
            inner.trace == span.trace and "INTO incidents" in inner.about.get("db.query.text", "")
        ),
        "statement in it",
    )
    assert statement.about["db.system.name"] == "postgresql"
    assert "Disk full" not in statement.about["db.query.text"]


def test_a_page_is_traced_from_its_step_to_its_channel(
    service: Service, collector: Collector
) -> None:
    key = service.post("/v1/integrations", {"name": "scripts", "kind": "alerts"})["key"]
    alert = {"title": "Disk full", "service": "database", "severity": "critical"}
    service.post("/v1/webhooks/alerts", alert, **{"X-API-Key": key})
    incident = service.get("/v1/incidents")["items"][0]["id"]

    door = collector.wait_for(lambda span: span.name == "POST /v1/webhooks/alerts", "door")
    assert door.about["http.route"] == "/v1/webhooks/alerts"
    step = collector.wait_for(
        lambda span: (
            span.name == "escalation.step" and span.about["tocsin.incident_id"] == incident
        ),
        "step",
    )
    assert step.about["tocsin.lateness_seconds"] >= 0
    sent = collector.wait_for(
        lambda span: span.name == "delivery.send" and span.about["tocsin.incident_id"] == incident,
        "page",
    )
    assert sent.about["tocsin.channel"] == "email"
    assert sent.about["tocsin.kind"] == "page"
    assert sent.about["tocsin.outcome"] == "Kept"  # no mail server is set


def test_no_span_tells_a_secret_or_a_person(service: Service, collector: Collector) -> None:
    secret = "a-token-that-opens-a-door"
    service.http.get(f"/a/{secret}?who={secret}")
    service.http.get(f"/v1/incidents?search={secret}", headers={"X-Request-ID": "last"})
    key = service.post("/v1/integrations", {"name": "scripts", "kind": "alerts"})["key"]
    service.post("/v1/webhooks/alerts", {"title": "Disk full"}, **{"X-API-Key": key})
    collector.wait_for(lambda span: span.about.get("tocsin.request_id") == "last", "list")
    collector.wait_for(lambda span: span.about.get("url.path") == "/a/…", "link")
    collector.wait_for(lambda span: span.name == "delivery.send", "page")
    token = service.http.headers["Authorization"].removeprefix("Bearer ")
    service.end()  # sends the last ones
    assert collector.spans
    for planted in (secret, key, token, service.password, "admin@localhost", "Disk full"):
        assert planted.encode() not in collector.raw, planted


def test_a_collector_that_is_gone_costs_nothing_but_spans(data_dir: Path, free_port: int) -> None:
    service = Service(
        data_dir,
        TOCSIN_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port}",
        OTEL_BSP_SCHEDULE_DELAY="100",
    )
    try:
        service.log_in("admin@localhost", service.password)
        assert service.get("/v1/incidents")["total"] == 0
    finally:
        assert service.end() == 0
        run(data_dir, "migrate")


def test_without_the_extra_the_setting_is_refused_in_a_sentence(
    data_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(NOT_INSTALLED)
    hidden = {"PYTHONPATH": str(tmp_path)}
    refused = run(data_dir, "migrate", **hidden, TOCSIN_OTLP_ENDPOINT="http://127.0.0.1:4318")
    assert refused.returncode == 2
    assert "pip install 'tocsin[otel]'" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert run(data_dir, "migrate", **hidden).returncode == 0  # nobody else needs it
