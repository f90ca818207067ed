"""What the tests of the embedded server share: programs to kill, and ways to look from outside."""

import asyncio
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.embedded import EmbeddedPostgres, EmbeddedPostgresError

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
HOLD = f"""
import pathlib, signal, sys
from app.db.embedded import EmbeddedPostgres
with EmbeddedPostgres(pathlib.Path(sys.argv[1]), settings={FAST}):
    signal.signal(signal.SIGINT, lambda *_: None)
    print("up")
    sys.stdin.readline()
"""
WRITE = """
import asyncio, asyncpg, sys
async def write():
    connection = await asyncpg.connect(sys.argv[1].replace("+asyncpg", ""))
    for number in range(1_000_000):
        await connection.execute("INSERT INTO kept VALUES ($1)", number)
        print(number)
asyncio.run(write())
"""
BUSY = """DO $$ BEGIN
    WHILE clock_timestamp() < now() + interval '1 s' LOOP END LOOP;
    INSERT INTO kept VALUES (7);
END $$"""
# CI runs the suite as root, too, so these are never left out of a whole run.
needs_root = pytest.mark.skipif(  # only root may start a process under another user's name
    os.geteuid() != 0, reason="only root can act as somebody else; CI runs this as root"
)


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


def query(server: EmbeddedPostgres, sql: str, database: str = "postgres") -> list[Any]:
    async def ask() -> list[Any]:
        engine = create_async_engine(server.url(database), isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            result = await connection.execute(text(sql))
            rows = list(result.scalars()) if result.returns_rows else []
        await engine.dispose()
        return rows

    return asyncio.run(ask())


def python(script: str, argument: object) -> subprocess.Popen[str]:
    pipe, null = subprocess.PIPE, subprocess.DEVNULL
    command = [sys.executable, "-uc", script, str(argument)]
    return subprocess.Popen(
        command,
        cwd=Path(__file__).parents[2],
        stdin=pipe,
        stdout=pipe,
        stderr=null,
        text=True,
        start_new_session=True,
    )


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def as_user(name: str, act: Callable[[], object]) -> str:
    """What an act returns when this user is the one to do it."""
    user = pwd.getpwnam(name)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
            os.write(writing, str(act()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        os.waitpid(child, 0)
        return pipe.read()


def refusal(server: EmbeddedPostgres) -> str:
    with pytest.raises(EmbeddedPostgresError) as caught:
        server.start()
    said = str(caught.value)
    assert said.endswith(".")
    assert "\n" not in said
    return said
