"""One PostgreSQL server on a loopback port, from the programs that the product finds itself.

It runs as the product's own server does: under another user's id if we are root, in a session of
its own, adopted by init. What is done to it is done to all of its processes at once, because a
postmaster that loses one backend restarts the rest, which is another fault than the one meant.
"""

import os
import shutil
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from subprocess import CompletedProcess

from app.db.embedded import EmbeddedPostgres, _account_for

PATIENCE = 60.0
HOST = "127.0.0.1"
USER = "postgres"
ACCESS = """\
local all         all              trust
host  all         all 127.0.0.1/32 trust
host  replication all 127.0.0.1/32 trust
"""


class Programs:
    """PostgreSQL's programs, run as whoever may run them, on files below one folder."""

    def __init__(self, home: Path) -> None:
        self._tools = EmbeddedPostgres(home)
        self._tools._uid, self._tools._gid = _account_for(home)
        self._tools._open_home()
        self._folder = self._tools._reachable_programs()

    def give(self, folder: Path) -> None:
        """Make this folder, for the servers' user alone."""
        folder.mkdir(mode=0o700)
        os.chown(folder, self._tools._uid, self._tools._gid)

    def run(self, name: str, *arguments: object, text: str = "") -> str:
        """What a program says; whatever it refuses is an error of the test."""
        done = self.attempt(name, *arguments, text=text)
        assert done.returncode == 0, f"{name}: {done.stdout}"
        return done.stdout

    def attempt(self, name: str, *arguments: object, text: str = "") -> CompletedProcess[str]:
        return self._tools._run('exec "$@"', self._folder / name, *arguments, text=text)

    def launch(self, log: Path, name: str, *arguments: object) -> None:
        """Start what shall outlive us, by way of a shell that leaves at once."""
        with log.open("a") as output:
            self._tools._run('"$@" &', self._folder / name, *arguments, into=output.fileno())


class Server:
    """One server, in one folder, on one port."""

    def __init__(self, programs: Programs, folder: Path, port: int) -> None:
        self.name, self.folder, self.port = folder.name, folder, port
        self.log = folder.with_suffix(".log")
        self._programs = programs

    def create(self) -> None:
        """A new cluster that anybody on this machine may enter."""
        self._programs.give(self.folder)
        options = ("-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        self._programs.run("initdb", "-D", self.folder, *options)
        (self.folder / "pg_hba.conf").write_text(ACCESS)

    def copy_from(self, primary: "Server") -> None:
        """Become a standby of this one, from a fresh copy, whatever stood here before."""
        source = f"host={HOST} port={primary.port} user={USER} application_name={self.name}"
        shutil.rmtree(self.folder, ignore_errors=True)
        self._programs.give(self.folder)
        options = ("-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", source)
        self._programs.run("pg_basebackup", "-D", self.folder, *options)

    def start(self, settings: Mapping[str, str]) -> None:
        """Return once it answers."""
        options = [f"--{name}={value}" for name, value in settings.items()]
        self._programs.launch(self.log, "postgres", "-D", self.folder, *options)
        self.wait_until("SELECT true")

    def stop(self) -> None:
        """Shut down at once, leaving no shared memory behind as a kill does."""
        if self.processes():
            self.signal(signal.SIGCONT)
            self._programs.run("pg_ctl", "stop", "-D", self.folder, "-m", "immediate")

    def promote(self) -> None:
        """Let it end its recovery and take writes; returns once it does."""
        self.ask("SELECT pg_promote(wait => false)")
        self.wait_until("SELECT NOT pg_is_in_recovery()")

    def configure(self, name: str, value: str) -> None:
        """Change a setting of the running server."""
        self.ask(f"ALTER SYSTEM SET {name} = '{value}'")
        self.ask("SELECT pg_reload_conf()")

    def ask(self, sql: str, database: str = "postgres") -> str:
        return self._programs.run("psql", *self._where(database), text=sql).strip()

    def wait_until(self, sql: str) -> None:
        """Wait for a question to be answered with true."""
        deadline = time.monotonic() + PATIENCE
        check = f"SELECT 1 / ({sql})::int"
        while self._programs.attempt("psql", *self._where("postgres"), text=check).returncode:
            assert time.monotonic() < deadline, f"{sql}: in vain.\n{self.log.read_text()[-2000:]}"
            time.sleep(0.02)

    def processes(self) -> list[int]:
        """The postmaster, if it lives, and its children."""
        with suppress(FileNotFoundError, ValueError, IndexError):
            parent = int((self.folder / "postmaster.pid").read_text().split("\n")[0])
            if _is_alive(parent):
                return [parent, *_children(parent)]
        return []

    def signal(self, signum: int) -> None:
        """Send this to all of its processes; the postmaster first, so that it starts no more."""
        found = self.processes()
        if found:
            _send(found[:1], signal.SIGSTOP)
            found = self.processes()
            _send(found[1:], signum)
            _send(found[:1], signum)
        while signum == signal.SIGKILL and self.processes():
            time.sleep(0.005)

    def _where(self, database: str) -> tuple[object, ...]:
        quietly = ("-XAtq", "-v", "ON_ERROR_STOP=1")
        return (*quietly, "-h", HOST, "-p", self.port, "-U", USER, "-d", database)


def _send(pids: list[int], signum: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signum)


def _is_alive(pid: int) -> bool:
    state = _status(pid)
    return state is not None and state[0] != "Z"


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        state = _status(int(entry.name))
        if state is not None and int(state[1]) == parent:
            found.append(int(entry.name))
    return found


def _status(pid: int) -> list[str] | None:
    """State and parent, from what the kernel tells of a process after its name."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    return None
