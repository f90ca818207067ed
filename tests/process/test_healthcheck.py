"""The image's health check, run as the engine would run it, beside a real service."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.process.service import ROOT, Service, environment, run

HEALTHCHECK = re.compile(r"^HEALTHCHECK .*?CMD (\[.*?\])$", re.DOTALL | re.MULTILINE)


def status(data_dir: Path, **settings: str) -> int:
    """The exit status of the check, in an environment with these settings."""
    found = HEALTHCHECK.search((ROOT / "Dockerfile").read_text())
    assert found is not None
    program, *arguments = json.loads(found[1])
    assert program == "python"
    return subprocess.run(
        [sys.executable, *arguments],
        check=False,
        capture_output=True,
        env=environment(data_dir, **settings),
        timeout=30,
    ).returncode


@contextmanager
def answering(code: int) -> Iterator[str]:
    """The port of something that answers everything with this status."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code if self.path == "/ready" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield str(server.server_port)
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.crash
def test_a_service_that_is_ready_is_healthy_and_one_that_is_gone_is_not(data_dir: Path) -> None:
    service = Service(data_dir)
    try:
        port = str(urlsplit(service.url).port)
        assert status(data_dir, PORT=port) == 0
        assert status(data_dir, TOCSIN_PORT=port, PORT="1") == 0
        assert status(data_dir, PORT=port, http_proxy="http://127.0.0.1:1") == 0
    finally:
        service.end()
        run(data_dir, "migrate")
    assert status(data_dir, PORT=port) == 1


@pytest.mark.parametrize(("code", "expected"), [(200, 0), (503, 1), (500, 1), (302, 1)])
def test_only_a_replica_that_says_it_is_ready_is(data_dir: Path, code: int, expected: int) -> None:
    with answering(code) as port:
        assert status(data_dir, PORT=port) == expected
