"""The whole database in one file, and back: pg_dump's custom format, by PostgreSQL's own programs.

- A backup is one snapshot: everything that was committed when it began, nothing of what came
  later. Nobody waits for it. Its file is there completely or not at all, and for its owner only.
- A restore is one transaction: it puts everything in place of what is there, or changes nothing.
- What is not in the file: the secret key, the settings, the outbox folder.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import which
from subprocess import DEVNULL, PIPE, Popen, run
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

from sqlalchemy import make_url

from app.core.errors import SetupError
from app.db import migrations
from app.db.embedded import EmbeddedPostgresError, find_programs

Say = Callable[[str], object]

PROGRAMS = ("pg_dump", "pg_restore", "psql")
INHERITED = ("PATH", "HOME", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY", "PGSSLCRL")
SYSTEM = Path("/usr/lib/postgresql")
DUMPED_TABLE = re.compile(r'dumping contents of table "?[\w.]*?(\w+)"?$')
READ_TABLE = re.compile(r'processing data for table "?[\w.]*?(\w+)"?$')

# Places in the feed that were given out since the backup are in the bookmarks of readers, and must
# not be given to anything else. A backup from before the first event has no row yet; one from
# before there was a feed has no table.
LEAP = """
DO $$ BEGIN
    IF to_regclass('public.event_feed') IS NOT NULL THEN
        INSERT INTO public.event_feed AS feed (id, position) VALUES (1, 1000000)
        ON CONFLICT (id) DO UPDATE SET position = feed.position + 1000000;
    END IF;
END $$
"""

# Everything of ours; what belongs to an extension stays.
EMPTY = """
SET lock_timeout = '10s';
DO $$
DECLARE command text;
BEGIN
  FOR command IN
    SELECT format('DROP TABLE IF EXISTS %s CASCADE', oid::regclass) FROM pg_class c
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    UNION ALL
    SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure) FROM pg_proc p
    WHERE pronamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
  LOOP
    EXECUTE command;
  END LOOP;
END $$;
"""
TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
SIZE = "SELECT pg_database_size(current_database())"


class Tools(NamedTuple):
    """PostgreSQL's programs of one version, and how they reach the database."""

    folder: Path
    major: int
    environment: dict[str, str]

    def command(self, name: str, *options: str) -> list[str]:
        return [str(self.folder / name), *options]


def write(url: str, file: Path, *, environment: Mapping[str, str], say: Say) -> None:
    """Write everything in the database at `url` into `file`, which must not be there yet."""
    if file.exists():
        raise SetupError(f"{file} is there already; name another file, or remove it first.")
    tools = _tools(url, environment)
    say(f"The database holds {in_words(int(_ask(tools, SIZE)))}. Reading it:")
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    # By name: what it writes to its output it cannot go back to, and so writes the contents twice.
    options = ("--format=custom", "--verbose", "--no-password", f"--file={aside}")
    _make(aside)
    try:
        with _running(tools.command("pg_dump", *options), tools) as process:
            faults = _follow(process.stderr, DUMPED_TABLE, say)
        if process.returncode != 0:
            raise SetupError(f"The backup failed: {_reason(faults)}.")
        with aside.open("rb") as written:
            os.fsync(written.fileno())
        aside.rename(file)
    finally:
        aside.unlink(missing_ok=True)
    say(f"{file} has everything: {in_words(file.stat().st_size)}.")


def read(url: str, file: Path, *, environment: Mapping[str, str], force: bool, say: Say) -> None:
    """Put what is in `file` into the database at `url`, which must be empty unless forced."""
    tools = _tools(url, environment)
    _require_readable(tools, file)
    tables = int(_ask(tools, TABLES))
    if tables and not force:
        raise SetupError(
            f"The database is not empty: it has {tables} tables. Stop every Tocsin that uses it,"
            " and say --force to replace all that is in it."
        )
    say(f"{file} has {in_words(file.stat().st_size)}. Putting it back:")
    faults = _put_back(tools, file, say)
    if faults is not None:
        raise SetupError(
            f"Nothing was changed, because the restore failed: {_reason(faults)}. If a Tocsin"
            " still uses the database, stop it first."
        )
    say(f"The database holds {in_words(int(_ask(tools, SIZE)))} now.")


