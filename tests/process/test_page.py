"""From an alert to a mailbox, through real processes and a real SMTP server."""

import email
import email.policy
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.process.service import PATIENCE, Service, environment, run

pytestmark = pytest.mark.crash


class Mailbox:
    """Keeps whatever it is given, with the moment it came."""

    def __init__(self) -> None:
        self.messages: list[tuple[float, EmailMessage]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.messages.append((time.monotonic(), parsed))
        return "250 kept"

    def wait_for(self, count: int, timeout: float = PATIENCE) -> list[EmailMessage]:
        deadline = time.monotonic() + timeout
        while len(self.messages) < count:
            assert time.monotonic() < deadline, f"only {len(self.messages)} of {count} came"
            time.sleep(0.01)
        return [message for _, message in self.messages]


@pytest.fixture
def mailbox(free_port: int) -> Iterator[tuple[Mailbox, str]]:
    """A mail server on loopback, and its URL."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port)
    controller.start()
    yield mailbox, f"smtp://127.0.0.1:{free_port}"
    controller.stop()


@pytest.fixture
def service(data_dir: Path, mailbox: tuple[Mailbox, str]) -> Iterator[Service]:
    running = Service(
        data_dir, TOCSIN_SMTP_URL=mailbox[1], TOCSIN_MAIL_FROM="Tocsin <tocsin@example.org>"
    )
    running.log_in("admin@localhost", running.password)
    yield running
    running.end()
    run(data_dir, "migrate")


def people_and_policy(service: Service) -> str:
    """Ana, then Ben three seconds later; the key of a tool."""
    ids = [
        service.post(
            "/v1/users",
            {"email": f"{name}@example.org", "password": "long enough", "full_name": name.title()},
        )["id"]
        for name in ("ana", "ben")
    ]
    steps = [
        {"delay_minutes": delay, "actions": [{"type": "notify", "target": {"user": user}}]}
        for delay, user in zip((0, 0.05), ids, strict=True)
    ]
    service.post("/v1/escalation/policies", {"name": "Primary", "steps": steps})
    made = service.post("/v1/integrations", {"name": "scripts", "kind": "alerts"})
    return str(made["key"])


def test_a_page_climbs_by_mail_and_its_link_stops_it(
    service: Service, mailbox: tuple[Mailbox, str]
) -> None:
    box, _ = mailbox
    key = people_and_policy(service)
    alert = {"title": "Disk full", "service": "database", "dedup_key": "d"}
    began = time.monotonic()
    service.post("/v1/webhooks/alerts", alert, **{"X-API-Key": key})
    first, second = box.wait_for(2)
    assert box.messages[0][0] - began < 1.0  # a page due now leaves within a second
    assert (first["To"], second["To"]) == ("ana@example.org", "ben@example.org")
    assert first["Message-ID"] != second["Message-ID"]
    assert first["References"] == second["References"]

    body = first.get_body(("plain",))
    assert body is not None
    found = re.search(r"http://\S+/a/\S+", body.get_content())
    assert found is not None
    link = found.group()
    with httpx.Client() as scanner:
        for _ in range(2):
            assert scanner.get(link).status_code == 200
        assert service.get("/v1/incidents/1")["status"] == "open"
        assert "You have acknowledged it" in scanner.post(link).text
    incident = service.get("/v1/incidents/1")
    assert (incident["status"], incident["assigned_to"]) == ("acknowledged", 2)


def test_a_worker_of_its_own_pages_what_the_api_took_in(
    data_dir: Path, mailbox: tuple[Mailbox, str]
) -> None:
    box, url = mailbox
    api = Service(data_dir, "--no-worker")
    loops = subprocess.Popen(
        [sys.executable, "-m", "app", "worker"],
        # No tick comes in time: only the bell can tell this process.
        env=environment(data_dir, TOCSIN_SMTP_URL=url, TOCSIN_SAFETY_TICK_SECONDS="60"),
        start_new_session=True,
    )
    try:
        api.log_in("admin@localhost", api.password)
        key = people_and_policy(api)
        api.post("/v1/webhooks/alerts", {"title": "Disk full"}, **{"X-API-Key": key})
        box.wait_for(1)
    finally:
        loops.send_signal(signal.SIGTERM)
        assert loops.wait(PATIENCE) == 0
        api.end()


def test_what_a_killed_process_owed_is_paged_by_the_next(
    data_dir: Path, mailbox: tuple[Mailbox, str]
) -> None:
    box, url = mailbox
    first = Service(data_dir, "--no-worker")
    password = first.password
    first.log_in("admin@localhost", password)
    key = people_and_policy(first)
    first.post("/v1/webhooks/alerts", {"title": "Disk full"}, **{"X-API-Key": key})
    first.end(signal.SIGKILL)
    second = Service(data_dir, TOCSIN_SMTP_URL=url)
    try:
        assert [message["To"] for message in box.wait_for(2)] == [
            "ana@example.org",
            "ben@example.org",
        ]
    finally:
        second.end()
