"""Told to leave at any moment of its start, a service leaves, and takes its database with it."""

import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.process.service import PATIENCE, ROOT, environment, postgres_processes, run

LEFT = 128 + signal.SIGTERM
BEGIN = """
import os, signal, sys, time, weakref
from app.core import leaving
leaving.when_told()
def tell(*_):
    signal.raise_signal(signal.SIGTERM)
def stay():
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        time.sleep(0.01)
    print("stayed")
class Thing:
    pass
try:
"""
END = """
finally:
    print("stopped")
"""


def ends(body: str) -> subprocess.CompletedProcess[str]:
    """How a program of these lines ends that was told to leave in the middle."""
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    return subprocess.run(
        [sys.executable, "-c", BEGIN + lines + END],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


@pytest.mark.parametrize(
    "body",
    [
        "tell(); stay()",
        "os.kill(os.getpid(), signal.SIGHUP); stay()",
        "thing = Thing(); kept = weakref.ref(thing, tell); del thing; stay()",
        "Thing.__del__ = tell; thing = Thing(); del thing; stay()",
        "iterator = (tell() for _ in [1]); weakref.finalize(Thing(), next, iterator); stay()",
    ],
    ids=["anywhere", "terminal", "weak reference", "finaliser", "finalize"],
)
def test_what_is_raised_where_nothing_comes_out_of_is_asked_again(body: str) -> None:
    ended = ends(body)
    assert (ended.returncode, ended.stdout, ended.stderr) == (LEFT, "stopped\n", "")


def test_what_is_short_is_not_cut_off_and_then_it_leaves() -> None:
    body = """
with leaving.later():
    tell()
    print("goodbye")
stay()
"""
    ended = ends(body)
    assert (ended.returncode, ended.stdout) == (LEFT, "goodbye\nstopped\n")


def test_told_twice_it_still_stops_what_it_started() -> None:
    body = """
try:
    tell()
finally:
    tell()
    print("the database")
"""
    ended = ends(body)
    assert (ended.returncode, ended.stdout) == (LEFT, "the database\nstopped\n")


def test_other_errors_that_nobody_can_catch_are_still_told() -> None:
    ended = ends("thing = Thing(); kept = weakref.ref(thing, lambda _: 1 / 0); del thing")
    assert ended.returncode == 0
    assert "ZeroDivisionError" in ended.stderr


# --- The real thing --------------------------------------------------------------------------


class Start:
    """`tocsin serve` as it starts."""

    def __init__(self, data_dir: Path, *command: str) -> None:
        self.data_dir = data_dir
        self.log = data_dir / f"start-{time.monotonic_ns()}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app", *command],
                cwd=ROOT,
                env=environment(data_dir),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def until(self, has_come: Callable[["Start"], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not has_come(self):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.002)

    @property
    def listens_to_signals(self) -> bool:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
        return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)

    @property
    def has_database(self) -> bool:
        return bool(postgres_processes(self.data_dir))

    def said(self, what: str) -> bool:
        return what in self.log.read_text()


def _answers(start: Start) -> bool:
    if not start.said("Tocsin serves"):
        return False
    port = int(start.log.read_text().split("Tocsin serves http://")[1].split()[0].split(":")[1])
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


MOMENTS: dict[str, Callable[[Start], bool]] = {
    "before anything": lambda start: start.listens_to_signals,
    "the database starts": lambda start: start.has_database,
    "it has said who it is": lambda start: start.said("Tocsin serves"),
    "it answers": _answers,
}


@pytest.fixture(scope="module")
def begun() -> Iterator[Path]:
    """A data folder with a database that is migrated, and that nobody runs."""
    folder = Path(tempfile.mkdtemp(prefix="tocsin-"))
    folder.chmod(0o755)
    assert run(folder, "migrate").returncode == 0
    yield folder
    run(folder, "migrate")  # joins what was left running, and stops it
    shutil.rmtree(folder, ignore_errors=True)


def _leaves(start: Start) -> None:
    start.process.send_signal(signal.SIGTERM)
    status = start.process.wait(PATIENCE)
    told = start.log.read_text()
    assert status in (0, LEFT), told
    assert "Traceback" not in told
    assert "Exception ignored" not in told
    assert postgres_processes(start.data_dir) == []


@pytest.mark.crash
@pytest.mark.parametrize("command", ["serve", "worker"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_told_to_leave_at_any_moment_it_leaves_nothing_running(
    begun: Path, command: str, moment: str
) -> None:
    if command == "worker" and moment in ("it has said who it is", "it answers"):
        start = Start(begun, "worker")
        start.until(lambda start: start.said("The loops are running"))
    else:
        start = Start(begun, command, *(["--port", "0"] if command == "serve" else []))
        start.until(MOMENTS[moment])
    _leaves(start)


@pytest.mark.crash
@pytest.mark.parametrize("part", range(4))
def test_told_to_leave_at_four_parts_of_its_start_it_leaves_nothing_running(
    begun: Path, part: int
) -> None:
    """Wherever it happens to be: between what can be seen from outside, too."""
    start = Start(begun, "serve", "--port", "0")
    start.until(lambda start: start.listens_to_signals)
    began = time.monotonic()
    start.until(lambda _: time.monotonic() - began >= part * 0.5)
    _leaves(start)