def _put_back(tools: Tools, file: Path, say: Say) -> list[str] | None:
    """Replace everything in one transaction; what went wrong, if something did."""
    options = ("--no-owner", "--no-privileges", "--verbose", "--file=-", str(file))
    take = (
        "-XqAt",
        "-w",
        "-v",
        "ON_ERROR_STOP=1",
        "--single-transaction",
        "-c",
        EMPTY,
        "-f",
        "-",
        "-c",
        LEAP,
    )
    # Whoever holds the writing end holds the commit: a file that breaks off must not be one.
    out, into = os.pipe()
    with os.fdopen(out) as reading, os.fdopen(into, "w") as writing, TemporaryFile("w+") as told:
        with (
            _running(tools.command("psql", *take), tools, stdin=reading, stderr=told) as target,
            _running(tools.command("pg_restore", *options), tools, stdout=writing) as source,
        ):
            reading.close()
            unread = _follow(source.stderr, READ_TABLE, say)
            if source.wait() != 0:
                target.kill()
            writing.close()
            target.wait()
        told.seek(0)
        refused = told.read().splitlines()
    if target.returncode == 0 == source.returncode:
        return None
    return refused or unread


def in_words(size: int) -> str:
    """A size as a person reads it."""
    shown = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if shown < 1000:
            return f"{shown:.0f} {unit}" if unit == "bytes" else f"{shown:.1f} {unit}"
        shown /= 1000
    return f"{shown:.1f} TB"


# --- Programs -----------------------------------------------------------------------------


