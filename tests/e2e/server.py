"""The server of the tour: one that runs, or one that is started for it and removed after it."""

import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests import unlimited

ROOT = Path(__file__).parents[2]
USUAL = "http://127.0.0.1:8000"
PATIENCE = 90.0  # seconds


class NoServerError(Exception):
    """There is nothing to test, and the sentence says what to do."""


@dataclass(frozen=True)
class Login:
    email: str
    password: str


@dataclass(frozen=True)
class Server:
    """Where the server is, who may administer it, and where its unsent mail lies."""

    url: str
    admin: Login
    outbox: Path | None
    outbox_is_guess: bool = False
    admin_is_ours: bool = False  # made for this run, and to be removed with it


def runs(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ready", timeout=3).status_code == 200
    except httpx.HTTPError:
        return False


def running(url: str, given: Login | None, outbox: Path | None, *, outbox_is_guess: bool) -> Server:
    """A server that runs already; its admin is named, or made with the command."""
    if not runs(url):
        raise NoServerError(f"Nothing that is ready answers at {url}. Start it with `make run`.")
    if given is not None:
        return Server(url, given, outbox, outbox_is_guess)
    return Server(url, _made_admin(), outbox, outbox_is_guess, admin_is_ours=True)


def _made_admin() -> Login:
    login = Login(f"e2e-{secrets.token_hex(4)}@example.test", secrets.token_urlsafe(12))
    made = subprocess.run(
        [sys.executable, "-m", "app", "create-admin", login.email],
        check=False, cwd=ROOT, env={**os.environ, "TOCSIN_PASSWORD": login.password},
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    if made.returncode != 0:
        raise NoServerError(
            "An admin is needed: name one with --admin-email and TOCSIN_E2E_PASSWORD, or run this"
            f" where `tocsin create-admin` reaches the server's database. {made.stderr.strip()}"
        )
    return login


@contextmanager
def own() -> Iterator[Server]:
    """A server of our own on a free port, with a database that is thrown away."""
    folder = Path(tempfile.mkdtemp(prefix="tocsin-e2e-"))
    folder.chmod(0o755)
    admin = Login("admin@example.test", secrets.token_urlsafe(12))
    settings = {
        name: value
        for name, value in os.environ.items()
        if name == "TOCSIN_POSTGRES_BIN" or not name.startswith(("TOCSIN_", "DATABASE_URL"))
    } | {
        "TOCSIN_DATA_DIR": str(folder),
        "TOCSIN_FIRST_ADMIN_EMAIL": admin.email,
        "TOCSIN_FIRST_ADMIN_PASSWORD": admin.password,
        **unlimited.ENVIRONMENT,
    }
    log = folder / "serve.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve", "--host", "127.0.0.1", "--port", "0"],
            cwd=ROOT, env=settings, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        yield Server(_url(process, log), admin, folder / "outbox")
    finally:
        process.terminate()
        process.wait(PATIENCE)
        shutil.rmtree(folder, ignore_errors=True)


def _url(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"Tocsin serves (http://\S+)", log.read_text())
        if found and runs(found.group(1)):
            return found.group(1)
        time.sleep(0.05)
    raise NoServerError(f"The server did not start:\n{log.read_text()}")
