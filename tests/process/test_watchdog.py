"""The watchdog that runs elsewhere: one mail when Tocsin falls silent, one when it is back."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.channels.servers import free_port

SCRIPT = Path(__file__).parents[2] / "contrib" / "watchdog.py"
PATIENCE = 30.0


class Mailbox:
    """A mail server's postbox; it can be told to refuse."""

    def __init__(self) -> None:
        self.subjects: list[str] = []
        self.refusals = 0

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.refusals:
            self.refusals -= 1
            return "451 later"
        assert isinstance(envelope.content, bytes)
        lines = envelope.content.decode().splitlines()
        self.subjects += [line for line in lines if line.startswith("Subject:")]
        return "250 taken"


class Tocsin(ThreadingHTTPServer):
    """Something that answers `/ready`, well or not."""

    status = 200
    asked = 0


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Tocsin)
        self.server.asked += self.path == "/ready"
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _watched(mailbox: Mailbox) -> Iterator[Tocsin]:
    port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    with Tocsin(("127.0.0.1", 0), Ready) as tocsin:
        threading.Thread(target=tocsin.serve_forever, daemon=True).start()
        watchdog = subprocess.Popen(
            [sys.executable, str(SCRIPT), f"http://127.0.0.1:{tocsin.server_port}/",
             "--smtp", f"smtp://127.0.0.1:{port}", "--from", "dog@example.org",
             "--to", "ana@example.org", "--every", "0.05", "--patience", "0.2"],
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield tocsin
        finally:
            watchdog.kill()
            watchdog.wait()
            tocsin.shutdown()
            controller.stop()


def _until(done: list[str], count: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while len(done) < count and time.monotonic() < deadline:
        time.sleep(0.02)


def _until_asked(tocsin: Tocsin, more: int) -> None:
    deadline = time.monotonic() + PATIENCE
    wanted = tocsin.asked + more
    while tocsin.asked < wanted and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.mark.parametrize("refusals", [0, 2])
def test_silence_and_recovery_are_told_once_each(refusals: int) -> None:
    mailbox = Mailbox()
    mailbox.refusals = refusals
    with _watched(mailbox) as tocsin:
        _until_asked(tocsin, 8)
        assert mailbox.subjects == []
        tocsin.status = 503
        _until(mailbox.subjects, 1)
        _until_asked(tocsin, 8)
        assert mailbox.subjects == ["Subject: Tocsin is silent: nobody is being paged"]
        tocsin.status = 200
        _until(mailbox.subjects, 2)
        _until_asked(tocsin, 8)
    assert mailbox.subjects[1:] == ["Subject: Tocsin is well again"]
