"""A whole service in a process of its own, as an operator runs it."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from tests import unlimited

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """An environment with nothing of Tocsin's in it but these settings."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TOCSIN_")
        and name not in {"DATABASE_URL", "REDIS_URL", "HOST", "PORT"}
    }
    kept = {k: v for k, v in os.environ.items() if k == "TOCSIN_POSTGRES_BIN"}
    mine = {"TOCSIN_DATA_DIR": str(data_dir), "TOCSIN_PASSWORD_ROUNDS": "4"}
    return {**inherited, **kept, **mine, **unlimited.ENVIRONMENT, **settings}


def run(data_dir: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        check=False,
        cwd=ROOT,
        env=environment(data_dir, **settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


class Service:
    """`tocsin serve` on a free port."""

    def __init__(self, data_dir: Path, *arguments: str, **settings: str) -> None:
        self.log = data_dir / f"serve-{time.monotonic_ns()}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app", "serve", "--port", "0", *arguments],
                cwd=ROOT,
                env=environment(data_dir, **settings),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.url = self._found(r"Tocsin serves (http://\S+)")
        self.http = httpx.Client(base_url=self.url, timeout=10)
        self._await_ready()

    def _found(self, pattern: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = re.search(pattern, self.log.read_text())
            if found:
                return found.group(1)
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def _await_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                if self.http.get("/ready").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    @property
    def password(self) -> str:
        return self._found(r"Password +(\S+)")

    def log_in(self, email: str, password: str) -> None:
        answer = self.http.post(
            "/v1/auth/login/access-token", json={"username": email, "password": password}
        )
        assert answer.status_code == 200, answer.text
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def post(self, path: str, body: Any, **headers: str) -> Any:
        answer = self.http.post(path, json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        answer = self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def end(self, signum: int = signal.SIGINT) -> int:
        """Stop it; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signum)
        status = self.process.wait(PATIENCE)
        self.http.close()
        return status


def postgres_processes(data_dir: Path) -> list[int]:
    """Server processes that run on this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(data_dir) in command and "postgres" in command.split(" ")[0]:
            found.append(int(entry.name))
    return found
