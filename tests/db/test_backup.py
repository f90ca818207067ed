"""A restore replaces everything or changes nothing, whatever file it is given."""

import asyncio
import os
from pathlib import Path

import asyncpg
import pytest

from app.core.errors import SetupError
from app.db import backup, migrations
from tests.conftest import plain

NAME = "a user that the backup has"


def write(url: str, file: Path) -> list[str]:
    told: list[str] = []
    backup.write(url, file, environment=os.environ, say=told.append)
    return told


def read(url: str, file: Path, *, force: bool = False) -> list[str]:
    told: list[str] = []
    backup.read(url, file, environment=os.environ, force=force, say=told.append)
    return told


async def execute(url: str, statement: str) -> list[str]:
    connection = await asyncpg.connect(plain(url))
    try:
        return [row[0] for row in await connection.fetch(statement)]
    finally:
        await connection.close()


USERS = "SELECT full_name FROM users ORDER BY id"


async def insert(url: str, name: str) -> None:
    await execute(
        url,
        "INSERT INTO users (email, full_name, hashed_password, role)"
        f" VALUES ('{name}@example.org', '{name}', 'x', 'viewer')",
    )


@pytest.fixture
async def url(empty_database_url: str) -> str:
    """A database with one user."""
    await asyncio.to_thread(migrations.upgrade, empty_database_url)
    await insert(empty_database_url, NAME)
    return empty_database_url


async def test_only_force_replaces_what_is_there_and_it_replaces_all(
    url: str, tmp_path: Path
) -> None:
    file = tmp_path / "one.dump"
    told = write(url, file)
    assert "  users" in told
    assert file.stat().st_mode & 0o777 == 0o600
    await insert(url, "newer")
    await execute(url, "CREATE TABLE of_a_newer_version (id int)")
    with pytest.raises(SetupError, match="not empty"):
        read(url, file)
    assert await execute(url, USERS) == [NAME, "newer"]
    told = read(url, file, force=True)
    assert "  users" in told
    assert await execute(url, USERS) == [NAME]
    assert await execute(url, "SELECT to_regclass('of_a_newer_version')::text") == [None]
    await insert(url, "next")  # keys go on where they were
    await asyncio.to_thread(migrations.check, url)


async def test_a_file_that_breaks_off_changes_nothing(url: str, tmp_path: Path) -> None:
    whole, broken = tmp_path / "one.dump", tmp_path / "half.dump"
    write(url, whole)
    await insert(url, "newer")
    content = whole.read_bytes()
    # The last bytes are the tables' rows: some of them are put back before the file breaks off.
    for kept in (*range(len(content) - 1, len(content) - 900, -90), len(content) // 2, 100):
        broken.write_bytes(content[:kept])
        with pytest.raises(SetupError):
            read(url, broken, force=True)
        assert await execute(url, USERS) == [NAME, "newer"], kept


async def test_a_database_in_use_is_left_alone(url: str, tmp_path: Path) -> None:
    file = tmp_path / "one.dump"
    write(url, file)
    other = await asyncpg.connect(plain(url))
    try:
        async with other.transaction():
            await other.execute("UPDATE users SET full_name = 'held'")
            with pytest.raises(SetupError, match="Nothing was changed"):
                await asyncio.to_thread(read, url, file, force=True)
    finally:
        await other.close()
    assert await execute(url, USERS) == ["held"]


async def test_a_backup_of_a_newer_version_is_refused(url: str, tmp_path: Path) -> None:
    await execute(url, "UPDATE alembic_version SET version_num = '9999'")
    write(url, tmp_path / "one.dump")
    with pytest.raises(SetupError, match="schema version 9999"):
        read(url, tmp_path / "one.dump", force=True)


async def test_what_is_no_backup_of_ours_is_refused(url: str, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("dear to somebody")
    with pytest.raises(SetupError, match="is there already"):
        write(url, there)
    assert there.read_text() == "dear to somebody"
    for name in ("there", "nowhere"):
        with pytest.raises(SetupError, match="cannot be read"):
            read(url, tmp_path / name, force=True)
    with pytest.raises(SetupError, match="cannot be written"):
        write(url, tmp_path / "no" / "folder" / "x")
    await execute(url, "DROP TABLE alembic_version")
    write(url, tmp_path / "strange.dump")
    with pytest.raises(SetupError, match="no backup of Tocsin"):
        read(url, tmp_path / "strange.dump", force=True)


async def test_a_password_is_no_argument_that_others_could_see(url: str) -> None:
    given = "postgresql+asyncpg://ana:p%40ss@/tocsin?host=one,two&port=5432,5433&ssl=require"
    environment = backup._environment(given, {"PATH": "/bin", "HOME": "/root", "TOKEN": "secret"})
    assert environment["PGPASSWORD"] == "p@ss"
    assert (environment["PGHOST"], environment["PGPORT"]) == ("one,two", "5432,5433")
    assert (environment["PGSSLMODE"], environment["PGUSER"]) == ("require", "ana")
    assert "TOKEN" not in environment


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_500, "1.5 kB"), (2_500_000_000, "2.5 GB")],
)
def test_sizes_are_told_for_people(size: int, words: str) -> None:
    assert backup.in_words(size) == words
