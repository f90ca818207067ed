"""Migrations go up, down and up again, and make exactly what the models say."""

import asyncio
import sys

import asyncpg
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

from app.db import migrations
from app.db.base import Base
from app.db.session import Database
from tests.conftest import plain


async def _tables(url: str) -> set[str]:
    connection = await asyncpg.connect(plain(url))
    try:
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    finally:
        await connection.close()
    return {row["tablename"] for row in rows} - {"alembic_version"}


async def test_migrations_go_up_down_and_up_again(empty_database_url: str) -> None:
    await asyncio.to_thread(migrations.upgrade, empty_database_url)
    made = await _tables(empty_database_url)
    assert "incidents" in made
    await asyncio.to_thread(migrations.downgrade, empty_database_url)
    assert await _tables(empty_database_url) == set()
    await asyncio.to_thread(migrations.upgrade, empty_database_url)
    assert await _tables(empty_database_url) == made


async def test_the_models_hold_nothing_that_no_migration_makes(database_url: str) -> None:
    await asyncio.to_thread(migrations.check, database_url)


async def test_every_step_down_is_the_way_up_reversed(empty_database_url: str) -> None:
    script = ScriptDirectory.from_config(Config(str(migrations.ROOT / "alembic.ini")))
    for revision in reversed(list(script.walk_revisions())):
        await asyncio.to_thread(migrations.upgrade, empty_database_url, revision.revision)
        await asyncio.to_thread(migrations.downgrade, empty_database_url, "-1")
        await asyncio.to_thread(migrations.upgrade, empty_database_url, revision.revision)


async def test_replicas_that_start_together_take_turns(empty_database_url: str) -> None:
    program = f"from app.db import migrations; migrations.upgrade({empty_database_url!r})"
    replicas = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", program, cwd=migrations.ROOT)
        for _ in range(3)
    ]
    assert [await replica.wait() for replica in replicas] == [0, 0, 0]
    assert "incidents" in await _tables(empty_database_url)


async def test_a_migration_does_not_wait_long_for_a_lock(empty_database_url: str) -> None:
    """It gives up after five seconds instead of queueing every writer behind it."""
    env = (migrations.ROOT / "alembic" / "env.py").read_text()
    assert "lock_timeout = '5s'" in env
    assert "statement_timeout" in env


async def test_a_database_knows_its_own_version(database: Database) -> None:
    async with database.reading() as session:
        assert await migrations.current(session) == migrations.newest()


async def test_migrations_make_every_constraint_and_index_as_the_models_have_it(
    database_url: str, empty_database_url: str
) -> None:
    """Alembic's own check is blind to CHECK constraints and to what an index is made of."""
    engine = create_async_engine(empty_database_url)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await engine.dispose()
    assert await _rules(database_url) == await _rules(empty_database_url)


async def _rules(url: str) -> set[tuple[str, str]]:
    connection = await asyncpg.connect(plain(url))
    try:
        rows = await connection.fetch("""
            SELECT conrelid::regclass::text || '.' || conname AS name,
                pg_get_constraintdef(oid) AS rule
            FROM pg_constraint WHERE connamespace = 'public'::regnamespace
            UNION ALL
            SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
        """)
    finally:
        await connection.close()
    return {(row["name"], row["rule"]) for row in rows if "alembic_version" not in row["name"]}
