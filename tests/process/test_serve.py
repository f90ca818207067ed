"""`tocsin serve` as a stranger runs it: real processes, the embedded server, real signals."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.service import Service, postgres_processes, run

pytestmark = pytest.mark.crash


@pytest.fixture
def services(data_dir: Path) -> Iterator[list[Service]]:
    """Whatever a test starts is ended with it, and so is the server on its folder."""
    started: list[Service] = []
    yield started
    for service in started:
        service.end(signal.SIGKILL)
    run(data_dir, "migrate")  # joins what a killed process left running, and stops it
    assert postgres_processes(data_dir) == []


def test_the_first_start_makes_everything_and_the_second_keeps_it(
    data_dir: Path, services: list[Service]
) -> None:
    first = Service(data_dir)
    services.append(first)
    first.log_in("admin@localhost", first.password)
    made = first.post(
        "/v1/incidents", {"title": "Disk full", "severity": "high", "service": "database"}
    )
    assert first.end(signal.SIGINT) == 0
    assert "Tocsin has stopped." in first.log.read_text()
    assert "Traceback" not in first.log.read_text()
    assert postgres_processes(data_dir) == []

    second = Service(data_dir)
    services.append(second)
    assert "Log in with the admin of the first start" in second.log.read_text()
    second.log_in("admin@localhost", first.password)
    assert second.get(f"/v1/incidents/{made['id']}")["title"] == "Disk full"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_every_polite_signal_stops_the_server_too(
    signum: int, data_dir: Path, services: list[Service]
) -> None:
    service = Service(data_dir)
    services.append(service)
    service.end(signum)
    assert postgres_processes(data_dir) == []
    assert "Traceback" not in service.log.read_text()


def test_after_kill_9_everything_that_was_answered_is_there(
    data_dir: Path, services: list[Service]
) -> None:
    service = Service(data_dir)
    services.append(service)
    password = service.password
    service.log_in("admin@localhost", password)
    key = service.post("/v1/integrations", {"name": "scripts", "kind": "alerts"})["key"]
    for n in range(5):
        service.post("/v1/webhooks/alerts", {"title": f"Problem {n}"}, **{"X-API-Key": key})
    service.end(signal.SIGKILL)
    for pid in postgres_processes(data_dir):
        subprocess.run(["kill", "-9", str(pid)], check=False)

    again = Service(data_dir)
    services.append(again)
    again.log_in("admin@localhost", password)
    assert again.get("/v1/incidents")["total"] == 5


def test_two_services_share_one_folder_and_the_last_one_stops_the_server(
    data_dir: Path, services: list[Service]
) -> None:
    one, two = Service(data_dir), Service(data_dir)
    services.extend([one, two])
    assert one.end() == 0
    assert two.get("/ready")["ready"]
    assert postgres_processes(data_dir) != []
    assert two.end() == 0
    assert postgres_processes(data_dir) == []


def test_a_taken_port_is_one_clear_sentence(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run(data_dir, "serve", "--port", str(port))
    assert result.returncode == 2
    assert result.stderr == (
        f"tocsin: Cannot listen on 127.0.0.1:{port}: Address already in use. Choose another"
        " with --host and --port, or HOST and PORT.\n"
    )


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://u:secret@h/db", "Tocsin needs PostgreSQL"),
        ("nonsense", "DATABASE_URL cannot be read"),
        ("postgresql://u:secret@127.0.0.1:1/db", "nothing listens there"),
        ("postgresql://u:secret@no-such-host.invalid/db", "the host name is unknown"),
        ("postgresql://u:secret@127.0.0.1", "names no database"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_clear_sentence(
    url: str, sentence: str, data_dir: Path
) -> None:
    result = run(data_dir, "serve", "--port", "0", DATABASE_URL=url)
    assert result.returncode == 2
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "secret" not in result.stderr + result.stdout


def test_a_data_folder_that_cannot_be_used_is_one_clear_sentence(data_dir: Path) -> None:
    (data_dir / "file").write_text("in the way")
    result = run(data_dir / "file", "serve", "--port", "0")
    assert result.returncode == 2
    assert "TOCSIN_DATA_DIR" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOCSIN_SMTP_URL", "ftp://user:secret@mail"),
        ("TOCSIN_ALLOW_PRIVATE_TARGETS", "secret"),
        ("TOCSIN_SECRET_KEY", "secret"),
        ("PORT", "secret"),
        ("TOCSIN_MAIL_FROM", "not an address"),
    ],
)
def test_a_wrong_setting_is_one_clear_sentence_that_names_it(
    name: str, value: str, data_dir: Path
) -> None:
    arguments = ("serve",) if name == "PORT" else ("serve", "--port", "0")
    result = run(data_dir, *arguments, **{name: value})
    assert result.returncode == 2
    assert name in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert postgres_processes(data_dir) == []


def test_the_first_admin_can_be_set(data_dir: Path, services: list[Service]) -> None:
    service = Service(
        data_dir,
        TOCSIN_FIRST_ADMIN_EMAIL="root@example.org",
        TOCSIN_FIRST_ADMIN_PASSWORD="chosen by me",
    )
    services.append(service)
    service.log_in("root@example.org", "chosen by me")
    assert service.get("/v1/users/me")["is_superuser"]
    assert "chosen by me" not in service.log.read_text()


def test_another_admin_can_be_made_at_any_time(data_dir: Path, services: list[Service]) -> None:
    service = Service(data_dir)
    services.append(service)
    made = run(data_dir, "create-admin", "second@example.org")
    assert made.returncode == 0, made.stderr
    password = made.stdout.rsplit(maxsplit=1)[-1]
    service.log_in("second@example.org", password)
    again = run(data_dir, "create-admin", "SECOND@example.org")
    assert again.returncode == 2
    assert "already" in again.stderr
    assert run(data_dir, "create-admin", "no address").returncode == 2


def test_a_database_server_that_is_killed_comes_back_and_nothing_is_lost(
    data_dir: Path, services: list[Service]
) -> None:
    service = Service(data_dir)
    services.append(service)
    service.log_in("admin@localhost", service.password)
    key = service.post("/v1/integrations", {"name": "scripts", "kind": "alerts"})["key"]
    service.post("/v1/webhooks/alerts", {"title": "before"}, **{"X-API-Key": key})
    for pid in postgres_processes(data_dir):
        subprocess.run(["kill", "-9", str(pid)], check=False)

    answered = []
    while "after" not in answered:
        answer = service.http.post(
            "/v1/webhooks/alerts", json={"title": "after"}, headers={"X-API-Key": key}
        )
        assert answer.status_code in (200, 503), answer.text  # 503: a sender tries again
        if answer.status_code == 200:
            answered.append("after")
        time.sleep(0.1)
    assert service.get("/v1/incidents")["total"] == 2
    assert service.get("/ready")["ready"]
    assert service.end() == 0