def _tools(url: str, inherited: Mapping[str, str]) -> Tools:
    """The programs that fit this server: of its own version, or else the next newer one."""
    environment = _environment(url, inherited)
    found, refused = [], ""
    for folder in _folders(has_choice=bool(inherited.get("TOCSIN_POSTGRES_BIN"))):
        tools = Tools(folder, _major(folder), environment)
        answer = run(  # noqa: S603
            tools.command("psql", "-XqAtw", "-c", "SHOW server_version_num"),
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if answer.returncode == 0:
            found.append((tools, int(answer.stdout) // 10_000))
        else:  # such as one that knows no TLS
            refused = _reason(answer.stderr.splitlines())
    if not found:
        raise SetupError(
            f"No pg_dump here reaches the database: {refused or 'there is none'}. Install"
            " PostgreSQL's client programs, or set TOCSIN_POSTGRES_BIN to their folder."
        )
    fitting = [tools for tools, server in found if tools.major >= server]
    if not fitting:
        have = ", ".join(str(tools.major) for tools, _ in found)
        raise SetupError(
            f"The database is PostgreSQL {found[0][1]}, but the programs here are of {have};"
            f" install those of {found[0][1]}, or set TOCSIN_POSTGRES_BIN to their folder."
        )
    return min(fitting, key=lambda tools: tools.major)


def _folders(*, has_choice: bool) -> Iterator[Path]:
    """Where PostgreSQL's programs may be."""
    places = []
    with suppress(EmbeddedPostgresError):
        places.append(find_programs())
    if not has_choice:
        places += sorted(SYSTEM.glob("[1-9][0-9]/bin"))
        on_path = which("pg_dump")
        places += [Path(on_path).parent] if on_path else []
    for folder in dict.fromkeys(places):
        if all((folder / name).exists() for name in PROGRAMS):
            yield folder


def _major(folder: Path) -> int:
    version = run([folder / "pg_dump", "-V"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    found = re.search(r"\) (\d+)", version)
    return int(found[1]) if found else 0


def _environment(url: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """How libpq finds the database: never in the arguments, which others can see."""
    parts = make_url(url)
    query = {name: _joined(value) for name, value in parts.query.items()}
    given = {
        "PGHOST": query.get("host") or parts.host,
        "PGPORT": query.get("port") or (str(parts.port) if parts.port else None),
        "PGUSER": parts.username,
        "PGPASSWORD": parts.password,
        "PGDATABASE": parts.database,
        "PGPASSFILE": query.get("passfile"),
        "PGSSLMODE": query.get("ssl"),
        "PGTARGETSESSIONATTRS": query.get("target_session_attrs"),
        "PGOPTIONS": "-c client_min_messages=warning",
        "PGCONNECT_TIMEOUT": "10",
        "PGAPPNAME": "tocsin backup",
        "LC_ALL": "C",
    }
    kept = {name: inherited[name] for name in INHERITED if name in inherited}
    return kept | {name: value for name, value in given.items() if value}


def _joined(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ",".join(value)


def _ask(tools: Tools, sql: str) -> str:
    command = tools.command("psql", "-XqAtw", "-c", sql)
    answer = run(command, env=tools.environment, capture_output=True, text=True, check=False)  # noqa: S603
    if answer.returncode != 0:
        raise SetupError(f"The database refused: {_reason(answer.stderr.splitlines())}.")
    return answer.stdout.strip()


def _require_readable(tools: Tools, file: Path) -> None:
    """Raise unless this is a backup that this server and this Tocsin can take."""
    content = _listed(tools, file, "--list")
    made_by = re.search(r"Dumped from database version: (\d+)", content)
    server = int(_ask(tools, "SHOW server_version_num")) // 10_000
    if made_by and int(made_by[1]) > server:
        raise SetupError(
            f"{file} comes from PostgreSQL {made_by[1]}, which {server} cannot take; restore it"
            f" into {made_by[1]} or newer."
        )
    rows = _listed(tools, file, "--data-only", "--table=alembic_version", "--file=-")
    version = re.search(r"^COPY \S*alembic_version .*\n(\S+)\n", rows, re.MULTILINE)
    if version is None:
        raise SetupError(f"{file} is no backup of Tocsin; name one that `tocsin backup` made.")
    if version[1] not in migrations.known():
        raise SetupError(
            f"{file} has schema version {version[1]}, but this Tocsin knows none newer than"
            f" {migrations.newest()}; restore it with the version that made it, or a newer one."
        )


def _listed(tools: Tools, file: Path, *options: str) -> str:
    command = tools.command("pg_restore", *options, str(file))
    answer = run(command, env=tools.environment, capture_output=True, text=True, check=False)  # noqa: S603
    if answer.returncode != 0:
        raise SetupError(f"{file} cannot be read: {_reason(answer.stderr.splitlines())}.")
    return answer.stdout


def _make(path: Path) -> None:
    """A new file that nobody but its owner may read."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise SetupError(
            f"The backup cannot be written to {path.parent}: {error.strerror}; name a file"
            " elsewhere."
        ) from None


@contextmanager
def _running(
    command: list[str],
    tools: Tools,
    *,
    stdin: IO[Any] | int = DEVNULL,
    stdout: IO[Any] | int = DEVNULL,
    stderr: IO[Any] | int = PIPE,
) -> Iterator[Popen[str]]:
    """One of the programs, which does not outlive us."""
    with Popen(  # noqa: S603
        command, env=tools.environment, stdin=stdin, stdout=stdout, stderr=stderr, text=True
    ) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def _follow(told: IO[str] | None, progress: re.Pattern[str], say: Say) -> list[str]:
    """Pass on which table it is at; everything else that a program says, until it ends."""
    others = []
    for line in told or ():
        if found := progress.search(line.strip()):
            say(f"  {found[1]}")
        elif ": error: " in line or "FATAL" in line:
            others.append(line.strip())
    return others


def _reason(lines: list[str]) -> str:
    """The first line that says what went wrong."""
    causes = [line for line in lines if re.search("error|ERROR|FATAL", line)]
    causes = causes or lines or ["no reason given"]
    return re.sub(r"^.*?(?:FATAL|ERROR|error):\s+", "", causes[0]).strip().rstrip(".")
