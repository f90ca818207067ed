"""`tocsin seed-demo`, as somebody types it: what is there afterwards, and what stays untouched."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.domain.demo import MADE_UP
from tests.process.service import ROOT, Service, environment

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]  # processes, one after the other

PATIENCE = 300.0  # it tells some hundred things, one by one


@pytest.fixture
def settings(empty_database_url: str) -> dict[str, str]:
    return {"DATABASE_URL": empty_database_url.replace("+asyncpg", "")}


def seed(
    data_dir: Path, settings: dict[str, str], *options: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", "seed-demo", *options],
        check=False,
        cwd=ROOT,
        env=environment(data_dir, **settings),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
    )


def logins(told: str) -> dict[str, str]:
    """The passwords that were shown, by mail address."""
    return dict(re.findall(rf"(\S+@{re.escape(MADE_UP)}) +(\S+)", told))


def called(http: httpx.Client, path: str) -> Any:
    answer = http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def log_in(service: Service, email: str, password: str) -> httpx.Client:
    body = {"username": email, "password": password}
    answer = service.http.post("/v1/auth/login/access-token", json=body)
    assert answer.status_code == 200, answer.text
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    return httpx.Client(base_url=service.url, headers=headers, timeout=10)


def test_a_demo_is_made_shown_made_anew_and_pages_nobody(
    data_dir: Path, settings: dict[str, str]
) -> None:
    made = seed(data_dir, settings)
    assert made.returncode == 0, made.stderr
    shown = logins(made.stdout)
    assert len(shown) == 8

    again = seed(data_dir, settings)
    assert (again.returncode, logins(again.stdout)) == (0, {})
    assert "there already" in again.stdout

    # With a mail server set, and nobody behind it: nothing may even be tried there.
    reset = seed(data_dir, settings, "--reset")
    assert reset.returncode == 0, reset.stderr
    anew = logins(reset.stdout)
    assert anew.keys() == shown.keys()
    assert not set(anew.values()) & set(shown.values())

    others = {"TOCSIN_SMTP_URL": "smtp://127.0.0.1:9", "TOCSIN_RATE_LIMIT_READS": "9999/minute"}
    service = Service(data_dir, **settings, **others)
    try:
        with log_in(service, f"ada@{MADE_UP}", anew[f"ada@{MADE_UP}"]) as http:
            _is_whole(http)
            live = called(http, "/v1/incidents?status=open")["items"][0]
            # Whoever is paged next is made up, too.
            assert http.post(f"/v1/incidents/{live['id']}/escalate").status_code == 200
            told = _settled(http, live["id"])
            assert {one["status"] for one in told} <= {"sent", "suppressed"}
            assert any(one["status"] == "suppressed" for one in told)
    finally:
        service.end()
    assert list((data_dir / "outbox").glob("*.eml"))


def _settled(http: httpx.Client, incident: int) -> list[dict[str, Any]]:
    """The pages of an incident, once the newest of them has left."""
    found: list[dict[str, Any]] = []
    for _ in range(400):
        found = called(http, f"/v1/incidents/{incident}/notifications")["items"]
        steps = {one["step"] for one in found}
        waiting = [one for one in found if one["status"] in ("pending", "sending")]
        if 2 in steps and not waiting:
            return found
        http.get("/health")  # takes a moment
    raise AssertionError(found)


def _is_whole(http: httpx.Client) -> None:
    """What somebody who looks around finds."""
    incidents = called(http, "/v1/incidents?per_page=100")
    by_status: dict[str, int] = {}
    for one in incidents["items"]:
        by_status[one["status"]] = by_status.get(one["status"], 0) + 1
    assert (by_status["open"], by_status["acknowledged"]) == (1, 1)
    assert by_status["resolved"] > 30
    zones = {one["time_zone"] for one in called(http, "/v1/teams")["items"]}
    assert zones == {"Europe/Berlin", "America/New_York"}
    assert len(called(http, "/v1/schedules")["items"]) == 2
    for service in called(http, "/v1/services")["items"]:
        assert called(http, f"/v1/services/{service['id']}/on-call")["people"]
    assert "running" in {one["status"] for one in called(http, "/v1/maintenance-windows")["items"]}
    assert {one["state"] for one in called(http, "/v1/heartbeats")["items"]} == {"new"}
    [figures] = called(http, "/v1/figures/response")["rows"]
    assert figures["time_to_acknowledge"]["count"] > 30
    pages = called(http, "/v1/figures/pages")["rows"]
    assert sum(one["pages"] for one in pages) > 40
